package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.CpuMode;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.VmExit;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Exits that a made-up shared page tells of; needs no KVM. */
class KvmRunTest {
  private static final int DATA = 4096;

  private final ByteBuffer page = ByteBuffer.allocate(3 * 4096).order(ByteOrder.LITTLE_ENDIAN);
  private final KvmRun run = new KvmRun(page, true);
  private final VmExit exit = new VmExit();

  private VmExit decode(int reason) {
    page.putInt(KvmAbi.RUN_EXIT_REASON, reason);
    exit.reset();
    run.decode(exit);
    return exit;
  }

  private void port(int direction, int size, int count) {
    page.put(KvmAbi.IO_DIRECTION, (byte) direction);
    page.put(KvmAbi.IO_SIZE, (byte) size);
    page.putShort(KvmAbi.IO_PORT, (short) 0xFFFE);
    page.putInt(KvmAbi.IO_COUNT, count);
    page.putLong(KvmAbi.IO_DATA_OFFSET, DATA);
  }

  @Test
  void asksForRegistersAtEveryExit() {
    assertThat(page.getLong(KvmAbi.RUN_VALID_REGS)).isEqualTo(3);
  }

  @Test
  void registersThatNobodyWantsAreNotAskedFor() {
    run.syncRegs(false);
    assertThat(page.getLong(KvmAbi.RUN_VALID_REGS)).isZero();
    assertThat(decode(KvmAbi.KVM_EXIT_HLT).has(VmExit.RIP)).isFalse();
    run.syncRegs(true);
    assertThat(page.getLong(KvmAbi.RUN_VALID_REGS)).isEqualTo(3);
    assertThat(decode(KvmAbi.KVM_EXIT_HLT).has(VmExit.RIP | VmExit.MODE)).isTrue();
  }

  @Test
  void aStringWriteCarriesEveryItem() {
    port(1, 2, 2048);
    for (int i = 0; i < 2048; i++) {
      page.putShort(DATA + 2 * i, (short) (0x8000 + i));
    }
    decode(KvmAbi.KVM_EXIT_IO);
    assertThat(exit.port).isEqualTo(0xFFFE);
    assertThat(exit.size).isEqualTo(2);
    assertThat(exit.count).isEqualTo(2048);
    assertThat(exit.value).isEqualTo(0x8000);
    assertThat(exit.data[4095]).isEqualTo((byte) 0x87);
    assertThat(run.answerPending()).isFalse();
  }

  @Test
  void aStringReadIsAnsweredWithEveryItem() {
    port(0, 4, 3);
    decode(KvmAbi.KVM_EXIT_IO);
    assertThat(run.answerPending()).isTrue();
    for (int i = 0; i < 12; i++) {
      exit.data[i] = (byte) (i + 1);
    }
    run.complete(exit);
    assertThat(page.getInt(DATA + 8)).isEqualTo(0x0C0B_0A09);
    assertThat(run.answerPending()).isFalse();
  }

  @Test
  void theEndOfALevelTriggeredInterruptTellsItsVector() {
    page.put(KvmAbi.EOI_VECTOR, (byte) 0xE1);
    assertThat(decode(KvmAbi.KVM_EXIT_IOAPIC_EOI).reason).isEqualTo(ExitReason.VIRTUALIZED_EOI);
    assertThat(exit.has(VmExit.QUALIFICATION)).isTrue();
    assertThat(exit.qualification).isEqualTo(0xE1);
  }

  @Test
  void valuesAreNotSignExtended() {
    port(1, 1, 1);
    page.putInt(DATA, -1);
    assertThat(decode(KvmAbi.KVM_EXIT_IO).value).isEqualTo(0xFF);
    port(1, 4, 1);
    assertThat(decode(KvmAbi.KVM_EXIT_IO).value).isEqualTo(0xFFFF_FFFFL);
    page.putLong(KvmAbi.MMIO_DATA, -1);
    page.put(KvmAbi.MMIO_IS_WRITE, (byte) 1);
    page.putInt(KvmAbi.MMIO_LEN, 3);
    assertThat(decode(KvmAbi.KVM_EXIT_MMIO).value).isEqualTo(0xFF_FFFF);
    page.putInt(KvmAbi.MMIO_LEN, 8);
    assertThat(decode(KvmAbi.KVM_EXIT_MMIO).value).isEqualTo(-1);
  }

  @Test
  void aHypercallHasItsArgumentsAndTakesAResult() {
    page.putLong(KvmAbi.HYPERCALL_NR, 22);
    for (int i = 0; i < 6; i++) {
      page.putLong(KvmAbi.HYPERCALL_ARGS + 8 * i, 100 + i);
    }
    decode(KvmAbi.KVM_EXIT_HYPERCALL);
    assertThat(exit.reason).isEqualTo(ExitReason.VMCALL);
    assertThat(exit.hypercall).isEqualTo(22);
    assertThat(exit.arguments).containsExactly(100, 101, 102, 103, 104, 105);
    exit.value = 1772334;
    run.complete(exit);
    assertThat(page.getLong(KvmAbi.HYPERCALL_RET)).isEqualTo(1772334);
  }

  @Test
  void anEmulationFailureCarriesTheInstruction() {
    page.putInt(KvmAbi.INTERNAL_SUBERROR, 1);
    page.putInt(KvmAbi.INTERNAL_NDATA, 5);
    page.putLong(KvmAbi.EMULATION_FAILURE_FLAGS, 1);
    page.put(KvmAbi.EMULATION_FAILURE_INSN_SIZE, (byte) 15);
    page.put(KvmAbi.EMULATION_FAILURE_INSN_BYTES, (byte) 0xCC);
    decode(KvmAbi.KVM_EXIT_INTERNAL_ERROR);
    assertThat(exit.reason).isEqualTo(ExitReason.INTERNAL_ERROR);
    assertThat(exit.errorDetail).isEqualTo(1);
    assertThat(exit.instructionLength).isEqualTo(15);
    assertThat(exit.instructionBytes[0]).isEqualTo((byte) 0xCC);
    page.putLong(KvmAbi.EMULATION_FAILURE_FLAGS, 0);
    assertThat(decode(KvmAbi.KVM_EXIT_INTERNAL_ERROR).instructionLength).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "0x80000021, ENTRY_FAILURE_GUEST_STATE",
    "0x80000022, ENTRY_FAILURE_MSR_LOADING",
    "0x80000029, ENTRY_FAILURE_MACHINE_CHECK",
    "0x80000030, ENTRY_FAILED",
    "0x00000007, ENTRY_FAILED"
  })
  void aFailedEntryHasTheReasonThatTheSdmGivesIt(String hardware, ExitReason reason) {
    page.putLong(KvmAbi.FAIL_ENTRY_REASON, Long.decode(hardware));
    assertThat(decode(KvmAbi.KVM_EXIT_FAIL_ENTRY).reason).isEqualTo(reason);
    assertThat(exit.errorDetail).isEqualTo(Long.decode(hardware));
  }

  @ParameterizedTest
  @CsvSource({
    "1, EXCEPTION_OR_NMI",
    "2, IO_INSTRUCTION",
    "3, VMCALL",
    "5, HLT",
    "6, MMIO",
    "7, INTERRUPT_WINDOW",
    "8, TRIPLE_FAULT",
    "9, ENTRY_FAILED",
    "10, INTERRUPTED",
    "11, CR_ACCESS",
    "17, INTERNAL_ERROR",
    "24, SYSTEM_EVENT",
    "26, VIRTUALIZED_EOI",
    "29, RDMSR",
    "30, WRMSR",
    "33, BUS_LOCK",
    "37, INSTRUCTION_TIMEOUT",
    "0, UNKNOWN",
    "4, UNKNOWN",
    "9999, UNKNOWN"
  })
  void everyCodeOfKvmIsKeptBesideItsReason(int code, ExitReason reason) {
    port(1, 1, 1);
    assertThat(decode(code).reason).isEqualTo(reason);
    assertThat(exit.kvmReason).isEqualTo(code);
    assertThat(exit.has(VmExit.RIP | VmExit.MODE)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 0, 0, 0, REAL",
    "1, 0, 0, 0, 0, PROTECTED_16",
    "1, 0, 0, 0, 1, PROTECTED_32",
    "1, 0x20000, 0, 0, 0, VIRTUAL_8086",
    "1, 0, 0x400, 0, 1, COMPATIBILITY",
    "1, 0, 0x400, 1, 0, LONG"
  })
  void theModeFollowsFromTheRegisters(
      int cr0, String flags, String efer, int longMode, int big, CpuMode mode) {
    page.putLong(KvmAbi.SYNC_SREGS + KvmAbi.SREGS_CR0, cr0);
    page.putLong(KvmAbi.SYNC_REGS + KvmAbi.REGS_RFLAGS, Long.decode(flags));
    page.putLong(KvmAbi.SYNC_SREGS + KvmAbi.SREGS_EFER, Long.decode(efer));
    page.put(KvmAbi.SYNC_SREGS + KvmAbi.SEGMENT_L, (byte) longMode);
    page.put(KvmAbi.SYNC_SREGS + KvmAbi.SEGMENT_DB, (byte) big);
    page.put(KvmAbi.SYNC_SREGS + KvmAbi.SREGS_SS + KvmAbi.SEGMENT_DPL, (byte) 3);
    page.putLong(KvmAbi.SYNC_REGS + KvmAbi.REGS_RIP, 0xFFFF_8000_0000_1234L);
    decode(KvmAbi.KVM_EXIT_HLT);
    assertThat(exit.mode).isEqualTo(mode);
    assertThat(exit.cpl).isEqualTo(3);
    assertThat(exit.rip).isEqualTo(0xFFFF_8000_0000_1234L);
  }

  @Test
  void withoutSyncRegsTheLocationIsNotCaptured() {
    KvmRun bare = new KvmRun(page, false);
    page.putInt(KvmAbi.RUN_EXIT_REASON, KvmAbi.KVM_EXIT_HLT);
    exit.reset();
    bare.decode(exit);
    assertThat(exit.has(VmExit.RIP)).isFalse();
    assertThat(exit.mode).isNull();
    assertThat(exit.cpl).isEqualTo(-1);
  }
}
