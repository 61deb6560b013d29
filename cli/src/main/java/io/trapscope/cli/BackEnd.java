package io.trapscope.cli;

import io.trapscope.vmm.cpuid.CpuModel;
import io.trapscope.vmm.guests.HostKind;
import io.trapscope.vmm.hypervisor.Hypervisor;
import io.trapscope.vmm.kvm.KvmHypervisor;
import io.trapscope.vmm.kvm.KvmProbe;
import io.trapscope.vmm.soft.SoftHypervisor;
import java.util.Iterator;

/**
 * The back end that runs a guest.
 *
 * @param hypervisor open; closed by whoever chose it
 * @param kind where the guest will run, as far as bundled guests care
 * @param why why this one, in one clause
 */
record BackEnd(Hypervisor hypervisor, HostKind kind, String why) implements AutoCloseable {

  /**
   * Opens what was asked for.
   *
   * @throws io.trapscope.vmm.hypervisor.HypervisorException where it was named and cannot be used
   */
  static BackEnd choose(Accel accel) {
    return switch (accel) {
      case KVM -> kvm(KvmProbe.probe(), "asked for");
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
    boolean paravirtual = probe.acceleration() == KvmProbe.Acceleration.PARAVIRTUAL;
    return new BackEnd(new KvmHypervisor(), HostKind.of("kvm", paravirtual), why);
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
    if (wanted == null) {
      return CpuModel.all().get(0).name();
    }
    if (kind != HostKind.SOFT) {
      throw UserError.badInput("--cpu goes with --accel soft; KVM shows the guest the host's");
    }
    try {
      return CpuModel.of(wanted).name();
    } catch (IllegalArgumentException e) {
      throw UserError.badInput(e.getMessage(), e);
    }
  }

  /** The names of the models of {@code soft}, for help and completion. */
  static final class CpuModels implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return CpuModel.all().stream().map(CpuModel::name).iterator();
    }
  }

  @Override
  public void close() {
    hypervisor.close();
  }
}
