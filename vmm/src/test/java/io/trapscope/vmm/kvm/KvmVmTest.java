package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.HostOptions;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.IrqChip;
import io.trapscope.vmm.hypervisor.MemoryOptions;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmConfig;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
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
  void eachLineOfIsaReachesThePairAndTheIoApic() {
    ByteBuffer routes = KvmInterrupts.routes();
    List<String> found = new ArrayList<>();
    for (int i = 0; i < routes.getInt(0); i++) {
      int at = KvmAbi.ROUTING_HEADER + i * KvmAbi.ROUTING_ENTRY;
      found.add(
          routes.getInt(at + KvmAbi.ROUTING_GSI)
              + ">"
              + routes.getInt(at + KvmAbi.ROUTING_IRQCHIP)
              + "."
              + routes.getInt(at + KvmAbi.ROUTING_PIN));
    }
    assertThat(found).startsWith("0>0.0", "0>2.2", "1>0.1", "1>2.1").hasSize(15 + 23);
    assertThat(found).contains("8>1.0", "8>2.8", "15>1.7", "23>2.23").doesNotContain("2>2.2");
  }

  @Test
  void aPinnedVcpusThreadStaysOnItsCpu() throws Exception {
    KvmGuest.assumeKvm();
    int cpu = LibC.mayUse(1) ? 1 : 0;
    HostOptions pinned = new HostOptions(MemoryOptions.DEFAULT, IrqChip.USER, 0, Map.of(0, cpu));
    try (KvmHypervisor kvm = new KvmHypervisor();
        Vm vm = kvm.createVm(new VmConfig(16 << 20, 1, "host", pinned))) {
      List<String> allowed = new ArrayList<>();
      Thread runner =
          new Thread(
              () -> {
                vm.vcpus().get(0).kick();
                vm.vcpus().get(0).run(new VmExit());
                allowed.addAll(allowedCpus());
              });
      runner.start();
      runner.join();
      assertThat(allowed).containsExactly(String.valueOf(cpu));
    }
    assertThat(LibC.mayUse(100_000)).isFalse();
  }

  @Test
  void theHostsOwnRateNeedsNoControlOfTheTimeStampCounter() {
    KvmGuest.assumeKvm();
    try (KvmHypervisor kvm = new KvmHypervisor()) {
      String own;
      try (Vm vm = kvm.createVm(withRate(0))) {
        own = vm.notes().get("tsc_khz");
      }
      assumeTrue(own != null, "skipped: this KVM does not tell the rate of its counter");
      try (Vm vm = kvm.createVm(withRate(Long.parseLong(own)))) {
        assertThat(vm.notes()).containsEntry("tsc_khz", own);
      }
      boolean control = KvmProbe.probe().capabilities().getOrDefault("KVM_CAP_TSC_CONTROL", 0) > 0;
      assumeFalse(control, "skipped: this host gives other rates too");
      assertThatThrownBy(() -> kvm.createVm(withRate(Long.parseLong(own) / 2)))
          .isInstanceOf(HypervisorException.class)
          .hasMessageContaining(own + " kHz (KVM_CAP_TSC_CONTROL)");
    }
  }

  private static VmConfig withRate(long khz) {
    HostOptions rate = new HostOptions(MemoryOptions.DEFAULT, IrqChip.USER, khz, Map.of());
    return new VmConfig(16 << 20, 1, "host", rate);
  }

  private static List<String> allowedCpus() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/thread-self/status"))) {
      return lines
          .filter(line -> line.startsWith("Cpus_allowed_list:"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void cpuidTellsOfTheDeadlineTimerOnlyWhereKvmHasTheApics() {
    ByteBuffer table = LibC.allocate(KvmAbi.CPUID2_HEADER + KvmAbi.CPUID2_ENTRY);
    table.putInt(0, 1).putInt(KvmAbi.CPUID2_HEADER, 1);
    KvmCpuid.forInterrupts(table, true);
    assertThat(table.getInt(KvmAbi.CPUID2_HEADER + KvmAbi.CPUID_ECX)).isEqualTo(1 << 24);
    KvmCpuid.forInterrupts(table, false);
    assertThat(table.getInt(KvmAbi.CPUID2_HEADER + KvmAbi.CPUID_ECX)).isZero();
  }

  private static void entry(ByteBuffer table, int leaf, int subleaf, int... registers) {
    int at = KvmAbi.CPUID2_HEADER + table.getInt(0) * KvmAbi.CPUID2_ENTRY;
    table.putInt(at + KvmAbi.CPUID_FUNCTION, leaf).putInt(at + KvmAbi.CPUID_INDEX, subleaf);
    for (int i = 0; i < registers.length; i++) {
      table.putInt(at + KvmAbi.CPUID_EAX + 4 * i, registers[i]);
    }
    table.putInt(0, table.getInt(0) + 1);
  }

  private static List<String> registers(ByteBuffer table) {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < table.getInt(0); i++) {
      int at = KvmAbi.CPUID2_HEADER + i * KvmAbi.CPUID2_ENTRY;
      StringBuilder line = new StringBuilder();
      for (int word : new int[] {0, 4, 12, 16, 20, 24}) {
        line.append(Integer.toHexString(table.getInt(at + word))).append(' ');
      }
      lines.add(line.toString().strip());
    }
    return lines;
  }

  @Test
  void aModelHidesWhatItLacksAndAddsNothing() {
    ByteBuffer table = LibC.allocate(KvmAbi.CPUID2_HEADER + 16 * KvmAbi.CPUID2_ENTRY);
    entry(table, 0, 0, 0x20, 1, 2, 3);
    entry(table, 1, 0, 0xa20f10, 0x800, 1 << 23 | 1 << 28 | 1, 1 << 4 | 1 << 26); // POPCNT AVX SSE3
    entry(table, 7, 0, 2, 1 << 5 | 1 << 7, 0, 0); // AVX2, SMEP
    entry(table, 0xd, 0, 7, 0x340, 0x340, 0);
    entry(table, 0x1f, 0, 1, 2, 3, 4);
    entry(table, 0x4000_0000, 0, 0x4000_0001, 5, 6, 7);
    entry(table, 0x8000_0000, 0, 0x8000_0021, 5, 6, 7);
    entry(table, 0x8000_0001, 0, 0xa20f10, 0, 1 << 5, 1 << 29); // LZCNT, LM
    entry(table, 0x8000_001e, 0, 1, 2, 3, 4);
    KvmCpuid.limit(table, KvmCpuid.model("compat"));
    assertThat(registers(table))
        .containsExactly(
            "0 0 16 1 2 3",
            "1 0 a20f10 800 1 4000010",
            "7 0 2 80 0 0",
            "d 0 0 0 0 0",
            "1f 0 0 0 0 0",
            "40000000 0 40000001 5 6 7",
            "80000000 0 80000008 5 6 7",
            "80000001 0 a20f10 0 0 20000000",
            "8000001e 0 0 0 0 0");
    assertThat(KvmCpuid.model("host")).isNull();
    assertThatThrownBy(() -> KvmCpuid.model("z80")).hasMessageContaining("no CPU model 'z80'");
  }

  /**
   * A KVM with KVM_PRE_FAULT_MEMORY, which maps 1 MiB a call and is interrupted every other time.
   */
  @Test
  void prefaultingMapsAllOfMemoryWhereKvmCan() {
    KvmGuest.assumeKvm();
    List<String> calls = new ArrayList<>();
    KvmHypervisor.Ioctl withPrefault =
        (fd, request, argument) -> {
          if (request == KvmAbi.KVM_CHECK_EXTENSION
              && argument == KvmAbi.KVM_CAP_PRE_FAULT_MEMORY) {
            return 1;
          }
          if (request != KvmAbi.KVM_PRE_FAULT_MEMORY) {
            return LibC.ioctl(fd, request, argument);
          }
          ByteBuffer range = LibC.view(argument, KvmAbi.PRE_FAULT_BYTES);
          long gpa = range.getLong(KvmAbi.PRE_FAULT_GPA);
          long size = range.getLong(KvmAbi.PRE_FAULT_SIZE);
          calls.add((gpa >> 20) + "+" + (size >> 20));
          if (calls.size() % 2 == 0) {
            return -LibC.EINTR;
          }
          range.putLong(KvmAbi.PRE_FAULT_GPA, gpa + (1 << 20));
          range.putLong(KvmAbi.PRE_FAULT_SIZE, size - (1 << 20));
          return 0;
        };
    MemoryOptions prefault =
        new MemoryOptions(false, MemoryOptions.Dirty.NONE, true, MemoryOptions.Pages.DEFAULT);
    try (KvmHypervisor kvm = new KvmHypervisor(withPrefault);
        Vm vm = kvm.createVm(new VmConfig(3 << 20, 1, "host", HostOptions.of(prefault)))) {
      assertThat(calls).containsExactly("0+3", "1+2", "1+2", "2+1", "2+1");
      assertThat(vm.notes().get("prefault")).contains("mapped by KVM_PRE_FAULT_MEMORY");
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
