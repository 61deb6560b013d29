package io.trapscope.vmm.kvm;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.VmExit;
import java.nio.ByteBuffer;

/**
 * Reads an exit out of {@code struct kvm_run}, and puts the loop's answer back where KVM looks for
 * it. Allocates nothing. Needs only the shared page, so tests hand it a made-up one.
 *
 * <p>{@code rip} is what KVM shows at the exit: for a read (IN, an MMIO load, RDMSR, WRMSR) the
 * instruction itself, for OUT and MMIO stores the instruction or the one after it, depending on
 * whether this KVM interpreted the instruction; for HLT the one after it.
 */
final class KvmRun {
  /** What KVM expects to find in the page at the next KVM_RUN. */
  private enum Answer {
    NONE,
    PORT_DATA,
    MMIO_DATA,
    MSR,
    HYPERCALL
  }

  // Basic exit reasons of entries that failed (SDM volume 3, appendix C), with bit 31 set.
  private static final long ENTRY_FAILURE = 1L << 31;

  private final ByteBuffer run;
  private final boolean canSync;
  private boolean syncRegs;
  private Answer wanted = Answer.NONE;

  /**
   * @param run the page that {@code mmap} of the vCPU gave, little-endian
   * @param canSync whether KVM can put regs and sregs there at each exit; it does from now on
   */
  KvmRun(ByteBuffer run, boolean canSync) {
    this.run = run;
    this.canSync = canSync;
    syncRegs(true);
  }

  /** Whether KVM shall put regs and sregs there, where it can: some 3 % of an exit. */
  void syncRegs(boolean wanted) {
    syncRegs = wanted && canSync;
    run.putLong(
        KvmAbi.RUN_VALID_REGS, syncRegs ? KvmAbi.KVM_SYNC_X86_REGS | KvmAbi.KVM_SYNC_X86_SREGS : 0);
  }

  /** Whether the exit before is only complete once KVM_RUN has been called again. */
  boolean answerPending() {
    return wanted != Answer.NONE;
  }

  /** Forgets the exit before: no answer will come. */
  void drop() {
    wanted = Answer.NONE;
  }

  /** Puts the answer to the exit in {@code exit}, if it wants one, into the page. */
  void complete(VmExit exit) {
    Answer due = wanted;
    wanted = Answer.NONE;
    switch (due) {
      case NONE -> {}
      case PORT_DATA -> completePort(exit);
      case MMIO_DATA -> run.putLong(KvmAbi.MMIO_DATA, exit.value);
      case MSR -> {
        run.putLong(KvmAbi.MSR_DATA, exit.value);
        run.put(KvmAbi.MSR_ERROR, (byte) (exit.fault ? 1 : 0));
      }
      case HYPERCALL -> run.putLong(KvmAbi.HYPERCALL_RET, exit.value);
    }
  }

  private void completePort(VmExit exit) {
    int at = (int) run.getLong(KvmAbi.IO_DATA_OFFSET);
    if (exit.count > 1) {
      run.put(at, exit.data, 0, exit.size * exit.count);
      return;
    }
    switch (exit.size) {
      case 1 -> run.put(at, (byte) exit.value);
      case 2 -> run.putShort(at, (short) exit.value);
      default -> run.putInt(at, (int) exit.value);
    }
  }

  /** Fills {@code out}, which was reset, from the page after KVM_RUN returned 0. */
  void decode(VmExit out) {
    int reason = run.getInt(KvmAbi.RUN_EXIT_REASON);
    out.kvmReason = reason;
    location(out);
    switch (reason) {
      case KvmAbi.KVM_EXIT_IO -> port(out);
      case KvmAbi.KVM_EXIT_MMIO -> mmio(out);
      case KvmAbi.KVM_EXIT_HLT -> out.reason = ExitReason.HLT;
      case KvmAbi.KVM_EXIT_X86_RDMSR, KvmAbi.KVM_EXIT_X86_WRMSR ->
          msr(out, reason == KvmAbi.KVM_EXIT_X86_WRMSR);
      case KvmAbi.KVM_EXIT_IRQ_WINDOW_OPEN -> out.reason = ExitReason.INTERRUPT_WINDOW;
      case KvmAbi.KVM_EXIT_INTR -> out.reason = ExitReason.INTERRUPTED;
      case KvmAbi.KVM_EXIT_SHUTDOWN -> out.reason = ExitReason.TRIPLE_FAULT;
      case KvmAbi.KVM_EXIT_HYPERCALL -> hypercall(out);
      case KvmAbi.KVM_EXIT_SET_TPR -> {
        // A MOV to CR8 that lowers it; KVM has done it and tells so that a user-space APIC knows.
        out.reason = ExitReason.CR_ACCESS;
        out.index = 8;
        out.write = true;
        out.value = run.getLong(KvmAbi.RUN_CR8);
        out.captured |= VmExit.VALUE;
      }
      case KvmAbi.KVM_EXIT_EXCEPTION -> {
        out.reason = ExitReason.EXCEPTION_OR_NMI;
        out.index = run.getInt(KvmAbi.EX_EXCEPTION);
        out.errorCode = run.getInt(KvmAbi.EX_ERROR_CODE);
        out.hasErrorCode = true;
      }
      case KvmAbi.KVM_EXIT_INTERNAL_ERROR -> internalError(out);
      case KvmAbi.KVM_EXIT_FAIL_ENTRY -> failedEntry(out);
      case KvmAbi.KVM_EXIT_SYSTEM_EVENT -> {
        out.reason = ExitReason.SYSTEM_EVENT;
        out.errorDetail = run.getInt(KvmAbi.SYSTEM_EVENT_TYPE) & 0xFFFFFFFFL;
      }
      case KvmAbi.KVM_EXIT_IOAPIC_EOI -> {
        out.reason = ExitReason.VIRTUALIZED_EOI;
        out.qualification = run.get(KvmAbi.EOI_VECTOR) & 0xFF;
        out.captured |= VmExit.QUALIFICATION;
      }
      case KvmAbi.KVM_EXIT_X86_BUS_LOCK -> out.reason = ExitReason.BUS_LOCK;
      // What VT-x's log of modified pages is to KVM, KVM's ring is to us.
      case KvmAbi.KVM_EXIT_DIRTY_RING_FULL -> out.reason = ExitReason.PML_FULL;
      case KvmAbi.KVM_EXIT_NOTIFY -> out.reason = ExitReason.INSTRUCTION_TIMEOUT;
      default -> {
        out.reason = ExitReason.UNKNOWN;
        out.errorDetail = run.getLong(KvmAbi.HW_EXIT_REASON);
      }
    }
  }

  /** Fills in where the guest was; also valid after KVM_RUN was interrupted. */
  void location(VmExit out) {
    if (!syncRegs) {
      return;
    }
    out.rip = run.getLong(KvmAbi.SYNC_REGS + KvmAbi.REGS_RIP);
    out.mode = KvmRegisters.mode(run, KvmAbi.SYNC_REGS, KvmAbi.SYNC_SREGS);
    out.cpl = KvmRegisters.cpl(run, KvmAbi.SYNC_SREGS);
    out.captured |= VmExit.RIP | VmExit.MODE;
  }

  private void port(VmExit out) {
    out.reason = ExitReason.IO_INSTRUCTION;
    out.port = run.getShort(KvmAbi.IO_PORT) & 0xFFFF;
    out.size = run.get(KvmAbi.IO_SIZE);
    out.count = run.getInt(KvmAbi.IO_COUNT);
    out.write = run.get(KvmAbi.IO_DIRECTION) == KvmAbi.KVM_EXIT_IO_OUT;
    if (!out.write) {
      wanted = Answer.PORT_DATA;
      out.value = 0;
      return;
    }
    int at = (int) run.getLong(KvmAbi.IO_DATA_OFFSET);
    if (out.count > 1) {
      run.get(at, out.data, 0, out.size * out.count);
    }
    out.value =
        switch (out.size) {
          case 1 -> run.get(at) & 0xFFL;
          case 2 -> run.getShort(at) & 0xFFFFL;
          default -> run.getInt(at) & 0xFFFFFFFFL;
        };
    out.captured |= VmExit.VALUE;
  }

  private void mmio(VmExit out) {
    out.reason = ExitReason.MMIO;
    out.gpa = run.getLong(KvmAbi.MMIO_PHYS_ADDR);
    out.size = run.getInt(KvmAbi.MMIO_LEN);
    out.write = run.get(KvmAbi.MMIO_IS_WRITE) != 0;
    out.captured |= VmExit.GPA;
    if (out.write) {
      long all = run.getLong(KvmAbi.MMIO_DATA);
      out.value = out.size == 8 ? all : all & ((1L << (8 * out.size)) - 1);
      out.captured |= VmExit.VALUE;
    } else {
      wanted = Answer.MMIO_DATA;
      out.value = 0;
    }
  }

  private void msr(VmExit out, boolean write) {
    out.reason = write ? ExitReason.WRMSR : ExitReason.RDMSR;
    out.index = run.getInt(KvmAbi.MSR_INDEX);
    out.write = write;
    out.size = 8;
    out.value = write ? run.getLong(KvmAbi.MSR_DATA) : 0;
    if (write) {
      out.captured |= VmExit.VALUE;
    }
    wanted = Answer.MSR;
  }

  private void hypercall(VmExit out) {
    out.reason = ExitReason.VMCALL;
    out.hypercall = run.getLong(KvmAbi.HYPERCALL_NR);
    for (int i = 0; i < out.arguments.length; i++) {
      out.arguments[i] = run.getLong(KvmAbi.HYPERCALL_ARGS + 8 * i);
    }
    wanted = Answer.HYPERCALL;
  }

  private void internalError(VmExit out) {
    out.reason = ExitReason.INTERNAL_ERROR;
    int suberror = run.getInt(KvmAbi.INTERNAL_SUBERROR);
    out.errorDetail = suberror & 0xFFFFFFFFL;
    boolean hasBytes =
        suberror == KvmAbi.KVM_INTERNAL_ERROR_EMULATION
            && run.getInt(KvmAbi.INTERNAL_NDATA) >= 1
            && (run.getLong(KvmAbi.EMULATION_FAILURE_FLAGS)
                    & KvmAbi.KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES)
                != 0;
    if (hasBytes) {
      out.instructionLength =
          Math.min(run.get(KvmAbi.EMULATION_FAILURE_INSN_SIZE) & 0xFF, out.instructionBytes.length);
      run.get(KvmAbi.EMULATION_FAILURE_INSN_BYTES, out.instructionBytes, 0, out.instructionLength);
    }
  }

  private void failedEntry(VmExit out) {
    long hardware = run.getLong(KvmAbi.FAIL_ENTRY_REASON);
    out.errorDetail = hardware;
    out.reason = ExitReason.ENTRY_FAILED;
    if ((hardware & ENTRY_FAILURE) != 0) {
      ExitReason basic = ExitReason.of((int) (hardware & 0xFFFF));
      switch (basic) {
        case ENTRY_FAILURE_GUEST_STATE, ENTRY_FAILURE_MSR_LOADING, ENTRY_FAILURE_MACHINE_CHECK ->
            out.reason = basic;
        default -> {}
      }
    }
  }
}
