package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmConfig;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class KvmVmTest {
  private static final long GIB = 1L << 30;

  @Test
  void memoryPastThePciHoleIsASecondSlotThatTheGuestSees() {
    // mov [rbx], rax; mov rcx, [rbx+8]; hlt
    try (KvmGuest guest =
        KvmGuest.longMode(4 * GIB, 0x48, 0x89, 0x03, 0x48, 0x8B, 0x4B, 0x08, 0xF4)) {
      GuestMemory memory = guest.vm.memory();
      long high = MemoryLayout.HIGH_RAM + 0x1000;
      memory.writeLong(high + 8, 0x1234_5678_9ABC_DEF0L);
      guest.set(CpuState.RBX, high);
      guest.set(CpuState.RAX, 1772334);
      guest.expect(ExitReason.HLT);
      assertThat(memory.readLong(high)).isEqualTo(1772334);
      assertThat(guest.get(CpuState.RCX)).isEqualTo(0x1234_5678_9ABC_DEF0L);
    }
  }

  @Test
  void memoryIsBoundedAndAccessesMayCrossTheWindowsItIsSeenThrough() {
    try (KvmGuest guest = KvmGuest.longMode(4 * GIB, 0xF4)) {
      GuestMemory memory = guest.vm.memory();
      long seam = 2 * GIB;
      memory.writeLong(seam - 3, 0x1122_3344_5566_7788L);
      assertThat(memory.readLong(seam - 3)).isEqualTo(0x1122_3344_5566_7788L);
      assertThat(memory.readByte(seam)).isEqualTo((byte) 0x55);
      memory.writeInt(seam - 1, 0x0A0B_0C0D);
      assertThat(memory.readInt(seam - 1)).isEqualTo(0x0A0B_0C0D);
      memory.writeShort(seam - 1, (short) 0x7FEE);
      assertThat(memory.readShort(seam - 1)).isEqualTo((short) 0x7FEE);
      byte[] bytes = {1, 2, 3, 4, 5, 6, 7, 8};
      memory.write(seam - 4, bytes, 0, 8);
      byte[] back = new byte[10];
      memory.read(seam - 4, back, 1, 8);
      assertThat(back).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 0);

      assertThat(memory.contains(0, MemoryLayout.PCI_HOLE)).isTrue();
      assertThat(memory.contains(0, MemoryLayout.PCI_HOLE + 1)).isFalse();
      assertThat(memory.contains(MemoryLayout.HIGH_RAM, GIB)).isTrue();
      assertThat(memory.contains(-1, 1)).isFalse();
      assertThat(memory.contains(0, Long.MIN_VALUE)).isFalse();
      long end = MemoryLayout.PCI_HOLE;
      assertThatThrownBy(() -> memory.readLong(end - 7))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> memory.writeInt(end - 1, 5))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThat(memory.readByte(end - 1)).isZero();
      assertThatThrownBy(() -> memory.readByte(-1)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> memory.write(0, bytes, 1, 8))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void whatAHostRefusesIsOneLineThatNamesTheStep() {
    KvmGuest.assumeKvm();
    try (KvmHypervisor kvm = new KvmHypervisor()) {
      assertThatThrownBy(() -> kvm.createVm(new VmConfig(16 << 20, 100_000, "host")))
          .isInstanceOf(HypervisorException.class)
          .hasMessageContaining("100000 vCPUs");
      // More than the 47 bits of a process's address space.
      assertThatThrownBy(() -> kvm.createVm(new VmConfig(1L << 52, 1, "host")))
          .isInstanceOf(HypervisorException.class)
          .hasMessageContaining("guest memory")
          .hasMessageContaining("errno 12");
    }
  }

  @Test
  void aClosedHypervisorRefusesByName() {
    KvmGuest.assumeKvm();
    KvmHypervisor kvm = new KvmHypervisor();
    kvm.close();
    assertThatThrownBy(() -> kvm.createVm(new VmConfig(16 << 20, 1, "host")))
        .isInstanceOf(HypervisorException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void everyKindIsEitherSurfacedOrUnseenForAReason() {
    KvmGuest.assumeKvm();
    try (KvmHypervisor kvm = new KvmHypervisor();
        Vm vm = kvm.createVm(new VmConfig(16 << 20, 2, "host"))) {
      assertThat(kvm.name()).isEqualTo("kvm");
      assertThat(vm.vcpus()).hasSize(2);
      Set<ExitReason> both = new HashSet<>(vm.surfacedExits());
      both.retainAll(vm.unseenExits().keySet());
      assertThat(both).isEmpty();
      assertThat(vm.unseenExits())
          .containsKeys(ExitReason.EPT_VIOLATION, ExitReason.CPUID, ExitReason.VMCALL);
      assertThat(vm.unseenExits().values()).noneMatch(String::isBlank);
    }
  }
}
