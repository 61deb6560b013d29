package io.trapscope.vmm.kvm;

import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.Hypervisor;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmConfig;
import java.util.HashMap;
import java.util.Map;

/** Linux KVM, through {@code /dev/kvm}. */
public final class KvmHypervisor implements Hypervisor {
  private static final int[] NEEDED = {
    KvmAbi.KVM_CAP_USER_MEMORY,
    KvmAbi.KVM_CAP_SET_TSS_ADDR,
    KvmAbi.KVM_CAP_SET_IDENTITY_MAP_ADDR,
    KvmAbi.KVM_CAP_EXT_CPUID,
    KvmAbi.KVM_CAP_USER_NMI,
    KvmAbi.KVM_CAP_IMMEDIATE_EXIT
  };

  /** The system call, so that a test can make any one of them fail. */
  interface Ioctl {
    /** Returns 0 or more as the request defines it, or the negative error number. */
    int call(int fd, long request, long argument);
  }

  private final Ioctl ioctl;
  private final int fd;
  private final boolean paravirtual;
  private final Map<Integer, Integer> capabilities = new HashMap<>();
  private boolean closed;

  /**
   * Opens KVM.
   *
   * @throws HypervisorException where it is absent, not permitted, or lacks what is needed; the
   *     message says which, and what would allow it
   */
  public KvmHypervisor() {
    this(LibC::ioctl);
  }

  KvmHypervisor(Ioctl ioctl) {
    this.ioctl = ioctl;
    KvmProbe probe = KvmProbe.probe();
    if (!probe.usable()) {
      throw new HypervisorException(probe.explanation());
    }
    paravirtual = probe.isParavirtual();
    fd =
        LibC.check(
            LibC.open(KvmAbi.DEVICE, LibC.O_RDWR | LibC.O_CLOEXEC), "opening " + KvmAbi.DEVICE);
    try {
      for (int capability : NEEDED) {
        if (capability(capability) <= 0) {
          throw new HypervisorException(
              "this KVM lacks capability "
                  + capability
                  + " (linux/kvm.h), which Linux has had since 4.11 on x86-64");
        }
      }
    } catch (RuntimeException e) {
      LibC.close(fd);
      throw e;
    }
  }

  @Override
  public String name() {
    return "kvm";
  }

  @Override
  public Vm createVm(VmConfig config) {
    if (closed) {
      throw new HypervisorException("this KVM hypervisor is closed");
    }
    return new KvmVm(this, config);
  }

  int fd() {
    return fd;
  }

  /** Whether guests run without the processor's virtualization support. */
  boolean paravirtual() {
    return paravirtual;
  }

  /** Makes a call whose failure is no surprise: 0 or more, or the negative error number. */
  int tryIoctl(int target, long request, long argument) {
    return ioctl.call(target, request, argument);
  }

  /**
   * Makes a call.
   *
   * @param step what it is for, in the user's words or KVM's
   * @throws HypervisorException where it fails, with the step and the host's reason
   */
  int ioctl(int target, long request, long argument, String step) {
    int result = ioctl.call(target, request, argument);
    if (result < 0) {
      throw LibC.failure(step, -result);
    }
    return result;
  }

  /**
   * KVM's answer to KVM_CHECK_EXTENSION: 0 where it lacks the capability.
   *
   * @throws HypervisorException where it does not answer
   */
  synchronized int capability(int number) {
    return capabilities.computeIfAbsent(
        number,
        asked -> ioctl(fd, KvmAbi.KVM_CHECK_EXTENSION, asked, "KVM_CHECK_EXTENSION of " + asked));
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      LibC.close(fd);
    }
  }
}
