package io.trapscope.recorder.tracepoint;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.KvmExit;

/** What a KVM_EXIT_* code means where nothing else tells of the exit. */
final class UserExit {
  private UserExit() {}

  static EventType type(int code) {
    return EventType.of(reason(code));
  }

  static ExitReason reason(int code) {
    return switch (code) {
      case KvmExit.IO -> ExitReason.IO_INSTRUCTION;
      case KvmExit.MMIO -> ExitReason.MMIO;
      case KvmExit.HLT -> ExitReason.HLT;
      case KvmExit.HYPERCALL -> ExitReason.VMCALL;
      case KvmExit.X86_RDMSR -> ExitReason.RDMSR;
      case KvmExit.X86_WRMSR -> ExitReason.WRMSR;
      case KvmExit.EXCEPTION, KvmExit.NMI, KvmExit.DEBUG -> ExitReason.EXCEPTION_OR_NMI;
      case KvmExit.IRQ_WINDOW_OPEN -> ExitReason.INTERRUPT_WINDOW;
      case KvmExit.SHUTDOWN -> ExitReason.TRIPLE_FAULT;
      case KvmExit.FAIL_ENTRY -> ExitReason.ENTRY_FAILED;
      case KvmExit.INTR -> ExitReason.INTERRUPTED;
      case KvmExit.SET_TPR -> ExitReason.CR_ACCESS;
      case KvmExit.INTERNAL_ERROR -> ExitReason.INTERNAL_ERROR;
      case KvmExit.SYSTEM_EVENT -> ExitReason.SYSTEM_EVENT;
      case KvmExit.IOAPIC_EOI -> ExitReason.VIRTUALIZED_EOI;
      case KvmExit.DIRTY_RING_FULL -> ExitReason.PML_FULL;
      case KvmExit.X86_BUS_LOCK -> ExitReason.BUS_LOCK;
      case KvmExit.NOTIFY -> ExitReason.INSTRUCTION_TIMEOUT;
      default -> ExitReason.UNKNOWN;
    };
  }
}
