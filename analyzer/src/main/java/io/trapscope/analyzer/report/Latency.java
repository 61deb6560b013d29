package io.trapscope.analyzer.report;

import org.HdrHistogram.Histogram;

/**
 * The distribution of a duration. Count, total, min and max are exact; percentiles come from a
 * HdrHistogram of three significant digits, so they are at most 0.1 % above the exact value and
 * never below. Grows with the range of values, not with their number: at most 360 KB.
 */
final class Latency {
  /** HdrHistogram's significant digits. */
  static final int DIGITS = 3;

  /**
   * Durations from here on, 104 days in ns, are none: only a damaged trace has them, and their sums
   * would overflow.
   */
  static final long LIMIT = 1L << 53;

  private final Histogram histogram = new Histogram(DIGITS);
  private long total;
  private long min = Long.MAX_VALUE;
  private long max = Long.MIN_VALUE;

  /** Whether a trace's number can be a duration: 0 to {@link #LIMIT}. */
  static boolean isPlausible(long nanos) {
    return nanos >= 0 && nanos < LIMIT;
  }

  /** Takes a plausible duration in ns. */
  void record(long nanos) {
    histogram.recordValue(nanos);
    total += nanos;
    min = Math.min(min, nanos);
    max = Math.max(max, nanos);
  }

  void merge(Latency other) {
    histogram.add(other.histogram);
    total += other.total;
    min = Math.min(min, other.min);
    max = Math.max(max, other.max);
  }

  /** The distribution; not a copy. */
  Histogram histogram() {
    return histogram;
  }

  long count() {
    return histogram.getTotalCount();
  }

  long total() {
    return total;
  }

  /** Smallest value; only where {@link #count} is not 0. */
  long min() {
    return min;
  }

  /** Largest value; only where {@link #count} is not 0. */
  long max() {
    return max;
  }

  /** Total through count, rounded to the nearest ns. */
  long mean() {
    return (total + count() / 2) / count();
  }

  /** The smallest recorded value that {@code percent} of all values do not exceed. */
  long percentile(double percent) {
    return Math.min(max, Math.max(min, histogram.getValueAtPercentile(percent)));
  }
}
