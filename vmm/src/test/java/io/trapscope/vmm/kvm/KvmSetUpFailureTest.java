package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.VmConfig;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Every call of set-up fails once: the message names it, and nothing is left open or mapped. */
class KvmSetUpFailureTest {
  private static final VmConfig CONFIG = new VmConfig(16 << 20, 2, "host");

  /** Makes the calls, except for one, which it refuses. */
  private static final class Refusing implements KvmHypervisor.Ioctl {
    private final int refused;
    private final int errno;
    private int calls;

    Refusing(int refused, int errno) {
      this.refused = refused;
      this.errno = errno;
    }

    @Override
    public int call(int fd, long request, long argument) {
      return calls++ == refused ? -errno : LibC.ioctl(fd, request, argument);
    }
  }

  @Test
  void eachStepThatFailsIsNamedAndUndone() throws Exception {
    KvmGuest.assumeKvm();
    long files = KvmStopTest.openFiles();
    long mappings = KvmStopTest.kvmMappings();
    List<String> failures = new ArrayList<>();
    boolean through = false;
    for (int step = 0; !through; step++) {
      Refusing refusing = new Refusing(step, LibC.EBUSY);
      try (KvmHypervisor kvm = new KvmHypervisor(refusing)) {
        kvm.createVm(CONFIG).close();
        through = refusing.calls <= step;
      } catch (HypervisorException e) {
        failures.add(e.getMessage());
      }
      assertThat(KvmStopTest.openFiles()).as("after %s", failures).isEqualTo(files);
      assertThat(KvmStopTest.kvmMappings()).as("after %s", failures).isEqualTo(mappings);
    }
    assertThat(failures)
        .allMatch(line -> line.startsWith("KVM_") && line.contains("(errno 16)"))
        .noneMatch(line -> line.contains("\n"));
    assertThat(String.join("\n", failures))
        .contains("KVM_CHECK_EXTENSION")
        .contains("KVM_CREATE_VM")
        .contains("KVM_SET_IDENTITY_MAP_ADDR")
        .contains("KVM_SET_TSS_ADDR")
        .contains("KVM_ENABLE_CAP")
        .contains("KVM_X86_SET_MSR_FILTER")
        .contains("KVM_SET_USER_MEMORY_REGION of slot 0")
        .contains("KVM_GET_SUPPORTED_CPUID")
        .contains("KVM_GET_VCPU_MMAP_SIZE")
        .contains("KVM_CREATE_VCPU 0")
        .contains("KVM_CREATE_VCPU 1")
        .contains("KVM_SET_CPUID2")
        .contains("KVM_GET_STATS_FD of vm")
        .contains("KVM_GET_STATS_FD of vcpu-1");
  }

  @Test
  void aCpuidTableThatIsTooSmallIsEnlarged() {
    KvmGuest.assumeKvm();
    List<Integer> sizes = new ArrayList<>();
    KvmHypervisor.Ioctl choosy =
        (fd, request, argument) -> {
          if (request == KvmAbi.KVM_GET_SUPPORTED_CPUID) {
            sizes.add(LibC.view(argument, 8).getInt(0));
            if (sizes.size() < 3) {
              return -LibC.E2BIG;
            }
          }
          return LibC.ioctl(fd, request, argument);
        };
    try (KvmHypervisor kvm = new KvmHypervisor(choosy)) {
      kvm.createVm(CONFIG).close();
    }
    assertThat(sizes).containsExactly(128, 256, 512);
  }
}
