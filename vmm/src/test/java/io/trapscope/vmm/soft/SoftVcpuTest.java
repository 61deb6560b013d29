package io.trapscope.vmm.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.CpuMode;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.VmExit;
import org.junit.jupiter.api.Test;

/** The processor behind the seam: exits, their fields, and the exact counts. */
class SoftVcpuTest {

  @Test
  void helloInRealMode() {
    // mov dx,3f8; mov si,msg; lodsb; test al,al; jz +3; out dx,al; jmp -8; hlt; "Hi"
    SoftGuest guest = SoftGuest.real("baf803 be1010 ac 84c0 7403 ee ebf8 f4 90 486900");
    StringBuilder text = new StringBuilder();
    guest.runTo(ExitReason.IO_INSTRUCTION);
    while (guest.exit.reason == ExitReason.IO_INSTRUCTION) {
      assertThat(guest.exit.port).isEqualTo(0x3f8);
      assertThat(guest.exit.size).isEqualTo(1);
      assertThat(guest.exit.write).isTrue();
      assertThat(guest.exit.mode).isEqualTo(CpuMode.REAL);
      text.append((char) guest.exit.value);
      guest.run();
    }
    assertThat(guest.exit.reason).isEqualTo(ExitReason.HLT);
    assertThat(text).hasToString("Hi");
    // 2 moves, 2 times 5 instructions, lodsb, test, jz.
    assertThat(guest.vcpu.instructions()).isEqualTo(15);
  }

  @Test
  void sixtyFourBitArithmetic() {
    // mov rax,0x1122334455667788; mov rbx,rax; shl rbx,4; add rbx,rax; push rbx; pop rcx; hlt
    SoftGuest guest =
        SoftGuest.long64("48b88877665544332211 4889c3 48c1e304 4801c3 53 59 f4").halt();
    assertThat(guest.reg(CpuState.RCX)).isEqualTo(0x1122334455667788L * 17);
    assertThat(guest.reg(CpuState.RSP)).isEqualTo(SoftGuest.STACK);
    assertThat(guest.exit.instructions).isEqualTo(6);
    assertThat(guest.exit.mode).isEqualTo(CpuMode.LONG);
  }

  @Test
  void inTakesTheAnswer() {
    // in al,0x60; in eax,dx; hlt
    SoftGuest guest = SoftGuest.protected32("e460 ed f4");
    VmExit exit = guest.runTo(ExitReason.IO_INSTRUCTION);
    assertThat(exit.port).isEqualTo(0x60);
    assertThat(exit.write).isFalse();
    exit.value = 0xab;
    guest.runTo(ExitReason.IO_INSTRUCTION);
    assertThat(guest.reg(CpuState.RAX) & 0xff).isEqualTo(0xab);
    assertThat(exit.size).isEqualTo(4);
    exit.value = 0xffffffff80000001L;
    guest.halt();
    assertThat(guest.reg(CpuState.RAX)).isEqualTo(0x80000001L);
  }

  @Test
  void readModifyWriteOfDeviceMemoryIsTwoExits() {
    // mov rbx,0xe0000000; add dword [rbx],5; hlt
    SoftGuest guest = SoftGuest.long64("48bb000000e000000000 830305 f4");
    // The identity map ends at 1 GiB: give the page directory pointer an entry for 3 to 4 GiB.
    guest.memory.writeLong(SoftGuest.PDPT + 24, 0xc0000083L);
    guest.memory.writeLong(SoftGuest.PDPT + 24, 0xc0000083L);
    VmExit exit = guest.runTo(ExitReason.EPT_MISCONFIGURATION);
    assertThat(exit.write).isFalse();
    assertThat(exit.size).isEqualTo(4);
    assertThat(exit.gpa).isEqualTo(0xe0000000L);
    assertThat(exit.guestPageShift).isEqualTo(30);
    exit.value = 0x10;
    guest.runTo(ExitReason.EPT_MISCONFIGURATION);
    assertThat(exit.write).isTrue();
    assertThat(exit.value).isEqualTo(0x15);
    assertThat(exit.instructions).isEqualTo(1);
    guest.halt();
    assertThat(exit.instructions).isEqualTo(2);
  }

  @Test
  void firstTouchesAreEptViolations() {
    // mov [0x200010],rax; mov rax,[0x201000]; hlt
    SoftGuest guest = SoftGuest.long64("4889042510002000 488b042500102000 f4");
    guest.vcpu.run(guest.exit);
    // The first is the walk to the code: PML4.
    assertThat(guest.exit.reason).isEqualTo(ExitReason.EPT_VIOLATION);
    assertThat(guest.exit.gpa).isEqualTo(SoftGuest.PML4 & -4096L);
    assertThat(guest.exit.qualification).isEqualTo(0x83);
    assertThat(guest.exit.gva).isEqualTo(SoftGuest.CODE);
    guest.vm.resolveEptViolation(guest.exit);
    assertThat(guest.exit.firstTouch).isTrue();
    guest.halt();
    assertThat(guest.violations)
        .containsExactly(SoftGuest.PDPT, SoftGuest.PD, SoftGuest.CODE, 0x200010L, 0x201000L);
  }

  @Test
  void deadlineIsExactToTheInstruction() {
    // A block of 20 INCs and a jump back.
    SoftGuest guest = SoftGuest.protected32("40".repeat(20) + "ebea");
    for (long deadline : new long[] {1, 2, 19, 20, 21, 22, 43, 1000, 12345}) {
      guest.vcpu.setDeadline(deadline);
      guest.runTo(ExitReason.PREEMPTION_TIMER);
      assertThat(guest.vcpu.instructions()).isEqualTo(deadline);
      assertThat(guest.vcpu.guestNanos()).isEqualTo(deadline);
      assertThat(guest.reg(CpuState.RAX)).isEqualTo(deadline - (deadline / 21));
    }
  }

  @Test
  void storeIntoTheNextInstructionTakesEffect() {
    // mov byte [rip+1], 0x41 (the immediate of the next); mov al,0; hlt
    SoftGuest guest = SoftGuest.long64("c6050100000041 b000 f4").halt();
    assertThat(guest.reg(CpuState.RAX) & 0xff).isEqualTo(0x41);
    assertThat(guest.exit.instructions).isEqualTo(2);
  }

  @Test
  void interruptIsDeliveredAfterTheShadowOfSti() {
    // sti; inc eax; inc eax; hlt
    SoftGuest guest = SoftGuest.protected32("fb 40 40 f4");
    guest.memory.writeLong(SoftGuest.IDT + 0x20 * 8, 0x00008e0000082000L);
    guest.load(0x2000, "bb78563412 cf");
    guest.vcpu.requestInterruptWindow(true);
    assertThat(guest.vcpu.interruptible()).isFalse();
    guest.runTo(ExitReason.INTERRUPT_WINDOW);
    assertThat(guest.reg(CpuState.RAX)).isEqualTo(1);
    assertThat(guest.vcpu.interruptible()).isTrue();
    guest.vcpu.requestInterruptWindow(false);
    guest.vcpu.injectInterrupt(0x20);
    guest.halt();
    assertThat(guest.reg(CpuState.RBX)).isEqualTo(0x12345678);
    assertThat(guest.reg(CpuState.RAX)).isEqualTo(2);
    assertThat(guest.vcpu.instructions()).isEqualTo(5);
    assertThat(guest.vcpu.interruptible()).isTrue();
  }

  @Test
  void faultWithoutHandlerIsATripleFault() {
    SoftGuest guest = SoftGuest.protected32("0f0b");
    guest.state.idtLimit = 0;
    guest.set();
    guest.runTo(ExitReason.TRIPLE_FAULT);
    assertThat(guest.exit.rip).isEqualTo(SoftGuest.CODE);
    guest.runTo(ExitReason.TRIPLE_FAULT);
  }

  @Test
  void exceptionExitsBeforeItIsDelivered() {
    SoftGuest guest = new SoftGuest(VmxControls.DEFAULT);
    guest.load(0x1000, "31c9 f7f1 f4").load(0x500, "0000");
    guest.state.rip = 0x1000;
    guest.state.segments[CpuState.CS].set(0, 0, 0xffff, SoftGuest.CODE16);
    guest.state.gpr[CpuState.RSP] = 0x8000;
    guest.set();
    guest.memory.writeInt(0, 0x00003000);
    guest.load(0x3000, "f4");
    VmExit exit = guest.runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isZero();
    assertThat(exit.hasErrorCode).isFalse();
    assertThat(exit.rip).isEqualTo(0x1002);
    guest.halt();
    assertThat(guest.exit.rip).isEqualTo(0x3000);
    assertThat(guest.memory.readShort(0x7ffa)).isEqualTo((short) 0x1002);
  }
}
