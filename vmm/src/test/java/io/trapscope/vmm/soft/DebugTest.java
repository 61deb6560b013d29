package io.trapscope.vmm.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.VmExit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Single steps, breakpoints and the resume flag (SDM volume 3, chapter 18). */
class DebugTest {
  private static final int RF = 0x10000;

  /** mov rax,[rsp+16]; and eax,RF; add r9,rax; inc r8; iretq. */
  private static final String COUNTING = "488b442410 2500000100 4901c1 41ffc0 48cf";

  /** pushfq; and dword [rsp],~TF; popfq; hlt. */
  private static final String STOP_STEPPING = "9c 812424fffeffff 9d f4";

  /** A guest whose handler of #DB counts in R8, and in R9 how often RF was pushed. */
  private static SoftGuest counting(String code) {
    return SoftGuest.long64(code).load(0x4000, COUNTING).gate64(1, 0x4000, 0x8e, 0);
  }

  private static long pushedFlags(String code, int vector, int depth) {
    SoftGuest guest = SoftGuest.long64(code).load(0x4000, "f4").gate64(vector, 0x4000, 0xee, 0);
    guest.halt();
    return guest.memory.readLong(guest.reg(CpuState.RSP) + depth);
  }

  @Test
  void faultsPushTheResumeFlag() {
    assertThat(pushedFlags("0f0b", 6, 16) & RF).as("ud2").isEqualTo(RF);
    assertThat(pushedFlags("488b042500000040", 14, 24) & RF).as("#PF").isEqualTo(RF);
    assertThat(pushedFlags("cc", 3, 16) & RF).as("int3").isZero();
    assertThat(pushedFlags("cd40", 0x40, 16) & RF).as("int 0x40").isZero();
  }

  /** As kernels do: the handler sets RF in what IRET returns to, so that the guest gets on. */
  @Test
  @Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void theResumeFlagPassesABreakpointOnce() {
    // dr0 = the nop of: mov ebx,2; nop; dec ebx; jnz to the nop; hlt.
    SoftGuest guest =
        SoftGuest.long64("b815100000 0f23c0 b801040000 0f23f8 bb02000000 90 ffcb 75fb f4");
    // or r9,[rsp+16]; inc ecx; or dword [rsp+16],RF; iretq
    guest.load(0x4000, "4c0b4c2410 ffc1 814c241000000100 48cf").gate64(1, 0x4000, 0x8e, 0).halt();
    assertThat(guest.reg(CpuState.RCX)).as("each time round").isEqualTo(2);
    assertThat(guest.reg(9) & RF).as("pushed by the breakpoint itself").isZero();
  }

  @Test
  void loadingTheStackSegmentHoldsTrapsBack() {
    // mov eax,ss; pushfq; or dword [rsp],TF; popfq; mov ss,eax; nop; ...
    SoftGuest guest = counting("8cd0 9c 810c2400010000 9d 8ed0 90" + STOP_STEPPING).halt();
    assertThat(guest.reg(8)).as("nop, pushfq, and, popfq").isEqualTo(4);
  }

  @Test
  void anIntoThatDoesNotInterruptTraps() {
    // pushfd; or dword [esp],TF; popfd; into; nop; pushfd; and dword [esp],~TF; popfd; hlt
    SoftGuest guest = SoftGuest.protected32("9c 810c2400010000 9d ce 90 9c 812424fffeffff 9d f4");
    // Handler: inc ecx; iretd.
    guest.gate32(1, 0x4000, 0x8e).load(0x4000, "41 cf").halt();
    assertThat(guest.reg(CpuState.RCX)).as("into, nop, pushfd, and, popfd").isEqualTo(5);
  }

  @Test
  void aRepeatedInstructionTrapsAfterEachIteration() {
    // mov esi,0x5000; mov edi,0x5100; mov ecx,3; pushfq; or dword [rsp],TF; popfq; rep movsb; ...
    SoftGuest guest =
        counting("be00500000 bf00510000 b903000000 9c 810c2400010000 9d f3a4" + STOP_STEPPING)
            .halt();
    assertThat(guest.reg(8)).as("three iterations, pushfq, and, popfq").isEqualTo(6);
    assertThat(guest.reg(9)).as("between iterations it is to be resumed").isEqualTo(2 * RF);
  }

  @Test
  void aRepeatedOutputTrapsAfterEachItem() {
    // mov esi,0x5000; mov edx,0x80; mov ecx,2; pushfq; or dword [rsp],TF; popfq; rep outsb; ...
    SoftGuest guest =
        counting("be00500000 ba80000000 b902000000 9c 810c2400010000 9d f36e" + STOP_STEPPING);
    assertThat(guest.runTo(ExitReason.IO_INSTRUCTION).count).isEqualTo(1);
    assertThat(guest.runTo(ExitReason.IO_INSTRUCTION).count).isEqualTo(1);
    assertThat(guest.reg(8)).isEqualTo(1);
    guest.halt();
    assertThat(guest.reg(8)).isEqualTo(2 + 3);
  }

  @Test
  void breakpointsOnPortsNeedDebuggingExtensions() {
    // mov rax,cr4; or eax,DE; mov cr4,rax; dr0 = 0x80, I/O; in al,0x81; out 0x80,al; hlt
    String code = "b880000000 0f23c0 b801040200 0f23f8 e481 e680 f4";
    SoftGuest guest = SoftGuest.long64(VmxControls.DEFAULT, "0f20e0 83c808 0f22e0" + code);
    guest.runTo(ExitReason.CR_ACCESS);
    guest.runTo(ExitReason.IO_INSTRUCTION);
    guest.runTo(ExitReason.IO_INSTRUCTION);
    VmExit exit = guest.runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(1);
    assertThat(exit.qualification).isEqualTo(1);
    assertThat(exit.rip).as("after the instruction").isEqualTo(SoftGuest.CODE + 0x1d);

    SoftGuest without = SoftGuest.long64(VmxControls.DEFAULT, code);
    without.runTo(ExitReason.IO_INSTRUCTION);
    without.runTo(ExitReason.IO_INSTRUCTION);
    without.halt();
  }

  @Test
  void anInstructionThatFaultsHitsNoDataBreakpoint() {
    // dr0 = 0x5000, reads and writes, 4 bytes; div dword [0x5000], which is 0
    SoftGuest guest =
        SoftGuest.long64(
            VmxControls.DEFAULT, "b800500000 0f23c0 b801040f00 0f23f8 f7342500500000 f4");
    guest.load(0x4000, "90 f4").gate64(0, 0x4000, 0x8e, 0);
    assertThat(guest.runTo(ExitReason.EXCEPTION_OR_NMI).index).isZero();
    guest.halt();
  }

  @Test
  void generalDetectSaysSo() {
    // dr7 = GD; mov rax,dr0
    SoftGuest guest = SoftGuest.long64(VmxControls.DEFAULT, "b800240000 0f23f8 0f21c0");
    VmExit exit = guest.runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(1);
    assertThat(exit.qualification).isEqualTo(0x2000);
    assertThat(exit.rip).isEqualTo(SoftGuest.CODE + 8);
  }
}
