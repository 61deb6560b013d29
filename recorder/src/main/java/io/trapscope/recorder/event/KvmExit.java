package io.trapscope.recorder.event;

/**
 * KVM's user-space exit codes, {@code KVM_EXIT_*} of linux/kvm.h ({@code kvm_run.exit_reason}).
 * Those of other architectures have a name too, so that a code is never shown as another one's.
 */
public final class KvmExit {
  public static final int UNKNOWN = 0;
  public static final int EXCEPTION = 1;
  public static final int IO = 2;
  public static final int HYPERCALL = 3;
  public static final int DEBUG = 4;
  public static final int HLT = 5;
  public static final int MMIO = 6;
  public static final int IRQ_WINDOW_OPEN = 7;
  public static final int SHUTDOWN = 8;
  public static final int FAIL_ENTRY = 9;
  public static final int INTR = 10;
  public static final int SET_TPR = 11;
  public static final int TPR_ACCESS = 12;
  public static final int NMI = 16;
  public static final int INTERNAL_ERROR = 17;
  public static final int WATCHDOG = 21;
  public static final int SYSTEM_EVENT = 24;
  public static final int IOAPIC_EOI = 26;
  public static final int HYPERV = 27;
  public static final int X86_RDMSR = 29;
  public static final int X86_WRMSR = 30;
  public static final int DIRTY_RING_FULL = 31;
  public static final int AP_RESET_HOLD = 32;
  public static final int X86_BUS_LOCK = 33;
  public static final int XEN = 34;
  public static final int NOTIFY = 37;
  public static final int MEMORY_FAULT = 39;

  private static final String[] NAMES = {
    "UNKNOWN",
    "EXCEPTION",
    "IO",
    "HYPERCALL",
    "DEBUG",
    "HLT",
    "MMIO",
    "IRQ_WINDOW_OPEN",
    "SHUTDOWN",
    "FAIL_ENTRY",
    "INTR",
    "SET_TPR",
    "TPR_ACCESS",
    "S390_SIEIC",
    "S390_RESET",
    "DCR",
    "NMI",
    "INTERNAL_ERROR",
    "OSI",
    "PAPR_HCALL",
    "S390_UCONTROL",
    "WATCHDOG",
    "S390_TSCH",
    "EPR",
    "SYSTEM_EVENT",
    "S390_STSI",
    "IOAPIC_EOI",
    "HYPERV",
    "ARM_NISV",
    "X86_RDMSR",
    "X86_WRMSR",
    "DIRTY_RING_FULL",
    "AP_RESET_HOLD",
    "X86_BUS_LOCK",
    "XEN",
    "RISCV_SBI",
    "RISCV_CSR",
    "NOTIFY",
    "LOONGARCH_IOCSR",
    "MEMORY_FAULT"
  };

  private KvmExit() {}

  /** The name without {@code KVM_EXIT_}, or null where this version knows none. */
  public static String name(int code) {
    return code >= 0 && code < NAMES.length ? NAMES[code] : null;
  }
}
