package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;

class DirectIoctlTest {
  private static final int EBADF = 9;

  @Test
  void anErrorIsTheNegativeNumber() {
    assumeTrue(
        KvmProbe.probe().status() != KvmProbe.Status.WRONG_PLATFORM, "needs Linux on x86-64");
    assertThat(DirectIoctl.call(-1, KvmAbi.KVM_RUN, 0)).isEqualTo(-EBADF);
  }

  @Test
  void theAnswerIsThatOfTheOrdinaryCall() {
    KvmGuest.assumeKvm();
    try (KvmHypervisor kvm = new KvmHypervisor()) {
      assertThat(DirectIoctl.call(kvm.fd(), KvmAbi.KVM_GET_API_VERSION, 0)).isEqualTo(12);
      for (int capability = 0; capability < 240; capability++) {
        assertThat(DirectIoctl.call(kvm.fd(), KvmAbi.KVM_CHECK_EXTENSION, capability))
            .isEqualTo(LibC.ioctl(kvm.fd(), KvmAbi.KVM_CHECK_EXTENSION, capability));
      }
    }
  }
}
