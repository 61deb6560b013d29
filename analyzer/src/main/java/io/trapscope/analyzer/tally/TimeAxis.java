package io.trapscope.analyzer.tally;

/**
 * How time is cut into buckets. Times are of the trace's clock, ns.
 *
 * @param origin where the first bucket begins
 * @param width ns of a bucket to begin with, 1 or more
 * @param most buckets at most: where time goes on beyond them, ten become one
 */
public record TimeAxis(long origin, long width, int most) {
  private static final long FINEST = 100_000;

  /** Buckets where nobody has asked for a width: enough to draw any picture from. */
  private static final int ENOUGH = 2000;

  /** Buckets where somebody has asked for a width. */
  public static final int MOST_ASKED = 10_000;

  /** Buckets from 0.1 ms on, up to 2,000 of them. */
  public static TimeAxis from(long origin) {
    return new TimeAxis(origin, FINEST, ENOUGH);
  }

  /** Buckets of this width, up to 10,000 of them. */
  public static TimeAxis of(long origin, long width) {
    return new TimeAxis(origin, width, MOST_ASKED);
  }
}
