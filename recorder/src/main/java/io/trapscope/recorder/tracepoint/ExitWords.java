package io.trapscope.recorder.tracepoint;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitQualification;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.Isa;
import java.nio.ByteBuffer;

/**
 * What the processor says of an exit, in the words of kvm_exit: its code and info words, which mean
 * one thing on VMX, another on SVM, and on VMX something else before Linux 5.10 (commit
 * 235ba74f008d added {@code intr_info} and gave {@code info2} to the IDT-vectoring information).
 */
final class ExitWords {
  private static final int INVALID = -1;
  private static final int EXCEPTION_NMI = 2;
  private static final int PAGE_FAULT = 14;

  /** Valid bit of all interruption words: of VMX (SDM 25.9.2, 25.9.3) and of SVM (APM 15.20). */
  private static final long VALID = 1L << 31;

  private static final long HAS_ERROR_CODE = 1L << 11;

  /** Exceptions with an error code (SDM volume 3, table 6-1): #DF #TS #NP #SS #GP #PF #AC #CP. */
  private static final int WITH_ERROR_CODE =
      1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21;

  private int isa;
  private long code;
  private long rip;
  private long info1;
  private long info2;
  private long intrInfo;
  private long errorCode;
  private long requests;
  private boolean hasIntrInfo;
  private boolean hasRequests;
  private int vcpu = INVALID;

  /** Reads a record of kvm_exit. */
  void read(Tracepoint tracepoint, ByteBuffer raw, int at) {
    code = tracepoint.get(raw, at, 0);
    rip = tracepoint.get(raw, at, 1);
    isa = (int) tracepoint.get(raw, at, 2);
    info1 = tracepoint.get(raw, at, 3);
    info2 = tracepoint.get(raw, at, 4);
    hasIntrInfo = tracepoint.has(5);
    intrInfo = tracepoint.get(raw, at, 5);
    errorCode = tracepoint.get(raw, at, 6);
    vcpu = tracepoint.has(7) ? (int) tracepoint.get(raw, at, 7) : INVALID;
    hasRequests = tracepoint.has(8);
    requests = tracepoint.get(raw, at, 8);
  }

  /** KVM's number of the vCPU, or -1 where this kernel does not say. */
  int vcpu() {
    return vcpu;
  }

  ExitReason reason() {
    return HardwareExit.reason(isa, code, info1);
  }

  EventType type() {
    return EventType.of(reason());
  }

  private boolean isSvm() {
    return isa == Isa.SVM.code();
  }

  /**
   * Sets what the words say: all of them as they are, and what they mean for this type of event.
   */
  void describe(FieldValues fields, EventType type) {
    fields
        .set(Field.RIP, rip)
        .set(Field.EXIT_CODE, code)
        .set(Field.ISA, isa)
        .set(Field.EXIT_INFO1, info1);
    if (isSvm()) {
      fields.set(Field.EXIT_INFO2, info2);
    }
    setIfValid(fields, Field.INTR_INFO, isSvm() ? 0 : hasIntrInfo ? intrInfo : info2);
    setIfValid(fields, Field.VECTORING_INFO, !hasIntrInfo ? 0 : isSvm() ? intrInfo : info2);
    if (hasIntrInfo && (intrInfo & VALID) != 0 && (intrInfo & HAS_ERROR_CODE) != 0) {
      fields.set(Field.ERROR_CODE, errorCode);
    }
    if (hasRequests) {
      fields.set(Field.REQUESTS, requests);
    }
    switch (type) {
      case PIO -> port(fields);
      case MSR -> fields.set(Field.DIRECTION, reason() == ExitReason.RDMSR ? 0 : 1);
      case EPT_FAULT -> eptFault(fields);
      case CR_ACCESS -> controlRegister(fields);
      case EXCEPTION -> exception(fields);
      case EXIT -> {
        if (!isSvm()) {
          fields.set(Field.QUALIFICATION, info1);
        }
      }
      case MMIO,
          CPUID,
          HYPERCALL,
          HLT,
          INJECTION,
          END,
          CONSOLE_OUTPUT,
          CONSOLE_INPUT,
          INPUT,
          MARK,
          GAP,
          TRANSLATION,
          IRQ_LINE,
          EOI,
          APIC_ACCESS,
          HALT_POLL,
          WAKEUP,
          MMU,
          EMULATION,
          DIRTY,
          TRACEPOINT,
          STACK -> {
        // The words say no more of these.
      }
    }
  }

  private static void setIfValid(FieldValues fields, Field field, long word) {
    if ((word & VALID) != 0) {
      fields.set(field, word);
    }
  }

  /** SDM table 28-5; APM 15.10.2: both have the port in the upper half. */
  private void port(FieldValues fields) {
    boolean in = isSvm() ? (info1 & 1) != 0 : (info1 >>> 3 & 1) != 0;
    fields.set(Field.DIRECTION, in ? 0 : 1).set(Field.PORT, info1 >>> 16 & 0xffff);
    // Bits 6:4 of SVM's word are 1, 2 or 4 for so many bytes; VMX has the size less one.
    fields.set(Field.SIZE, isSvm() ? info1 >>> 4 & 7 : (info1 & 7) + 1);
  }

  private void eptFault(FieldValues fields) {
    fields.set(Field.QUALIFICATION, eptQualification(info1));
    if (isSvm()) {
      fields.set(Field.GPA, info2);
    }
  }

  /**
   * The exit qualification of an EPT violation, for an error word of kvm_exit or kvm_page_fault.
   * VMX has it there; SVM has a page fault's error code (APM 15.25.6), of which the access and
   * whether the page was present are put in its form.
   */
  long eptQualification(long error) {
    if (!isSvm()) {
      return error;
    }
    boolean write = (error & 2) != 0;
    boolean fetch = (error & 16) != 0;
    long access =
        fetch
            ? ExitQualification.EPT_FETCH
            : write ? ExitQualification.EPT_WRITE : ExitQualification.EPT_READ;
    return access | ((error & 1) != 0 ? ExitQualification.EPT_READABLE : 0);
  }

  /** The exit qualification of an access to a control register (SDM table 28-3). */
  static long crQualification(long number, boolean read) {
    return number & 15 | (read ? 1 << 4 : 0);
  }

  private void controlRegister(FieldValues fields) {
    if (!isSvm()) {
      fields.set(Field.CONTROL_REGISTER, info1 & 15).set(Field.QUALIFICATION, info1);
      return;
    }
    boolean read = code < HardwareExit.SVM_WRITE_CR;
    // Of CR0_SEL_WRITE the code has no number in it, and it is CR0.
    long number =
        code < HardwareExit.SVM_READ_DR || code >= HardwareExit.SVM_CR_WRITE_TRAP ? code & 15 : 0;
    // Bits 3:0 of the word are the general register (APM 15.8.1), where bit 63 says so.
    long general = info1 < 0 ? (info1 & 15) << 8 : 0;
    fields
        .set(Field.CONTROL_REGISTER, number)
        .set(Field.QUALIFICATION, crQualification(number, read) | general);
  }

  private void exception(FieldValues fields) {
    if (!isSvm()) {
      long info = hasIntrInfo ? intrInfo : info2;
      fields.set(Field.VECTOR, info & 0xff);
      if ((info & 0xff) == PAGE_FAULT) {
        fields.set(Field.FAULT_ADDRESS, info1);
      }
      return;
    }
    if (code >= HardwareExit.SVM_FIRST) {
      fields.set(Field.VECTOR, EXCEPTION_NMI);
      return;
    }
    int vector = (int) code - HardwareExit.SVM_EXCEPTION;
    fields.set(Field.VECTOR, vector);
    if ((WITH_ERROR_CODE >>> vector & 1) != 0) {
      fields.set(Field.ERROR_CODE, info1);
    }
    if (vector == PAGE_FAULT) {
      fields.set(Field.FAULT_ADDRESS, info2);
    }
  }
}
