package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmConfig;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.GuestMemory;

/** A one-vCPU machine with a few bytes of code at GPA 0x1000, for tests that look at exits. */
final class KvmGuest implements AutoCloseable {
  static final long CODE = 0x1000;
  private static final long PML4 = 0x2000;
  private static final long PDPT = 0x3000;
  private static final long PD = 0x4000; // five pages: the first 5 GiB, in pages of 2 MiB

  final KvmHypervisor hypervisor;
  final Vm vm;
  final Vcpu vcpu;
  final VmExit exit = new VmExit();

  private KvmGuest(long memoryBytes) {
    hypervisor = new KvmHypervisor();
    try {
      vm = hypervisor.createVm(new VmConfig(memoryBytes, 1, "host"));
    } catch (HypervisorException e) {
      hypervisor.close();
      throw e;
    }
    vcpu = vm.vcpus().get(0);
  }

  /** Ends the test as skipped where KVM cannot be used here, with the reason. */
  static void assumeKvm() {
    KvmProbe probe = KvmProbe.probe();
    assumeTrue(probe.usable(), probe::explanation);
  }

  static KvmGuest real(int... code) {
    assumeKvm();
    KvmGuest guest = new KvmGuest(16 << 20);
    guest.load(code);
    CpuState state = new CpuState();
    guest.vcpu.readState(state);
    state.segments[CpuState.CS].selector = 0;
    state.segments[CpuState.CS].base = 0;
    state.rip = CODE;
    state.gpr[CpuState.RSP] = 0x8000;
    guest.vcpu.writeState(state);
    return guest;
  }

  static KvmGuest longMode(int... code) {
    return longMode(16L << 20, code);
  }

  static KvmGuest longMode(long memoryBytes, int... code) {
    assumeKvm();
    KvmGuest guest = new KvmGuest(memoryBytes);
    guest.load(code);
    GuestMemory memory = guest.vm.memory();
    memory.writeLong(PML4, PDPT | 3);
    for (int i = 0; i < 5; i++) {
      memory.writeLong(PDPT + 8 * i, PD + 4096L * i | 3);
    }
    for (long i = 0; i < 5 * 512; i++) {
      memory.writeLong(PD + 8 * i, i << 21 | 0x83);
    }
    CpuState state = new CpuState();
    guest.vcpu.readState(state);
    state.cr3 = PML4;
    state.cr4 = 1 << 5; // PAE
    state.cr0 = 0x80050033L;
    state.efer = 0x500; // LME, LMA
    state.segments[CpuState.CS].set(8, 0, -1, 0xA09B);
    for (int i : new int[] {CpuState.DS, CpuState.ES, CpuState.SS, CpuState.FS, CpuState.GS}) {
      state.segments[i].set(16, 0, -1, 0xC093);
    }
    state.rip = CODE;
    state.gpr[CpuState.RSP] = 0x10000;
    guest.vcpu.writeState(state);
    return guest;
  }

  private void load(int... code) {
    byte[] bytes = new byte[code.length];
    for (int i = 0; i < code.length; i++) {
      bytes[i] = (byte) code[i];
    }
    vm.memory().write(CODE, bytes, 0, bytes.length);
  }

  void set(int register, long value) {
    CpuState state = new CpuState();
    vcpu.readState(state);
    state.gpr[register] = value;
    vcpu.writeState(state);
  }

  long get(int register) {
    CpuState state = new CpuState();
    vcpu.readState(state);
    return state.gpr[register];
  }

  /** Runs to the next exit, which must have this reason. */
  VmExit expect(ExitReason reason) {
    vcpu.run(exit);
    assertThat(exit.reason)
        .as("KVM exit %d at RIP 0x%x", exit.kvmReason, exit.rip)
        .isEqualTo(reason);
    return exit;
  }

  @Override
  public void close() {
    vm.close();
    hypervisor.close();
  }
}
