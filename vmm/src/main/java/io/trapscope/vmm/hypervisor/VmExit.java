package io.trapscope.vmm.hypervisor;

import io.trapscope.recorder.event.CpuMode;
import io.trapscope.recorder.event.ExitReason;

/**
 * One exit. Made once a vCPU and filled anew by every {@link Vcpu#run}, so that the hot path
 * allocates nothing; whoever keeps an exit copies what it needs. A numeric field that is not in
 * {@link #captured} was not captured and holds no meaning.
 *
 * <p>The dispatcher answers in the same object: {@link #value} of a read, {@link #result} of CPUID,
 * {@link #fault} for a #GP.
 */
public final class VmExit {
  /** Bits of {@link #captured}. */
  public static final int RIP = 1;

  public static final int MODE = 1 << 1;
  public static final int INSTRUCTIONS = 1 << 2;
  public static final int QUALIFICATION = 1 << 3;
  public static final int GPA = 1 << 4;
  public static final int GVA = 1 << 5;
  public static final int HVA = 1 << 6;
  public static final int HPA = 1 << 7;
  public static final int VALUE = 1 << 8;
  public static final int GUEST_PAGE = 1 << 9;
  public static final int EPT_PAGE = 1 << 10;
  public static final int FIRST_TOUCH = 1 << 11;
  public static final int GUEST_TIME = 1 << 12;
  public static final int LOOP_TIME = 1 << 13;

  /** Which of the optional fields hold something: the bits above. */
  public int captured;

  public ExitReason reason;

  /** KVM's user-space exit code (linux/kvm.h, KVM_EXIT_*), or -1 on a back end without one. */
  public int kvmReason;

  /**
   * Guest RIP of the instruction that caused the exit, where the back end knows it; see the trace
   * header's {@code rip} note.
   */
  public long rip;

  public CpuMode mode;

  /** Current privilege level, 0 to 3; -1 where not captured. */
  public int cpl;

  /**
   * Instructions retired since the machine was made; the instruction that exits is not among them.
   */
  public long instructions;

  /** Host monotonic time of this entry and exit, in ns; guest time is their difference. */
  public long entryNanos;

  public long exitNanos;

  /** Exit qualification as the SDM lays it out for this reason (volume 3, section 28.2.1). */
  public long qualification;

  public long gpa;
  public long gva;
  public long hva;
  public long hpa;

  /** log2 of the guest's and the EPT's page size at the fault: 12, 21 or 30. */
  public int guestPageShift;

  public int eptPageShift;

  /** Whether this EPT violation was the page's first touch. */
  public boolean firstTouch;

  /** I/O port, for IO_INSTRUCTION. */
  public int port;

  /** Bytes an item: 1, 2, 4 for ports; 1 to 8 for memory. */
  public int size;

  /**
   * Items moved by this one exit; more than 1 only for string I/O. Items 2.. are in {@link #data}.
   */
  public int count;

  /** True for a write, out or WRMSR. */
  public boolean write;

  /**
   * The (first) value: written by the guest, or to be filled in by the dispatcher; low {@code size}
   * bytes. MSR value as EDX:EAX.
   */
  public long value;

  /**
   * The bytes of string I/O, {@code size * count} of them, in guest order; large enough for one
   * page.
   */
  public final byte[] data = new byte[4096];

  /**
   * MSR index, for RDMSR and WRMSR; also CR number (0 to 8) for CR_ACCESS and vector for
   * EXCEPTION_OR_NMI.
   */
  public int index;

  /** CPUID leaf and subleaf. */
  public int leaf;

  public int subleaf;

  /** CPUID's answer: EAX, EBX, ECX, EDX; filled by the dispatcher. */
  public final int[] result = new int[4];

  /** Hypercall number (RAX). */
  public long hypercall;

  /**
   * Hypercall arguments RBX, RCX, RDX, RSI, RDI, RBP as the guest had them. The result goes to
   * {@link #value}.
   */
  public final long[] arguments = new long[6];

  /** Error code of an exception; valid where {@link #hasErrorCode}. */
  public int errorCode;

  public boolean hasErrorCode;

  /**
   * Set by the dispatcher: the instruction raises #GP(0) in the guest instead of completing (an MSR
   * that is not there). Set by the back end where {@link #answered}.
   */
  public boolean fault;

  /**
   * The back end holds this register itself (an MSR like EFER): {@link #value} of a read and {@link
   * #fault} are there already, and a write is done. The dispatcher leaves the exit as it is.
   */
  public boolean answered;

  /** Sub-code of INTERNAL_ERROR, ENTRY_FAILED and SYSTEM_EVENT. */
  public long errorDetail;

  /** Bytes of the instruction at fault, for INTERNAL_ERROR; {@link #instructionLength} of them. */
  public final byte[] instructionBytes = new byte[15];

  public int instructionLength;

  /** Clears what one exit may leave for the next. Called by back ends before they fill it. */
  public void reset() {
    captured = 0;
    reason = ExitReason.UNKNOWN;
    kvmReason = -1;
    mode = null;
    cpl = -1;
    count = 1;
    size = 0;
    write = false;
    fault = false;
    answered = false;
    hasErrorCode = false;
    instructionLength = 0;
    firstTouch = false;
  }

  /** Whether all fields of {@code bits} were captured. */
  public boolean has(int bits) {
    return (captured & bits) == bits;
  }
}
