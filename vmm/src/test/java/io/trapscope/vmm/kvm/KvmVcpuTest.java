package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.CpuMode;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.VmExit;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class KvmVcpuTest {

  @Test
  void realModeWritesAPortAndHalts() {
    // mov al, 'A'; out 0x10, al; mov dx, 0x3f8; out dx, ax; hlt
    try (KvmGuest guest = KvmGuest.real(0xB0, 0x41, 0xE6, 0x10, 0xBA, 0xF8, 0x03, 0xEF, 0xF4)) {
      VmExit exit = guest.expect(ExitReason.IO_INSTRUCTION);
      assertThat(exit.port).isEqualTo(0x10);
      assertThat(exit.size).isEqualTo(1);
      assertThat(exit.count).isEqualTo(1);
      assertThat(exit.write).isTrue();
      assertThat(exit.value).isEqualTo(0x41);
      assertThat(exit.kvmReason).isEqualTo(KvmAbi.KVM_EXIT_IO);
      assertThat(exit.has(VmExit.RIP | VmExit.MODE | VmExit.VALUE)).isTrue();
      assertThat(exit.has(VmExit.GUEST_TIME | VmExit.LOOP_TIME)).isTrue();
      assertThat(exit.has(VmExit.INSTRUCTIONS)).isFalse();
      assertThat(exit.mode).isEqualTo(CpuMode.REAL);
      assertThat(exit.cpl).isZero();
      assertThat(exit.rip).isIn(KvmGuest.CODE + 2, KvmGuest.CODE + 4);
      assertThat(exit.exitNanos).isGreaterThan(exit.entryNanos);

      guest.expect(ExitReason.IO_INSTRUCTION);
      assertThat(exit.port).isEqualTo(0x3F8);
      assertThat(exit.size).isEqualTo(2);
      assertThat(exit.value & 0xFF).isEqualTo(0x41);

      guest.expect(ExitReason.HLT);
      assertThat(exit.rip).isEqualTo(KvmGuest.CODE + 9);
    }
  }

  @Test
  void aPortReadReturnsWhatTheLoopPutThere() {
    // mov edx, 0x60; in al, dx; in ax, dx; in eax, dx; hlt
    try (KvmGuest guest = KvmGuest.longMode(0xBA, 0x60, 0, 0, 0, 0xEC, 0x66, 0xED, 0xED, 0xF4)) {
      guest.set(CpuState.RAX, 0x1122_3344_5566_7788L);
      guest.expect(ExitReason.IO_INSTRUCTION);
      assertThat(guest.exit.write).isFalse();
      assertThat(guest.exit.size).isEqualTo(1);
      assertThat(guest.exit.has(VmExit.VALUE)).isFalse();
      guest.exit.value = 0xAB;
      guest.expect(ExitReason.IO_INSTRUCTION);
      assertThat(guest.get(CpuState.RAX)).isEqualTo(0x1122_3344_5566_77ABL);
      guest.exit.value = 0xBEEF;
      guest.expect(ExitReason.IO_INSTRUCTION);
      assertThat(guest.get(CpuState.RAX)).isEqualTo(0x1122_3344_5566_BEEFL);
      guest.exit.value = 0xCAFE_F00DL;
      guest.expect(ExitReason.HLT);
      assertThat(guest.get(CpuState.RAX)).isEqualTo(0xCAFE_F00DL);
    }
  }

  @Test
  void withoutARecordingAnExitTellsWhatItTakesToHandleIt() {
    // l: out 0x10, al; dec ecx; jnz l; hlt
    try (KvmGuest guest = KvmGuest.longMode(0xE6, 0x10, 0xFF, 0xC9, 0x75, 0xFA, 0xF4)) {
      guest.set(CpuState.RCX, 20);
      guest.set(CpuState.RAX, 0x5A);
      guest.vcpu.tellMore(false);
      long before = guest.vcpu.guestNanos();
      for (int i = 0; i < 20; i++) {
        VmExit exit = guest.expect(ExitReason.IO_INSTRUCTION);
        assertThat(exit.port).isEqualTo(0x10);
        assertThat(exit.value).isEqualTo(0x5A);
        assertThat(exit.captured).isEqualTo(VmExit.VALUE);
        assertThat(guest.vcpu.guestNanos()).as("the clock of the exit").isGreaterThan(before);
        before = guest.vcpu.guestNanos();
        assertThat(guest.vcpu.guestNanos()).as("the same, asked again").isEqualTo(before);
      }
      guest.vcpu.setDeadline(before);
      guest.expect(ExitReason.PREEMPTION_TIMER);
      guest.vcpu.setDeadline(Long.MAX_VALUE);
      guest.expect(ExitReason.HLT);
    }
  }

  @Test
  void aLongModeLoopExitsOncePerOut() {
    // l: out 0x10, al; dec ecx; jnz l; hlt
    try (KvmGuest guest = KvmGuest.longMode(0xE6, 0x10, 0xFF, 0xC9, 0x75, 0xFA, 0xF4)) {
      guest.set(CpuState.RCX, 1000);
      for (int i = 0; i < 1000; i++) {
        guest.expect(ExitReason.IO_INSTRUCTION);
        assertThat(guest.exit.mode).isEqualTo(CpuMode.LONG);
      }
      guest.expect(ExitReason.HLT);
    }
  }

  @Test
  void memoryOutsideRamIsMmioInEverySize() {
    // RBX = 0xE0000000; mov [rbx], al/ax/eax/rax; mov al/ax/eax/rax, [rbx+8]; hlt
    int[] code = {
      0x88, 0x03, 0x66, 0x89, 0x03, 0x89, 0x03, 0x48, 0x89, 0x03, //
      0x8A, 0x43, 0x08, 0x66, 0x8B, 0x43, 0x08, 0x8B, 0x43, 0x08, 0x48, 0x8B, 0x43, 0x08, 0xF4
    };
    try (KvmGuest guest = KvmGuest.longMode(code)) {
      long mmio = 0xE000_0000L;
      guest.set(CpuState.RBX, mmio);
      guest.set(CpuState.RAX, 0x8877_6655_4433_2211L);
      long[] written = {0x11, 0x2211, 0x4433_2211L, 0x8877_6655_4433_2211L};
      VmExit exit = guest.exit;
      for (int i = 0; i < 4; i++) {
        guest.expect(ExitReason.MMIO);
        assertThat(exit.write).isTrue();
        assertThat(exit.size).isEqualTo(1 << i);
        assertThat(exit.gpa).isEqualTo(mmio);
        assertThat(exit.value).isEqualTo(written[i]);
        assertThat(exit.has(VmExit.GPA | VmExit.VALUE)).isTrue();
        assertThat(exit.has(VmExit.HPA)).isFalse();
      }
      long answer = 0x0102_0304_0506_0708L;
      for (int i = 0; i < 4; i++) {
        guest.expect(ExitReason.MMIO);
        assertThat(exit.write).isFalse();
        assertThat(exit.size).isEqualTo(1 << i);
        assertThat(exit.gpa).isEqualTo(mmio + 8);
        assertThat(exit.has(VmExit.VALUE)).isFalse();
        exit.value = answer;
      }
      guest.expect(ExitReason.HLT);
      assertThat(guest.get(CpuState.RAX)).isEqualTo(answer);
    }
  }

  @Test
  void stringOutputAndInputMoveEveryItem() {
    // cld; rep outsb; mov cl, 3; rep insw; hlt   with DX the port, SI and DI in low memory
    int[] code = {0xFC, 0xF3, 0x6E, 0xB1, 0x03, 0xF3, 0x6D, 0xF4};
    try (KvmGuest guest = KvmGuest.real(code)) {
      byte[] text = {'t', 'r', 'a', 'p'};
      guest.vm.memory().write(0x5000, text, 0, text.length);
      guest.set(CpuState.RDX, 0x99);
      guest.set(CpuState.RSI, 0x5000);
      guest.set(CpuState.RDI, 0x6000);
      guest.set(CpuState.RCX, text.length);
      VmExit exit = guest.exit;
      StringBuilder got = new StringBuilder();
      while (got.length() < text.length) {
        guest.expect(ExitReason.IO_INSTRUCTION);
        assertThat(exit.write).isTrue();
        assertThat(exit.size).isEqualTo(1);
        for (int i = 0; i < exit.count; i++) {
          got.append((char) (exit.count == 1 ? exit.value : exit.data[i]));
        }
      }
      assertThat(got).hasToString("trap");
      int items = 0;
      while (items < 3) {
        guest.expect(ExitReason.IO_INSTRUCTION);
        assertThat(exit.write).isFalse();
        assertThat(exit.size).isEqualTo(2);
        for (int i = 0; i < exit.count; i++, items++) {
          exit.value = 0x4100 + items;
          exit.data[2 * i] = (byte) items;
          exit.data[2 * i + 1] = 0x41;
        }
      }
      guest.expect(ExitReason.HLT);
      for (int i = 0; i < 3; i++) {
        assertThat(guest.vm.memory().readShort(0x6000 + 2 * i)).isEqualTo((short) (0x4100 + i));
      }
    }
  }

  @Test
  void anUnknownMsrIsTheLoopsToAnswer() {
    // mov ecx, 0x12345; rdmsr; wrmsr; hlt
    try (KvmGuest guest =
        KvmGuest.longMode(0xB9, 0x45, 0x23, 0x01, 0, 0x0F, 0x32, 0x0F, 0x30, 0xF4)) {
      assertThat(guest.vm.surfacedExits()).contains(ExitReason.RDMSR, ExitReason.WRMSR);
      guest.expect(ExitReason.RDMSR);
      assertThat(guest.exit.index).isEqualTo(0x12345);
      assertThat(guest.exit.answered).isFalse();
      guest.exit.value = 0xAAAA_BBBB_CCCC_DDDDL;
      guest.expect(ExitReason.WRMSR);
      assertThat(guest.exit.index).isEqualTo(0x12345);
      assertThat(guest.exit.value).isEqualTo(0xAAAA_BBBB_CCCC_DDDDL);
      guest.expect(ExitReason.HLT);
    }
  }

  @Test
  void anMsrThatTheLoopDoesNotKnowFaultsInTheGuest() {
    // mov ecx, 0x12345; rdmsr: #GP with an IDT of limit 0 becomes a triple fault
    try (KvmGuest guest = KvmGuest.longMode(0xB9, 0x45, 0x23, 0x01, 0, 0x0F, 0x32, 0xF4)) {
      CpuState state = new CpuState();
      guest.vcpu.readState(state);
      state.idtLimit = 0;
      guest.vcpu.writeState(state);
      guest.expect(ExitReason.RDMSR);
      guest.exit.fault = true;
      guest.expect(ExitReason.TRIPLE_FAULT);
    }
  }

  @Test
  void msrsThatKvmHoldsAreSeenAndAnsweredByIt() {
    // mov ecx, IA32_KERNEL_GS_BASE; mov eax, 0x5000; xor edx, edx; wrmsr; xor eax, eax; rdmsr; hlt
    int[] code = {
      0xB9, 0x02, 0x01, 0x00, 0xC0, 0xB8, 0x00, 0x50, 0, 0, 0x31, 0xD2, 0x0F, 0x30, //
      0x31, 0xC0, 0x0F, 0x32, 0xF4
    };
    try (KvmGuest guest = KvmGuest.longMode(code)) {
      guest.expect(ExitReason.WRMSR);
      assertThat(guest.exit.answered).isTrue();
      assertThat(guest.exit.fault).isFalse();
      guest.expect(ExitReason.RDMSR);
      assertThat(guest.exit.answered).isTrue();
      assertThat(guest.exit.value).isEqualTo(0x5000);
      guest.expect(ExitReason.HLT);
      assertThat(guest.get(CpuState.RAX)).isEqualTo(0x5000);
    }
  }

  @Test
  void anInterruptIsInjectedWhenTheGuestOpensItsWindow() {
    // sti; nop; l: jmp l     handler at 0x1100: mov al, 7; out 0x20, al; iret
    try (KvmGuest guest = KvmGuest.real(0xFB, 0x90, 0xEB, 0xFE)) {
      int[] handler = {0xB0, 0x07, 0xE6, 0x20, 0xCF};
      for (int i = 0; i < handler.length; i++) {
        guest.vm.memory().writeByte(0x1100 + i, (byte) handler[i]);
      }
      guest.vm.memory().writeInt(4 * 0x21, 0x1100);
      assertThat(guest.vcpu.interruptible()).isFalse();
      guest.vcpu.requestInterruptWindow(true);
      guest.expect(ExitReason.INTERRUPT_WINDOW);
      assertThat(guest.vcpu.interruptible()).isTrue();
      guest.vcpu.requestInterruptWindow(false);
      guest.vcpu.injectInterrupt(0x21);
      assertThat(guest.vcpu.interruptible()).isFalse();
      guest.expect(ExitReason.IO_INSTRUCTION);
      assertThat(guest.exit.port).isEqualTo(0x20);
      assertThat(guest.exit.value).isEqualTo(7);
    }
  }

  @Test
  void aHaltedGuestWakesByAnInterrupt() {
    // sti; hlt; out 0x30, al; hlt     handler at 0x1100: iret
    try (KvmGuest guest = KvmGuest.real(0xFB, 0xF4, 0xE6, 0x30, 0xF4)) {
      guest.vm.memory().writeByte(0x1100, (byte) 0xCF);
      guest.vm.memory().writeInt(4 * 0x20, 0x1100);
      guest.expect(ExitReason.HLT);
      assertThat(guest.vcpu.interruptible()).isTrue();
      long before = guest.vcpu.guestNanos();
      guest.vcpu.idleUntil(before + 2_000_000);
      assertThat(guest.vcpu.guestNanos()).isGreaterThanOrEqualTo(before + 2_000_000);
      guest.vcpu.injectInterrupt(0x20);
      guest.expect(ExitReason.IO_INSTRUCTION);
      assertThat(guest.exit.port).isEqualTo(0x30);
    }
  }

  @Test
  void anUnsupportedInstructionNamesItsBytesOrTheGuestFaults() {
    // ud2 with an IDT of limit 0 is a triple fault
    try (KvmGuest guest = KvmGuest.longMode(0x0F, 0x0B)) {
      CpuState state = new CpuState();
      guest.vcpu.readState(state);
      state.idtLimit = 0;
      guest.vcpu.writeState(state);
      guest.expect(ExitReason.TRIPLE_FAULT);
      assertThat(guest.exit.kvmReason).isEqualTo(KvmAbi.KVM_EXIT_SHUTDOWN);
    }
  }

  @Test
  void registersSurviveTheWayThereAndBack() {
    try (KvmGuest guest = KvmGuest.longMode(0xF4)) {
      CpuState set = new CpuState();
      guest.vcpu.readState(set);
      for (int i = 0; i < 16; i++) {
        set.gpr[i] = 0x1000_0000_0000_0000L + i;
      }
      set.cr2 = 0x1234_5000;
      set.gdtBase = 0x7000;
      set.gdtLimit = 0xFFFF;
      set.idtBase = 0x7800;
      set.idtLimit = 0xFFF;
      guest.vcpu.writeState(set);
      CpuState got = new CpuState();
      guest.vcpu.readState(got);
      assertThat(got).usingRecursiveComparison().isEqualTo(set);
    }
  }

  @Test
  void newRegistersAreNotSpoiltByAnUnfinishedRead() {
    // in al, 0x60; hlt; at 0x1010: hlt
    try (KvmGuest guest = KvmGuest.real(0xE4, 0x60, 0xF4)) {
      guest.vm.memory().writeByte(0x1010, (byte) 0xF4);
      guest.expect(ExitReason.IO_INSTRUCTION);
      CpuState state = new CpuState();
      guest.vcpu.readState(state);
      state.gpr[CpuState.RAX] = 0x55;
      state.rip = 0x1010;
      guest.vcpu.writeState(state);
      guest.expect(ExitReason.HLT);
      assertThat(guest.exit.rip).isEqualTo(0x1011);
      assertThat(guest.get(CpuState.RAX)).isEqualTo(0x55);
    }
  }
}
