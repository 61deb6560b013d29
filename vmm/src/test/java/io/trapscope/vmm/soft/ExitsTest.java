package io.trapscope.vmm.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.VmExit;
import org.junit.jupiter.api.Test;

/** What each exit carries, how it is completed, and where string instructions stop. */
class ExitsTest {

  @Test
  void cpuidMsrsAndAnUnknownOne() {
    // cpuid 1.0; rdmsr 1b; rdmsr efer; wrmsr 999; hlt
    SoftGuest guest =
        SoftGuest.long64(
            VmxControls.DEFAULT,
            "b801000000 31c9 0fa2 b91b000000 0f32 b9800000c0 0f32 b999090000 0f30 f4");
    VmExit exit = guest.runTo(ExitReason.CPUID);
    assertThat(exit.leaf).isEqualTo(1);
    assertThat(exit.subleaf).isZero();
    exit.result[0] = 0x11;
    exit.result[1] = -1;
    exit.result[3] = 0x44;
    guest.runTo(ExitReason.RDMSR);
    assertThat(guest.reg(CpuState.RAX)).isEqualTo(0x11);
    assertThat(guest.reg(CpuState.RBX)).isEqualTo(0xffffffffL);
    assertThat(exit.index).isEqualTo(0x1b);
    assertThat(exit.answered).isFalse();
    exit.value = 0x1_fee00900L;
    guest.runTo(ExitReason.RDMSR);
    assertThat(guest.reg(CpuState.RAX)).isEqualTo(0xfee00900L);
    assertThat(guest.reg(CpuState.RDX)).isEqualTo(1);
    assertThat(exit.answered).isTrue();
    assertThat(exit.value).isEqualTo(0x500);
    guest.runTo(ExitReason.WRMSR);
    exit.fault = true;
    guest.runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(13);
    assertThat(exit.instructions).isEqualTo(8);
  }

  @Test
  void controlRegisterAccesses() {
    // mov rax,cr0; xor rax,0x20; mov cr0,rax; mov rbx,cr0; clts; hlt
    SoftGuest guest = SoftGuest.long64("0f20c0 4883f020 0f22c0 0f20c3 0f06 f4");
    VmExit exit = guest.runTo(ExitReason.CR_ACCESS);
    assertThat(exit.index).isZero();
    assertThat(exit.qualification).isZero();
    assertThat(exit.value).isEqualTo(0x80010013L);
    assertThat(guest.state.cr0).isEqualTo(0x80010033L);
    guest.runTo(ExitReason.CR_ACCESS);
    assertThat(guest.reg(CpuState.RBX)).isEqualTo(0x80010013L);
    assertThat(exit.qualification).isEqualTo(0x20);
    guest.halt();
  }

  @Test
  void registersRefuseReservedBits() {
    // WRMSR of IA32_PAT, an entry of type 2; of IA32_TSC_AUX, bit 32.
    SoftGuest pat = SoftGuest.long64(VmxControls.DEFAULT, "b977020000 b802040700 31d2 0f30");
    assertThat(pat.runTo(ExitReason.WRMSR).fault).isTrue();
    assertThat(pat.runTo(ExitReason.EXCEPTION_OR_NMI).index).isEqualTo(13);
    SoftGuest aux = SoftGuest.long64(VmxControls.DEFAULT, "b9030100c0 31c0 8d5001 0f30");
    assertThat(aux.runTo(ExitReason.EXCEPTION_OR_NMI).index).isEqualTo(13);
  }

  @Test
  void hypercall() {
    SoftGuest guest = SoftGuest.long64("b816000000 0f01c1 f4");
    guest.state.gpr[CpuState.RBX] = 0x1234;
    guest.set();
    VmExit exit = guest.runTo(ExitReason.VMCALL);
    assertThat(exit.hypercall).isEqualTo(22);
    assertThat(exit.arguments[0]).isEqualTo(0x1234);
    exit.value = -1;
    guest.halt();
    assertThat(guest.reg(CpuState.RAX)).isEqualTo(-1);
  }

  @Test
  void repeatedOutsExitsOnceAPage() {
    // mov dx,3f8; rep outsb; hlt
    SoftGuest guest = SoftGuest.long64("66baf803 f36e f4");
    guest.state.gpr[CpuState.RCX] = 20;
    guest.state.gpr[CpuState.RSI] = 0x5ff8;
    guest.set();
    for (int i = 0; i < 20; i++) {
      guest.memory.writeByte(0x5ff8 + i, (byte) (i + 1));
    }
    VmExit exit = guest.runTo(ExitReason.IO_INSTRUCTION);
    assertThat(exit.count).isEqualTo(8);
    assertThat(exit.size).isEqualTo(1);
    assertThat(exit.data[7]).isEqualTo((byte) 8);
    assertThat(exit.value).isEqualTo(1);
    assertThat(guest.reg(CpuState.RCX)).isEqualTo(20);
    guest.runTo(ExitReason.IO_INSTRUCTION);
    assertThat(exit.count).isEqualTo(12);
    assertThat(exit.data[0]).isEqualTo((byte) 9);
    assertThat(guest.reg(CpuState.RSI)).isEqualTo(0x6000);
    assertThat(guest.reg(CpuState.RCX)).isEqualTo(12);
    assertThat(exit.instructions).isEqualTo(1);
    guest.halt();
    assertThat(guest.reg(CpuState.RCX)).isZero();
    assertThat(exit.instructions).isEqualTo(2);
  }

  @Test
  void repeatedInsTakesItsDataFromTheAnswer() {
    // mov dx,1f0; rep insw; hlt
    SoftGuest guest = SoftGuest.long64("66baf001 f3666d f4");
    guest.state.gpr[CpuState.RCX] = 3;
    guest.state.gpr[CpuState.RDI] = 0x5000;
    guest.set();
    VmExit exit = guest.runTo(ExitReason.IO_INSTRUCTION);
    assertThat(exit.write).isFalse();
    assertThat(exit.count).isEqualTo(3);
    for (int i = 0; i < 6; i++) {
      exit.data[i] = (byte) (0x10 + i);
    }
    guest.halt();
    assertThat(guest.memory.readInt(0x5000)).isEqualTo(0x13121110);
    assertThat(guest.memory.readShort(0x5004)).isEqualTo((short) 0x1514);
    assertThat(guest.reg(CpuState.RDI)).isEqualTo(0x5006);
  }

  @Test
  void stringMoveFaultsInTheMiddleWithExactRegisters() {
    // cld; rep movsb; hlt: the destination runs into the unmapped second GiB.
    SoftGuest guest = SoftGuest.long64(VmxControls.DEFAULT, "fc f3a4 f4");
    guest.memory.writeLong(SoftGuest.PD + 8 * 511, 0x200087);
    guest.state.gpr[CpuState.RCX] = 100;
    guest.state.gpr[CpuState.RSI] = 0x5000;
    guest.state.gpr[CpuState.RDI] = 0x4000_0000 - 30;
    guest.set();
    VmExit exit = guest.runTo(ExitReason.EXCEPTION_OR_NMI);
    assertThat(exit.index).isEqualTo(14);
    assertThat(exit.errorCode).isEqualTo(2);
    assertThat(exit.qualification).isEqualTo(0x4000_0000);
    assertThat(guest.reg(CpuState.RCX)).isEqualTo(70);
    assertThat(guest.reg(CpuState.RSI)).isEqualTo(0x5000 + 30);
    assertThat(guest.reg(CpuState.RDI)).isEqualTo(0x4000_0000);
    assertThat(exit.instructions).isEqualTo(1);
  }

  @Test
  void overlappingStringMoveCopiesByteByByte() {
    SoftGuest guest = SoftGuest.long64("fc f3a4 f4");
    guest.load(0x5000, "ab");
    guest.state.gpr[CpuState.RCX] = 9;
    guest.state.gpr[CpuState.RSI] = 0x5000;
    guest.state.gpr[CpuState.RDI] = 0x5001;
    guest.set().halt();
    assertThat(guest.memory.readLong(0x5002)).isEqualTo(0xababababababababL);
  }

  @Test
  void deviceAccessAcrossPagesIsSplit() {
    // mov rax,[rbx]; mov [rbx],rax; hlt with rbx 4 bytes before a page of devices ends
    SoftGuest guest = SoftGuest.long64("488b03 488903 f4");
    guest.memory.writeLong(SoftGuest.PDPT + 24, 0xc0000083L);
    guest.state.gpr[CpuState.RBX] = 0xe0000ffcL;
    guest.set();
    VmExit exit = guest.runTo(ExitReason.EPT_MISCONFIGURATION);
    assertThat(exit.gpa).isEqualTo(0xe0000ffcL);
    assertThat(exit.size).isEqualTo(4);
    exit.value = 0x11111111;
    guest.runTo(ExitReason.EPT_MISCONFIGURATION);
    assertThat(exit.gpa).isEqualTo(0xe0001000L);
    assertThat(exit.size).isEqualTo(4);
    exit.value = 0x22222222;
    guest.runTo(ExitReason.EPT_MISCONFIGURATION);
    assertThat(guest.reg(CpuState.RAX)).isEqualTo(0x2222222211111111L);
    assertThat(exit.write).isTrue();
    assertThat(exit.value).isEqualTo(0x11111111);
    guest.runTo(ExitReason.EPT_MISCONFIGURATION);
    assertThat(exit.gpa).isEqualTo(0xe0001000L);
    assertThat(exit.value).isEqualTo(0x22222222);
    guest.halt();
    assertThat(exit.instructions).isEqualTo(2);
  }

  @Test
  void undefinedOpcodesAreCounted() {
    // vzeroupper
    SoftGuest guest = SoftGuest.long64(VmxControls.DEFAULT, "c5f877");
    assertThat(guest.runTo(ExitReason.EXCEPTION_OR_NMI).index).isEqualTo(6);
    assertThat(guest.vm.anomalies()).singleElement().asString().endsWith("1 times");
    // ud2 is defined to be undefined.
    SoftGuest defined = SoftGuest.long64(VmxControls.DEFAULT, "0f0b");
    assertThat(defined.runTo(ExitReason.EXCEPTION_OR_NMI).index).isEqualTo(6);
    assertThat(defined.vcpu.counters().unimplemented()).isEmpty();
  }

  @Test
  void kickEndsAnEndlessLoop() {
    SoftGuest guest = SoftGuest.long64("ebfe");
    guest.vcpu.kick();
    guest.runTo(ExitReason.INTERRUPTED);
    Thread kicker = new Thread(() -> guest.vcpu.kick());
    kicker.start();
    guest.runTo(ExitReason.INTERRUPTED);
    assertThat(guest.exit.rip).isEqualTo(SoftGuest.CODE);
  }
}
