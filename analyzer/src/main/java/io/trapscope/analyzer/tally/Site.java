package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventType;

/**
 * A row of {@link Sites}: exits that are alike in all that is told apart.
 *
 * @param rip guest RIP; only where {@link #hasRip}
 * @param register number of what was accessed: port, GPA, MSR, CPUID leaf and subleaf as high and
 *     low half, hypercall, control register, vector; of an EPT fault see its methods
 * @param meta the rest of the key; see {@link SiteKey}
 * @param sums count and times
 */
public record Site(long rip, long register, long meta, Sums sums) {
  /** A number that was not captured. */
  public static final int NONE = -1;

  public EventType type() {
    return EventType.of((int) meta & 0xff);
  }

  /** Code of the exit reason. */
  public int reason() {
    return (int) meta >>> 8 & 0xff;
  }

  public int vcpu() {
    return (int) meta >>> 16;
  }

  /** Whether the RIP was captured, and told apart. */
  public boolean hasRip() {
    return (meta & SiteKey.HAS_RIP) != 0;
  }

  /** Whether what was accessed was captured, and told apart. */
  public boolean hasRegister() {
    return (meta & SiteKey.HAS_REGISTER) != 0;
  }

  /** Bits 0 read, 1 write, 2 instruction fetch; 0 where the exit is no access. */
  public int direction() {
    if (type() == EventType.EPT_FAULT) {
      return Math.max(0, faultAccess());
    }
    return (int) (meta >>> 32) & 3;
  }

  /** Bytes of an access. */
  public int size() {
    return captured(meta, SiteKey.HAS_SIZE, (int) (meta >>> 34) & 0xf);
  }

  /** Code of the operating mode. */
  public int mode() {
    return captured(meta, SiteKey.HAS_MODE, (int) (meta >>> 38) & 0xf);
  }

  /** Current privilege level. */
  public int cpl() {
    return captured(meta, SiteKey.HAS_CPL, (int) (meta >>> 42) & 0xf);
  }

  /**
   * Whether the exits come from user mode: by CPL, or where that was not captured by the half of
   * the 64-bit address space that the RIP lies in.
   */
  public boolean isUser() {
    return cpl() == NONE ? hasRip() && rip >= 0 : cpl() == 3;
  }

  /** Of an EPT fault: id of the memory region. */
  public int region() {
    return captured(register, SiteKey.HAS_REGION, (int) register & 0xffff);
  }

  /** Of an EPT fault: bits 2:0 of the qualification. */
  public int faultAccess() {
    return captured(register, SiteKey.HAS_ACCESS, (int) (register >>> 16) & 7);
  }

  /** Of an EPT fault: log2 of the guest's page size. */
  public int guestPage() {
    return captured(register, SiteKey.HAS_GUEST_PAGE, (int) (register >>> 24) & 0xff);
  }

  /** Of an EPT fault: log2 of the EPT's page size. */
  public int eptPage() {
    return captured(register, SiteKey.HAS_EPT_PAGE, (int) (register >>> 32) & 0xff);
  }

  /** Of an EPT fault: 1 a page's first touch, 0 not. */
  public int firstTouch() {
    boolean known = (register & (SiteKey.FIRST_TOUCH | SiteKey.AGAIN)) != 0;
    return known ? (int) (register >>> 44) & 1 : NONE;
  }

  private static int captured(long word, long bit, int value) {
    return (word & bit) == 0 ? NONE : value;
  }
}
