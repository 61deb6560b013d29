package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.FaultHandler;
import io.trapscope.vmm.hypervisor.HostOptions;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.MemoryOptions;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmConfig;
import io.trapscope.vmm.hypervisor.VmExit;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Faults of threads that run no vCPU: here the test's own, in the place of a kernel's worker. */
class UserFaultsTest {
  private static final MemoryOptions FAULTS =
      new MemoryOptions(true, MemoryOptions.Dirty.NONE, false, MemoryOptions.Pages.DEFAULT);

  /** A vCPU, and what is known of its fault. */
  private record Told(int vcpu, long gpa, boolean hasAccess) {}

  private static final class Telling implements FaultHandler {
    private final Vm vm;
    private final Lock lock = new ReentrantLock();
    private final List<Told> told = new CopyOnWriteArrayList<>();

    private Telling(Vm vm) {
      this.vm = vm;
    }

    @Override
    public Lock telling() {
      return lock;
    }

    @Override
    public void fault(int vcpu, VmExit exit, long seen) {
      told.add(new Told(vcpu, exit.gpa, exit.has(VmExit.QUALIFICATION)));
      vm.resolveEptViolation(exit);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 0", "2, -1"})
  void ofAFaultThatAWorkerTakesTheAccessIsNotKnownAndTheVcpuOnlyWhereThereIsOne(
      int cpus, int vcpu) {
    KvmGuest.assumeKvm();
    try (KvmHypervisor hypervisor = new KvmHypervisor();
        Vm vm = make(hypervisor, cpus)) {
      Telling telling = new Telling(vm);
      vm.onFault(telling);
      long hva = ((KvmMemory) vm.memory()).slots().get(0).hva();
      int file = LibC.memoryFile("reader", 4096);
      try {
        // The kernel reads the page for the system call, and waits until it is there.
        assertThat(LibC.write(file, hva + 0x5000, 1)).isOne();
      } finally {
        LibC.close(file);
      }
      vm.onFault(null);
      assertThat(telling.told).containsExactly(new Told(vcpu, 0x5000, false));
    }
  }

  private static Vm make(KvmHypervisor hypervisor, int cpus) {
    try {
      return hypervisor.createVm(new VmConfig(16 << 20, cpus, "host", HostOptions.of(FAULTS)));
    } catch (HypervisorException e) {
      assumeFalse(e.getMessage().contains("not permitted"), "skipped: " + e.getMessage());
      throw e;
    }
  }
}
