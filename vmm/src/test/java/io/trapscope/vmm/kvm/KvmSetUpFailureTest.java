package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.HostOptions;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.IrqChip;
import io.trapscope.vmm.hypervisor.MemoryOptions;
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

  /** The same, its memory watched. */
  private static final VmConfig WATCHED =
      new VmConfig(
          16 << 20,
          1,
          "host",
          HostOptions.of(
              new MemoryOptions(
                  true, MemoryOptions.Dirty.LOG, false, MemoryOptions.Pages.DEFAULT)));

  /** Fails each call in turn, and returns what was said. */
  private static List<String> failures(VmConfig config) throws Exception {
    long files = KvmStopTest.openFiles();
    long mappings = KvmStopTest.kvmMappings();
    List<String> failures = new ArrayList<>();
    boolean through = false;
    for (int step = 0; !through; step++) {
      Refusing refusing = new Refusing(step, LibC.EBUSY);
      try (KvmHypervisor kvm = new KvmHypervisor(refusing)) {
        kvm.createVm(config).close();
        through = refusing.calls <= step;
      } catch (HypervisorException e) {
        failures.add(e.getMessage());
      }
      assertThat(KvmStopTest.openFiles()).as("after %s", failures).isEqualTo(files);
      assertThat(KvmStopTest.kvmMappings()).as("after %s", failures).isEqualTo(mappings);
      assertThat(Thread.getAllStackTraces().keySet())
          .as("after %s", failures)
          .noneMatch(thread -> thread.getName().startsWith("kvm-"));
    }
    assertThat(failures)
        .allMatch(line -> line.matches("(KVM|UFFDIO)_.*\\(errno 16\\).*"))
        .noneMatch(line -> line.contains("\n"));
    return failures;
  }

  @Test
  void eachStepOfWatchingMemoryThatFailsIsNamedAndUndone() throws Exception {
    KvmGuest.assumeKvm();
    try (KvmHypervisor kvm = new KvmHypervisor()) {
      kvm.createVm(WATCHED).close();
    } catch (HypervisorException e) {
      assumeFalse(e.getMessage().contains("not permitted"), "skipped: " + e.getMessage());
      throw e;
    }
    assertThat(String.join("\n", failures(WATCHED)))
        .contains("UFFDIO_API")
        .contains("UFFDIO_REGISTER of slot 0");
  }

  @Test
  void eachStepOfMakingDirtyRingsThatFailsIsNamedAndUndone() throws Exception {
    KvmGuest.assumeKvm();
    MemoryOptions memory =
        new MemoryOptions(false, MemoryOptions.Dirty.RING, false, MemoryOptions.Pages.DEFAULT);
    VmConfig config = new VmConfig(16 << 20, 2, "host", HostOptions.of(memory));
    try (KvmHypervisor kvm = new KvmHypervisor()) {
      kvm.createVm(config).close();
    } catch (HypervisorException e) {
      assumeFalse(e.getMessage().contains("no dirty ring"), "skipped: " + e.getMessage());
      throw e;
    }
    assertThat(String.join("\n", failures(config)))
        .contains("KVM_ENABLE_CAP of KVM_CAP_DIRTY_LOG_RING");
  }

  @Test
  void eachStepOfMakingInterruptControllersThatFailsIsNamedAndUndone() throws Exception {
    KvmGuest.assumeKvm();
    VmConfig config = new VmConfig(16 << 20, 1, "host", HostOptions.of(IrqChip.KERNEL));
    assertThat(String.join("\n", failures(config)))
        .contains("KVM_CREATE_IRQCHIP")
        .contains("KVM_SET_GSI_ROUTING")
        .contains("KVM_CREATE_PIT2")
        .contains("KVM_REINJECT_CONTROL");
  }

  @Test
  void eachStepThatFailsIsNamedAndUndone() throws Exception {
    KvmGuest.assumeKvm();
    List<String> failures = failures(CONFIG);
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
