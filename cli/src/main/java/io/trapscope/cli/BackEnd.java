package io.trapscope.cli;

import io.trapscope.vmm.cpuid.CpuModel;
import io.trapscope.vmm.guests.HostKind;
import io.trapscope.vmm.hypervisor.Hypervisor;
import io.trapscope.vmm.kvm.KvmHypervisor;
import io.trapscope.vmm.kvm.KvmProbe;
import io.trapscope.vmm.soft.SoftHypervisor;
import java.util.Iterator;
import java.util.stream.Stream;

/**
 * The back end that runs a guest.
 *
 * @param hypervisor open; closed by whoever chose it
 * @param kind where the guest will run, as far as bundled guests care
 * @param why why this one, in one clause
 */
record BackEnd(Hypervisor hypervisor, HostKind kind, String why) implements AutoCloseable {
  private static final String SLOW =
      "asked for; this KVM (kvm_pvm) interprets the guest's kernel, which soft does many times as"
          + " fast";

  /** On KVM, all that the host's KVM supports. */
  private static final String HOST = "host";

  /** On KVM, of that what the default model of {@code soft} has too. */
  private static final String COMPAT = "compat";

  /**
   * Opens what was asked for.
   *
   * @throws io.trapscope.vmm.hypervisor.HypervisorException where it was named and cannot be used
   */
  static BackEnd choose(Accel accel) {
    return switch (accel) {
      case KVM -> {
        KvmProbe probe = KvmProbe.probe();
        yield kvm(probe, probe.isParavirtual() ? SLOW : "asked for");
      }
      case SOFT -> soft("asked for");
      case AUTO -> automatic(KvmProbe.probe());
    };
  }

  private static BackEnd automatic(KvmProbe probe) {
    return probe.preferred()
        ? kvm(probe, "KVM works and the processor helps it")
        : soft(probe.explanation());
  }

  private static BackEnd kvm(KvmProbe probe, String why) {
    return new BackEnd(new KvmHypervisor(), HostKind.of("kvm", probe.isParavirtual()), why);
  }

  private static BackEnd soft(String why) {
    return new BackEnd(new SoftHypervisor(), HostKind.SOFT, why);
  }

  /** {@code kvm} or {@code soft}. */
  String name() {
    return hypervisor.name();
  }

  /**
   * The CPU model that a guest gets here.
   *
   * @param wanted its name; null for the back end's own
   * @throws UserError where the back end has no model of this name
   */
  String cpuModel(String wanted) {
    String own = CpuModel.all().get(0).name();
    if (kind == HostKind.SOFT && wanted == null) {
      return own;
    }
    if (kind != HostKind.SOFT) {
      if (wanted == null || wanted.equals(HOST)) {
        return HOST;
      }
      if (wanted.equals(COMPAT) || wanted.equals(own)) {
        return COMPAT;
      }
    }
    try {
      return CpuModel.of(wanted).name();
    } catch (IllegalArgumentException e) {
      String more = kind == HostKind.SOFT ? "" : ", " + HOST + ", " + COMPAT;
      throw UserError.badInput(e.getMessage() + more, e);
    }
  }

  /** The names of all models, for help and completion; the last two are of {@code kvm} only. */
  static final class CpuModels implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Stream.concat(CpuModel.all().stream().map(CpuModel::name), Stream.of(HOST, COMPAT))
          .iterator();
    }
  }

  @Override
  public void close() {
    hypervisor.close();
  }
}
