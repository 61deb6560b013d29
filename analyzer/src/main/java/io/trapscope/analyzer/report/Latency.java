package io.trapscope.analyzer.report;

import org.HdrHistogram.Histogram;

/**
 * The distribution of a duration. Count, total, min and max are exact; percentiles come from a
 * HdrHistogram of three significant digits, so they are at most 0.1 % above the exact value and
 * never below. Grows with the range of values, not with their number: at most 440 KB.
 */
final class Latency {
  /** HdrHistogram's significant digits. */
  static final int DIGITS = 3;

  private final Histogram histogram = new Histogram(DIGITS);
  private long total;
  private long min = Long.MAX_VALUE;
  private long max = Long.MIN_VALUE;

  /** Takes a duration in ns, 0 or more. */
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
    return Math.round((double) total / count());
  }

  /** The smallest recorded value that {@code percent} of all values do not exceed. */
  long percentile(double percent) {
    return Math.min(max, Math.max(min, histogram.getValueAtPercentile(percent)));
  }
}
