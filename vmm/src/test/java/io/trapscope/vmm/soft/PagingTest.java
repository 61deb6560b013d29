package io.trapscope.vmm.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.VmExit;
import org.junit.jupiter.api.Test;

/** Page walks of all formats, their faults and error codes, and the bits they set. */
class PagingTest {
  /** mov rax,[rbx]; hlt. */
  private static final String READ = "488b03 f4";

  /** mov [rbx],rax; hlt. */
  private static final String WRITE = "488903 f4";

  /** jmp rbx. */
  private static final String JUMP = "ffe3";

  /** iretq to 23:3000, stack 1b:70000. */
  private static final String TO_USER = "6a1b 6800000700 9c 6a23 6800300000 48cf";

  private static final long PT = 0x96000;

  /** A linear address of its own 4 KiB page table: 1 GiB below the end of what PD maps. */
  private static final long AT = 0x200000L * 3 + 0x5000;

  /** Maps AT with this leaf entry. */
  private static SoftGuest mapped(String code, long leaf) {
    SoftGuest guest = SoftGuest.long64(VmxControls.DEFAULT, code);
    guest.memory.writeLong(SoftGuest.PD + 8 * 3, PT | 7);
    guest.memory.writeLong(PT + 8 * 5, leaf);
    guest.state.gpr[CpuState.RBX] = AT + 0x10;
    return guest.set();
  }

  private static void expectFault(SoftGuest guest, int error) {
    VmExit exit = guest.runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(14);
    assertThat(exit.hasErrorCode).isTrue();
    assertThat(exit.errorCode).isEqualTo(error);
    assertThat(exit.qualification).isEqualTo(AT + 0x10);
    assertThat(guest.state.cr2).isEqualTo(AT + 0x10);
  }

  @Test
  void notPresent() {
    expectFault(mapped(READ, 0), 0);
    expectFault(mapped(WRITE, 0), 2);
    expectFault(mapped(JUMP, 0), 0);
  }

  @Test
  void noExecute() {
    SoftGuest guest = mapped(JUMP, 0x8000_0000_0000_0000L | 0x300000 | 7);
    guest.state.efer |= 0x800;
    expectFault(guest.set(), 0x11);
    // Without EFER.NXE the bit is reserved.
    expectFault(mapped(JUMP, 0x8000_0000_0000_0000L | 0x300000 | 7), 9);
  }

  @Test
  void reservedAddressBit() {
    expectFault(mapped(READ, 1L << 45 | 7), 9);
  }

  @Test
  void writeProtection() {
    SoftGuest guest = mapped(WRITE, 0x300000 | 5);
    expectFault(guest, 3);
    guest = mapped(WRITE, 0x300000 | 5);
    guest.state.cr0 &= ~0x10000L;
    guest.set().halt();
    assertThat(guest.memory.readLong(PT + 8 * 5)).isEqualTo(0x300000 | 0x65);
  }

  @Test
  void accessedAndDirtyBits() {
    SoftGuest guest = mapped(READ, 0x300000 | 7).halt();
    assertThat(guest.memory.readLong(PT + 8 * 5)).isEqualTo(0x300000 | 0x27);
    assertThat(guest.memory.readLong(SoftGuest.PD + 8 * 3)).isEqualTo(PT | 0x27);
    guest = mapped(WRITE, 0x300000 | 7).halt();
    assertThat(guest.memory.readLong(PT + 8 * 5)).isEqualTo(0x300000 | 0x67);
    assertThat(guest.memory.readLong(SoftGuest.PD + 8 * 3)).isEqualTo(PT | 0x27);
  }

  @Test
  void userAccessToSupervisorPage() {
    SoftGuest guest = mapped(TO_USER, 0x300000 | 3).load(0x3000, READ);
    expectFault(guest, 5);
    assertThat(guest.exit.cpl).isEqualTo(3);
    guest = mapped(TO_USER, 0x300000 | 3).load(0x3000, WRITE);
    expectFault(guest, 7);
  }

  /** With CR0.AM and RFLAGS.AC, at CPL 3 only. */
  @Test
  void alignmentIsChecked() {
    // mov eax,[rsp-4]; mov eax,[rsp-7]
    String accesses = "8b4424fc 8b4424f9";
    SoftGuest guest = SoftGuest.long64(VmxControls.DEFAULT, accesses + TO_USER);
    guest.load(0x3000, accesses);
    guest.state.cr0 |= 1 << 18;
    guest.state.rflags |= 1 << 18;
    VmExit exit = guest.set().runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(17);
    assertThat(exit.hasErrorCode).isTrue();
    assertThat(exit.errorCode).isZero();
    assertThat(exit.rip).isEqualTo(0x3004);
  }

  @Test
  void smepAndSmap() {
    SoftGuest guest = mapped(JUMP, 0x300000 | 7);
    guest.state.cr4 |= 1 << 20;
    guest.memory.writeLong(SoftGuest.PD, 0x83);
    expectFault(guest.set(), 0x11);
    // stac; mov rax,[rbx]; clac; mov rcx,[rbx]: the first is allowed, the second is not.
    guest = mapped("0f01cb 488b03 0f01ca 488b0b f4", 0x300000 | 7);
    guest.state.cr4 |= 1 << 21;
    guest.memory.writeLong(SoftGuest.PD, 0x83);
    guest.memory.writeLong(0x300010, 77);
    expectFault(guest.set(), 1);
    assertThat(guest.reg(CpuState.RAX)).isEqualTo(77);
    assertThat(guest.exit.rip).isEqualTo(SoftGuest.CODE + 9);
  }

  @Test
  void nonCanonicalAddresses() {
    SoftGuest guest = mapped(READ, 0);
    guest.state.gpr[CpuState.RBX] = 0x8000_0000_0000L;
    VmExit exit = guest.set().runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(13);
    assertThat(exit.errorCode).isZero();
    // push rax with a bad RSP: #SS.
    guest = mapped("50 f4", 0);
    guest.state.gpr[CpuState.RSP] = 0x8000_0000_0008L;
    assertThat(guest.set().runTo(ExitReason.EXCEPTION_OR_NMI).index).isEqualTo(12);
  }

  @Test
  void legacyPagingWithLargePages() {
    // mov eax,[0x500000]; mov [0x801000],eax; hlt
    SoftGuest guest = SoftGuest.protected32(VmxControls.DEFAULT, "a100005000 a300108000 f4");
    long directory = 0x10000;
    long table = 0x11000;
    guest.memory.writeInt(directory, 0x83);
    guest.memory.writeInt(directory + 4, 0x400083);
    guest.memory.writeInt(directory + 8, (int) table | 3);
    guest.memory.writeInt(table + 4, 0x20003);
    guest.memory.writeInt(0x500000, 0x12345678);
    guest.state.cr0 |= 0x80000000L;
    guest.state.cr3 = directory;
    guest.state.cr4 = 0x10;
    guest.set().halt();
    assertThat(guest.memory.readInt(0x20000)).isEqualTo(0x12345678);
    assertThat(guest.memory.readInt(table + 4)).isEqualTo(0x20063);
    assertThat(guest.memory.readInt(directory + 4)).isEqualTo(0x4000a3);
  }

  @Test
  void paePaging() {
    SoftGuest guest = SoftGuest.protected32(VmxControls.DEFAULT, "a100004000 a300106000 f4");
    long pointers = 0x10000;
    long directory = 0x11000;
    long table = 0x12000;
    guest.memory.writeLong(pointers, directory | 1);
    guest.memory.writeLong(directory, 0x83);
    guest.memory.writeLong(directory + 16, 0x400083);
    guest.memory.writeLong(directory + 24, table | 3);
    guest.memory.writeLong(table + 8, 0x20003);
    guest.memory.writeInt(0x400000, 0xabcdef);
    guest.state.cr0 |= 0x80000000L;
    guest.state.cr3 = pointers;
    guest.state.cr4 = 0x20;
    guest.set().halt();
    assertThat(guest.memory.readInt(0x20000)).isEqualTo(0xabcdef);
  }

  @Test
  void globalPagesSurviveCr3ButNotInvlpg() {
    // mov rax,[rbx]; (page table entry cleared by the test at the HLT); then cr3 := cr3 and again
    SoftGuest guest =
        SoftGuest.long64(VmxControls.DEFAULT, "488b03 f4 0f20d9 0f22d9 488b03 f4 0f013b 488b03 f4");
    guest.memory.writeLong(SoftGuest.PD + 8 * 3, PT | 7);
    guest.memory.writeLong(PT + 8 * 5, 0x300000 | 0x107);
    guest.memory.writeLong(0x300010, 5);
    guest.state.cr4 |= 0x80;
    guest.state.gpr[CpuState.RBX] = AT + 0x10;
    guest.set().halt();
    guest.memory.writeLong(PT + 8 * 5, 0);
    guest.halt();
    assertThat(guest.reg(CpuState.RAX)).isEqualTo(5);
    expectFault(guest, 0);
  }
}
