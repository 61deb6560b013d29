package io.trapscope.vmm.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.CpuMode;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.VmExit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Interrupts, exceptions and privilege changes. */
class EventsTest {
  private static final String TO_USER = "6a1b 6800000700 9c 6a23 6800300000 48cf";

  /** TSS with RSP0 and IST1. */
  private static SoftGuest withTss(SoftGuest guest) {
    guest.memory.writeLong(SoftGuest.TSS + 4, 0x60000);
    guest.memory.writeLong(SoftGuest.TSS + 36, 0x61000);
    return guest;
  }

  @Test
  void interruptFromUserModeSwitchesStacks() {
    // Ring 3: int 0x40. Handler: hlt.
    SoftGuest guest = withTss(SoftGuest.long64(TO_USER)).load(0x3000, "cd40").load(0x4000, "f4");
    guest.gate64(0x40, 0x4000, 0xee, 0).halt();
    assertThat(guest.exit.cpl).isZero();
    assertThat(guest.reg(CpuState.RSP)).isEqualTo(0x60000 - 40);
    assertThat(guest.memory.readLong(0x60000 - 8)).isEqualTo(0x1b);
    assertThat(guest.memory.readLong(0x60000 - 16)).isEqualTo(0x70000);
    assertThat(guest.memory.readLong(0x60000 - 32)).isEqualTo(0x23);
    assertThat(guest.memory.readLong(0x60000 - 40)).isEqualTo(0x3002);
    assertThat(guest.state.segments[CpuState.SS].selector).isZero();
  }

  /**
   * Boot code may have its stack where its code is: what is pushed replaces decoded instructions.
   */
  @Test
  @Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void anExceptionMayBePushedOntoTheCodeThatRaisedIt() {
    // Six nops and ud2 are one block; the handler of #UD returns to where two of the nops were.
    SoftGuest guest = SoftGuest.real("90 90 90 90 90 90 0f0b").load(0x4000, "f4");
    guest.memory.writeInt(6 * 4, 0x4000);
    guest.state.gpr[CpuState.RSP] = SoftGuest.CODE + 6;
    guest.set().halt();
    assertThat(guest.exit.rip).isEqualTo(0x4000);
    assertThat(guest.reg(CpuState.RSP)).isEqualTo(SoftGuest.CODE);
    assertThat(guest.memory.readShort(SoftGuest.CODE)).isEqualTo((short) (SoftGuest.CODE + 6));
    assertThat(guest.memory.readShort(SoftGuest.CODE + 2)).as("CS").isZero();
  }

  @Test
  void softwareInterruptNeedsTheGatesPrivilege() {
    SoftGuest guest = withTss(SoftGuest.long64(VmxControls.DEFAULT, TO_USER)).load(0x3000, "cd40");
    guest.gate64(0x40, 0x4000, 0x8e, 0);
    VmExit exit = guest.runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(13);
    assertThat(exit.errorCode).isEqualTo(0x40 * 8 + 2);
    assertThat(exit.rip).isEqualTo(0x3000);
  }

  @Test
  void interruptStackTableIsUsedAndStackAligned() {
    SoftGuest guest = withTss(SoftGuest.long64("cd40 f4")).load(0x4000, "f4");
    guest.state.gpr[CpuState.RSP] = 0x7fff3;
    guest.set();
    guest.gate64(0x40, 0x4000, 0x8e, 1).halt();
    assertThat(guest.reg(CpuState.RSP)).isEqualTo(0x61000 - 40);
    assertThat(guest.memory.readLong(0x61000 - 16)).isEqualTo(0x7fff3);
  }

  @Test
  void faultWhileDeliveringAPageFaultIsADoubleFault() {
    // mov rax,[rbx] at an unmapped address; the #PF handler's IST stack is unmapped too.
    SoftGuest guest = withTss(SoftGuest.long64(VmxControls.DEFAULT, "488b03 f4"));
    guest.state.gpr[CpuState.RBX] = 0x4000_0000;
    guest.set();
    guest.memory.writeLong(SoftGuest.TSS + 36, 0x5000_0000);
    guest.gate64(14, 0x4000, 0x8e, 1).gate64(8, 0x4100, 0x8e, 0).load(0x4100, "f4");
    assertThat(guest.runTo(ExitReason.EXCEPTION_OR_NMI).index).isEqualTo(14);
    VmExit exit = guest.runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(8);
    assertThat(exit.errorCode).isZero();
    guest.halt();
    assertThat(exit.rip).isEqualTo(0x4100);
    assertThat(guest.memory.readLong(guest.reg(CpuState.RSP) + 8)).isEqualTo(SoftGuest.CODE);
  }

  @Test
  void faultWhileDeliveringADoubleFaultIsATripleFault() {
    SoftGuest guest = withTss(SoftGuest.long64("488b03 f4"));
    guest.state.gpr[CpuState.RBX] = 0x4000_0000;
    guest.set();
    guest.memory.writeLong(SoftGuest.TSS + 36, 0x5000_0000);
    guest.gate64(14, 0x4000, 0x8e, 1).gate64(8, 0x4100, 0x8e, 1);
    guest.runTo(ExitReason.TRIPLE_FAULT);
  }

  /** UD2 whose handler is UD2, with a stack of its own each time: nothing retires ever again. */
  private static SoftGuest storm(VmxControls controls) {
    SoftGuest guest = withTss(SoftGuest.long64(controls, "90 90 0f0b")).load(0x4000, "0f0b");
    return guest.gate64(6, 0x4000, 0x8e, 1);
  }

  @Test
  @Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void exceptionsWithoutAnInstructionBetweenThemTakeTime() {
    SoftGuest guest = storm(SoftGuest.QUIET);
    guest.vcpu.setDeadline(50_500);
    guest.runTo(ExitReason.PREEMPTION_TIMER);
    assertThat(guest.vcpu.instructions()).isEqualTo(2);
    assertThat(guest.vcpu.guestNanos()).as("two instructions, 51 deliveries").isEqualTo(51_002);
    assertThat(guest.exit.rip).isEqualTo(0x4000);

    guest.vcpu.setDeadline(60_000);
    guest.runTo(ExitReason.PREEMPTION_TIMER);
    assertThat(guest.vcpu.guestNanos()).isEqualTo(60_002);
  }

  @Test
  void aThousandExceptionsInARowTakeNone() {
    SoftGuest guest = storm(VmxControls.DEFAULT);
    for (int i = 0; i <= 1000; i++) {
      assertThat(guest.runTo(ExitReason.EXCEPTION_OR_NMI).index).isEqualTo(6);
      assertThat(guest.vcpu.guestNanos()).as("after %d deliveries", i).isEqualTo(2);
    }
    guest.runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(guest.vcpu.guestNanos()).isEqualTo(1_002);
  }

  @Test
  void exceptionsWithInstructionsBetweenThemTakeNone() {
    // 3,000 times: ud2, whose handler skips it and returns; then hlt.
    SoftGuest guest = withTss(SoftGuest.long64("b9b80b0000 0f0b ffc9 75fa f4"));
    guest.load(0x4000, "4883042402 48cf").gate64(6, 0x4000, 0x8e, 1).halt();
    assertThat(guest.vcpu.guestNanos()).isEqualTo(guest.vcpu.instructions());
    assertThat(guest.vcpu.instructions()).isEqualTo(1 + 3000 * 4);
  }

  @Test
  void aHandlerThatIsNotCanonicalFaultsAtTheInstruction() {
    SoftGuest guest = SoftGuest.long64(VmxControls.DEFAULT, "90 cd40");
    guest.gate64(0x40, 0x1_8000_0000_0000L, 0x8e, 0);
    VmExit exit = guest.runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(13);
    assertThat(exit.errorCode).isZero();
    assertThat(exit.rip).isEqualTo(SoftGuest.CODE + 1);
    assertThat(guest.reg(CpuState.RSP)).isEqualTo(SoftGuest.STACK);
  }

  @Test
  void aHandlerBeyondItsSegmentFaultsAtTheInstruction() {
    SoftGuest guest = SoftGuest.protected32(VmxControls.DEFAULT, "90 cd40");
    // Code from 0 on, 64 KiB.
    guest.memory.writeLong(SoftGuest.GDT + 8, 0x00409b000000ffffL);
    guest.gate32(0x40, 0x10000, 0x8e);
    VmExit exit = guest.runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(13);
    assertThat(exit.rip).isEqualTo(SoftGuest.CODE + 1);
  }

  @Test
  void whatIsPushedMustFitTheStackSegment() {
    SoftGuest guest = SoftGuest.protected32(VmxControls.DEFAULT, "cd40");
    guest.gate32(0x40, 0x4000, 0x8e).load(0x4000, "f4");
    // Expand-down: from 0x6000 on. Two of the three items fit.
    guest.state.segments[CpuState.SS].set(0x10, 0, 0x5fff, 0xc097);
    guest.state.gpr[CpuState.RSP] = 0x6008;
    VmExit exit = guest.set().runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(12);
    assertThat(exit.errorCode).isZero();
    assertThat(exit.rip).isEqualTo(SoftGuest.CODE);
  }

  /** The same bytes are another instruction's, or none's, where the code segment ends elsewhere. */
  @Test
  void theLimitOfTheCodeSegmentIsLookedAtAnew() {
    SoftGuest guest = SoftGuest.protected32(VmxControls.DEFAULT, "90 f4");
    guest.state.segments[CpuState.CS].limit = (int) SoftGuest.CODE;
    guest.set();
    assertThat(guest.runTo(ExitReason.EXCEPTION_OR_NMI).index).isEqualTo(13);
    assertThat(guest.exit.rip).isEqualTo(SoftGuest.CODE + 1);
    guest.state.segments[CpuState.CS].limit = -1;
    guest.state.rip = SoftGuest.CODE + 1;
    guest.set().halt();
    guest.state.segments[CpuState.CS].limit = (int) SoftGuest.CODE;
    guest.state.rip = SoftGuest.CODE + 1;
    guest.set();
    assertThat(guest.runTo(ExitReason.EXCEPTION_OR_NMI).index).isEqualTo(13);
  }

  @Test
  void aCallGateMustLeadIntoItsSegment() {
    // call 40:0, a gate to 8:4000.
    SoftGuest guest = SoftGuest.protected32(VmxControls.DEFAULT, "9a000000004000");
    guest.memory.writeLong(SoftGuest.GDT + 8, 0x00409b0000003fffL);
    VmExit exit = guest.runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(13);
    assertThat(exit.errorCode).isZero();
    assertThat(exit.rip).isEqualTo(SoftGuest.CODE);
  }

  /** Of two things wrong the stack comes first. */
  @Test
  void aFarReturnChecksTheStackBeforeTheTarget() {
    // push 0x23, which is no stack; push esp; push 0x33; push 0x10000; retf. Code ends at 64 KiB.
    SoftGuest guest = SoftGuest.protected32(VmxControls.DEFAULT, "6a23 54 6a33 6800000100 cb");
    guest.memory.writeLong(SoftGuest.GDT + 0x30, 0x0040fb000000ffffL);
    VmExit exit = guest.runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(13);
    assertThat(exit.errorCode).isEqualTo(0x20);
  }

  @Test
  void iretAtTheInnermostLevelSetsVirtualInterruptFlags() {
    // push VIP + VIF + 2; push 8; push the next; iretd; pushfd; pop eax; hlt
    SoftGuest guest = SoftGuest.protected32("6802001800 6a08 680d100000 cf 9c 58 f4").halt();
    assertThat(guest.reg(CpuState.RAX)).isEqualTo(0x180002);
  }

  @Test
  void aLongModeCallGateHasTwoHalves() {
    // lcall [0x5000], to 40:0, whose gate leads to 8:4000.
    SoftGuest guest = SoftGuest.long64(VmxControls.DEFAULT, "ff1c2500500000");
    guest.load(0x4000, "f4").memory.writeLong(0x5000, 0x40L << 32);
    VmExit exit = guest.runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).as("the table ends in the middle").isEqualTo(13);
    assertThat(exit.errorCode).isEqualTo(0x40);
    guest.state.gdtLimit = 0x4f;
    guest.memory.writeLong(SoftGuest.GDT + 0x48, 0x0000_0c00_0000_0000L);
    assertThat(guest.set().runTo(ExitReason.EXCEPTION_OR_NMI).index).as("a type").isEqualTo(13);
    assertThat(exit.errorCode).isEqualTo(0x40);
    guest.memory.writeLong(SoftGuest.GDT + 0x48, 0);
    guest.set().halt();
    assertThat(exit.rip).isEqualTo(0x4000);
  }

  @Test
  void compatibilityModeHasThirtyTwoBitsOfRip() {
    // iretq to 33:100003000, where ud2 is at 3000.
    SoftGuest guest =
        withTss(
            SoftGuest.long64(
                VmxControls.DEFAULT, "6a3b 6800000700 9c 6a33 48b80030000001000000 50 48cf"));
    VmExit exit = guest.load(0x3000, "0f0b").runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(6);
    assertThat(exit.rip).isEqualTo(0x3000);
  }

  /** CPUID says Intel, whose compatibility mode has SYSENTER only. */
  @Test
  void syscallIsForSixtyFourBitCode() {
    SoftGuest guest =
        withTss(SoftGuest.long64(VmxControls.DEFAULT, "6a3b 6800000700 9c 6a33 6800300000 48cf"));
    guest.load(0x3000, "0f05");
    guest.state.efer |= 1;
    VmExit exit = guest.set().runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(6);
    assertThat(exit.rip).isEqualTo(0x3000);
  }

  @Test
  void nmiWaitsForIret() {
    // nop; nop; hlt. Handler: inc rax; hlt; iretq.
    SoftGuest guest = SoftGuest.long64("90 90 f4").load(0x4000, "48ffc0 f4 48cf");
    guest.gate64(2, 0x4000, 0x8e, 0);
    guest.vcpu.injectNmi();
    guest.halt();
    assertThat(guest.reg(CpuState.RAX)).isEqualTo(1);
    guest.vcpu.injectNmi();
    guest.halt();
    assertThat(guest.exit.rip).isEqualTo(0x4003);
    assertThat(guest.reg(CpuState.RAX)).isEqualTo(2);
    guest.halt();
    assertThat(guest.exit.rip).isEqualTo(0x1002);
  }

  @Test
  void singleStepTrapsAfterEachInstruction() {
    // pushfd; or [esp],TF; popfd; inc eax; inc eax; pushfd; and [esp],~TF; popfd; inc eax; hlt
    SoftGuest guest =
        SoftGuest.protected32("9c 810c2400010000 9d 40 40 9c 812424fffeffff 9d 40 f4");
    // Handler: inc ecx; iretd.
    guest.gate32(1, 0x4000, 0x8e).load(0x4000, "41 cf").halt();
    // After inc, inc, pushfd, and, popfd.
    assertThat(guest.reg(CpuState.RCX)).isEqualTo(5);
    assertThat(guest.reg(CpuState.RAX)).isEqualTo(3);
  }

  @Test
  void dataBreakpointTrapsAfterTheStore() {
    // dr0 = 0x5000, 4 bytes, writes; mov [0x4ffc],1; mov [0x5000],2; nop; hlt
    SoftGuest guest =
        SoftGuest.long64(
            VmxControls.DEFAULT,
            "b800500000 0f23c0 b801000d00 0f23f8 c70425fc4f000001000000 c7042500500000"
                + "02000000 90 f4");
    VmExit exit = guest.runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(1);
    assertThat(exit.qualification).isEqualTo(1);
    assertThat(exit.rip).isEqualTo(SoftGuest.CODE + 16 + 22);
    assertThat(guest.memory.readInt(0x5000)).isEqualTo(2);
  }

  @Test
  void callGateFromRing3AndBack() {
    // retf to 33:3000. Ring 3: push 0x1234; call 40:0; mov edx,cs; int 0x30.
    SoftGuest guest = SoftGuest.protected32("6a3b 6800000700 6a33 6800300000 cb");
    guest.load(0x3000, "6834120000 9a000000004000 8cca cd30");
    // Gate: mov eax,[esp+8]; mov ebx,cs; mov ecx,ss; retf 4.
    guest.load(0x4000, "8b442408 8ccb 8cd1 ca0400").load(0x5000, "f4");
    guest.gate32(0x30, 0x5000, 0xee);
    guest.memory.writeInt(SoftGuest.TSS + 4, 0x60000);
    guest.memory.writeInt(SoftGuest.TSS + 8, 0x10);
    guest.halt();
    assertThat(guest.reg(CpuState.RAX)).isEqualTo(0x1234);
    assertThat(guest.reg(CpuState.RBX)).isEqualTo(8);
    assertThat(guest.reg(CpuState.RCX)).isEqualTo(0x10);
    assertThat(guest.reg(CpuState.RDX)).isEqualTo(0x33);
    // The interrupted ESP: the parameter is gone.
    assertThat(guest.memory.readInt(0x60000 - 8)).isEqualTo(0x70000);
  }

  @Test
  void virtual8086ModeAndOut() {
    // iretd to V86 at 300:10; there: mov ax,ds; mov bx,[0], which is the code at 0x1000; int 0x30,
    // a #GP with IOPL 0.
    SoftGuest guest =
        SoftGuest.protected32(
            "6a00 6a00 6800010000 6800020000 6800030000 6800800000 6802000200 6800030000 6a10 cf");
    guest.load(0x3010, "8cd8 8b1e0000 cd30");
    guest.gate32(13, 0x5000, 0x8e).load(0x5000, "f4");
    guest.memory.writeInt(SoftGuest.TSS + 4, 0x60000);
    guest.memory.writeInt(SoftGuest.TSS + 8, 0x10);
    guest.halt();
    assertThat(guest.reg(CpuState.RAX) & 0xffff).isEqualTo(0x100);
    assertThat(guest.reg(CpuState.RBX) & 0xffff).isEqualTo(0x006a);
    assertThat(guest.exit.mode).isEqualTo(CpuMode.PROTECTED_32);
    // GS, FS, DS, ES, SS, ESP, EFLAGS, CS, EIP, error code.
    assertThat(guest.reg(CpuState.RSP)).isEqualTo(0x60000 - 40);
    assertThat(guest.memory.readInt(0x60000 - 12)).isEqualTo(0x100);
    assertThat(guest.memory.readInt(0x60000 - 20)).isEqualTo(0x300);
    assertThat(guest.memory.readInt(0x60000 - 28)).as("VM and RF").isEqualTo(0x30002);
    assertThat(guest.memory.readInt(0x60000 - 36)).isEqualTo(0x16);
  }
}
