package io.trapscope.recorder.tracepoint;

import static io.trapscope.recorder.event.ExitReason.*;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Isa;

/**
 * The processors' own exit codes: VMX exit reasons (SDM volume 3, appendix C) and SVM exit codes
 * (APM volume 2, appendix C). An SVM code becomes the reason that the SDM has for the same thing.
 */
final class HardwareExit {
  /** SVM exit codes that ranges begin with: accesses to registers, exceptions. */
  static final int SVM_READ_CR = 0x00;

  static final int SVM_WRITE_CR = 0x10;
  static final int SVM_READ_DR = 0x20;
  static final int SVM_EXCEPTION = 0x40;
  static final int SVM_FIRST = 0x60;
  static final int SVM_MSR = 0x7c;
  static final int SVM_CR_WRITE_TRAP = 0x90;
  static final int SVM_NESTED_PAGE_FAULT = 0x400;

  /** What KVM shows for a guest state that VMRUN refuses. */
  private static final long SVM_INVALID = 0xffff_ffffL;

  /** Codes from 0x60 on; {@code MSR} of either direction is RDMSR here. */
  private static final ExitReason[] SVM = {
    EXTERNAL_INTERRUPT, // 60 INTR
    EXCEPTION_OR_NMI, // NMI
    OTHER_SMI,
    INIT_SIGNAL,
    INTERRUPT_WINDOW, // VINTR
    CR_ACCESS, // CR0_SEL_WRITE
    GDTR_IDTR_ACCESS, // IDTR_READ
    GDTR_IDTR_ACCESS,
    LDTR_TR_ACCESS, // 68 LDTR_READ
    LDTR_TR_ACCESS,
    GDTR_IDTR_ACCESS, // IDTR_WRITE
    GDTR_IDTR_ACCESS,
    LDTR_TR_ACCESS,
    LDTR_TR_ACCESS,
    RDTSC,
    RDPMC,
    PUSHF, // 70
    POPF,
    CPUID,
    RSM,
    IRET,
    SOFTWARE_INTERRUPT,
    INVD,
    PAUSE,
    HLT, // 78
    INVLPG,
    INVLPGA,
    IO_INSTRUCTION,
    RDMSR,
    TASK_SWITCH,
    FERR_FREEZE,
    TRIPLE_FAULT, // SHUTDOWN
    VMRUN, // 80
    VMCALL, // VMMCALL
    VMLOAD,
    VMSAVE,
    STGI,
    CLGI,
    SKINIT,
    RDTSCP,
    ICEBP, // 88
    WBINVD,
    MONITOR,
    MWAIT,
    MWAIT, // conditional
    XSETBV,
    RDPRU,
    EFER_WRITE
  };

  private HardwareExit() {}

  /**
   * The reason.
   *
   * @param isa {@link Isa#code()} as the record has it
   * @param code 32 bits, unsigned
   * @param info1 the first info word
   */
  static ExitReason reason(int isa, long code, long info1) {
    // Bits 31:16 of a VMX exit reason are flags.
    return isa == Isa.SVM.code() ? svm(code, info1) : ExitReason.of((int) code & 0xffff);
  }

  private static ExitReason svm(long code, long info1) {
    if (code < SVM_READ_DR || code >= SVM_CR_WRITE_TRAP && code < SVM_CR_WRITE_TRAP + 16) {
      return CR_ACCESS;
    }
    if (code < SVM_EXCEPTION) {
      return MOV_DR;
    }
    if (code < SVM_FIRST) {
      return EXCEPTION_OR_NMI;
    }
    if (code < SVM_FIRST + SVM.length) {
      return code == SVM_MSR && info1 != 0 ? WRMSR : SVM[(int) code - SVM_FIRST];
    }
    if (code == SVM_INVALID) {
      return ENTRY_FAILURE_GUEST_STATE;
    }
    if (code >= 0x8000_0000L) {
      return VMGEXIT; // KVM's codes for what an SEV-ES guest asks for
    }
    return switch ((int) code) {
      case 0xa0 -> INVLPGB;
      case 0xa2 -> INVPCID;
      case 0xa3 -> MCOMMIT;
      case 0xa4 -> TLBSYNC;
      case 0xa5 -> BUS_LOCK;
      case 0xa6 -> HLT; // IDLE_HLT
      case SVM_NESTED_PAGE_FAULT -> EPT_VIOLATION;
      case 0x401 -> AVIC_INCOMPLETE_IPI;
      case 0x402 -> AVIC_UNACCELERATED_ACCESS;
      case 0x403 -> VMGEXIT;
      default -> UNKNOWN;
    };
  }
}
