package io.trapscope.vmm.device;

/**
 * The time-stamp counter as a function of guest time: a fixed rate and an offset that the guest
 * sets by writing the counter.
 */
public final class Tsc {
  private static final long SECOND = 1_000_000_000;

  private final long hz;
  private long offset;

  /**
   * @param hz counts a second; 1 GHz on {@code soft}, where guest time is one ns an instruction
   */
  public Tsc(long hz) {
    this.hz = hz;
  }

  public long hz() {
    return hz;
  }

  /** The counter at a guest time in ns. */
  public long at(long guestNanos) {
    return scale(guestNanos, hz, SECOND) + offset;
  }

  /** Makes the counter show {@code value} at {@code guestNanos}. */
  public void set(long value, long guestNanos) {
    offset = value - scale(guestNanos, hz, SECOND);
  }

  /** What the guest's writes have added to the counter. */
  public long offset() {
    return offset;
  }

  /** The first guest time, in ns, at which the counter is {@code value} or more. */
  public long nanosAt(long value) {
    long counts = value - offset;
    if (counts <= 0) {
      return 0;
    }
    // Past the end of time in ns: never.
    if (counts / hz >= Long.MAX_VALUE / SECOND) {
      return Long.MAX_VALUE;
    }
    long nanos = scale(counts, SECOND, hz);
    return scale(nanos, hz, SECOND) < counts ? nanos + 1 : nanos;
  }

  /** {@code value * to / from}, rounded down, without overflow of the product. */
  private static long scale(long value, long to, long from) {
    return value / from * to + value % from * to / from;
  }
}
