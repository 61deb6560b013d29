package io.trapscope.analyzer.tally;

import java.util.Arrays;
import org.HdrHistogram.Histogram;

/**
 * The distribution of a duration. Count, total, min and max are exact; percentiles are a
 * HdrHistogram's of three significant digits, so they are at most 0.1 % above the exact value and
 * never below.
 *
 * <p>The cells are HdrHistogram's. Only those that are not 0 are kept: how many there are follows
 * from the range of values, not from their number.
 */
public final class Latency {
  /** HdrHistogram's significant digits. */
  static final int DIGITS = 3;

  /**
   * Durations from here on, 104 days in ns, are none: only a damaged trace has them, and their sums
   * would overflow.
   */
  public static final long LIMIT = 1L << 53;

  /** 2^11 is the power of two above 2 * 10^3. */
  static final Scale SCALE = new Scale(11);

  private static final long[] NONE = new long[0];
  private static final int[] NOWHERE = new int[0];

  /** Of the cells in {@link #places}, which ascend. */
  private long[] counts = NONE;

  private int[] places = NOWHERE;
  private long total;
  private long min = Long.MAX_VALUE;
  private long max = Long.MIN_VALUE;

  /** Whether a trace's number can be a duration: 0 to {@link #LIMIT}. */
  static boolean isPlausible(long nanos) {
    return nanos >= 0 && nanos < LIMIT;
  }

  /** Adds durations: how many there are of each cell, their sum, the shortest and the longest. */
  void add(int[] cells, long sum, long shortest, long longest) {
    int used = 0;
    for (int count : cells) {
      used += count == 0 ? 0 : 1;
    }
    long[] found = new long[used];
    int[] where = new int[used];
    int next = 0;
    for (int cell = 0; cell < cells.length; cell++) {
      if (cells[cell] != 0) {
        where[next] = cell;
        found[next++] = cells[cell];
      }
    }
    add(found, where, sum, shortest, longest);
  }

  /** Adds another's values to these. */
  void merge(Latency other) {
    add(other.counts, other.places, other.total, other.min, other.max);
  }

  private void add(long[] theirs, int[] where, long sum, long shortest, long longest) {
    total += sum;
    min = Math.min(min, shortest);
    max = Math.max(max, longest);
    long[] sums = new long[counts.length + theirs.length];
    int[] all = new int[sums.length];
    int used = 0;
    int a = 0;
    int b = 0;
    while (a < counts.length || b < theirs.length) {
      int ours = a < counts.length ? places[a] : Integer.MAX_VALUE;
      int other = b < theirs.length ? where[b] : Integer.MAX_VALUE;
      all[used] = Math.min(ours, other);
      sums[used] += ours <= other ? counts[a++] : 0;
      sums[used++] += other <= ours ? theirs[b++] : 0;
    }
    counts = Arrays.copyOf(sums, used);
    places = Arrays.copyOf(all, used);
  }

  /** A copy. */
  public Latency copy() {
    Latency copy = new Latency();
    copy.merge(this);
    return copy;
  }

  /** The same distribution for whoever needs HdrHistogram's other answers. */
  public Histogram histogram() {
    Histogram histogram = new Histogram(LIMIT, DIGITS);
    for (int i = 0; i < counts.length; i++) {
      histogram.recordValueWithCount(SCALE.lowest(places[i]), counts[i]);
    }
    return histogram;
  }

  public long count() {
    return Arrays.stream(counts).sum();
  }

  /** All of them added up, ns. */
  public long total() {
    return total;
  }

  /** Smallest value; only where {@link #count} is not 0. */
  public long min() {
    return min;
  }

  /** Largest value; only where {@link #count} is not 0. */
  public long max() {
    return max;
  }

  /** Total through count, rounded to the nearest ns. */
  public long mean() {
    long count = count();
    return (total + count / 2) / count;
  }

  /** For each percentage the smallest value that so many of all values do not exceed. */
  public long[] percentiles(double... percents) {
    Histogram histogram = histogram();
    return Arrays.stream(percents)
        .mapToLong(percent -> bounded(histogram.getValueAtPercentile(percent)))
        .toArray();
  }

  private long bounded(long value) {
    return Math.min(max, Math.max(min, value));
  }

  /** How many values lie in each power of two: [0] those that are 0, [n] from 2^(n-1) on. */
  public long[] octaves() {
    long[] octaves = new long[Long.SIZE - Long.numberOfLeadingZeros(LIMIT)];
    for (int i = 0; i < counts.length; i++) {
      long lowest = SCALE.lowest(places[i]);
      octaves[Long.SIZE - Long.numberOfLeadingZeros(lowest)] += counts[i];
    }
    return octaves;
  }
}
