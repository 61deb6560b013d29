package io.trapscope.analyzer.tally;

import java.util.Arrays;
import org.HdrHistogram.Histogram;

/**
 * The distribution of a duration. Count, total, min and max are exact; percentiles are a
 * HdrHistogram's of three significant digits, so they are at most 0.1 % above the exact value and
 * never below.
 *
 * <p>The cells are HdrHistogram's, kept here so that a value costs a shift and an addition. They
 * grow with the range of values, not with their number: at most 360 KB. {@link #pack} keeps only
 * those that are not 0.
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
  private static final Scale SCALE = new Scale(11);

  private static final long[] NONE = new long[0];
  private static final int[] NOWHERE = new int[0];

  /** By cell; or, where packed, the counts of the cells in {@link #places}. */
  private long[] counts = NONE;

  private int[] places = NOWHERE;
  private boolean packed;
  private long total;
  private long min = Long.MAX_VALUE;
  private long max = Long.MIN_VALUE;

  /** Whether a trace's number can be a duration: 0 to {@link #LIMIT}. */
  static boolean isPlausible(long nanos) {
    return nanos >= 0 && nanos < LIMIT;
  }

  /**
   * Takes plausible durations in ns; not once packed.
   *
   * @param nanos any
   * @param which numbers of those that are taken, from {@code start} to before {@code end}
   */
  void record(long[] nanos, int[] which, int start, int end) {
    long[] cells = counts;
    long sum = 0;
    long least = min;
    long most = max;
    for (int i = start; i < end; i++) {
      long value = nanos[which[i]];
      int cell = SCALE.cell(value);
      if (cell >= cells.length) {
        grow(cell);
        cells = counts;
      }
      cells[cell]++;
      sum += value;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    total += sum;
    min = least;
    max = most;
  }

  private void grow(int cell) {
    counts = Arrays.copyOf(counts, SCALE.upTo(cell));
  }

  /** Gives back the room of cells that are 0; more can be merged in, but not recorded. */
  void pack() {
    if (packed) {
      return;
    }
    int used = 0;
    for (long count : counts) {
      used += count == 0 ? 0 : 1;
    }
    long[] kept = new long[used];
    places = new int[used];
    int next = 0;
    for (int cell = 0; cell < counts.length; cell++) {
      if (counts[cell] != 0) {
        places[next] = cell;
        kept[next++] = counts[cell];
      }
    }
    counts = kept;
    packed = true;
  }

  /** Adds another's values to these; both are packed afterwards. */
  void merge(Latency other) {
    pack();
    other.pack();
    long[] sums = new long[counts.length + other.counts.length];
    int[] cells = new int[sums.length];
    int used = 0;
    int a = 0;
    int b = 0;
    while (a < counts.length || b < other.counts.length) {
      int mine = a < counts.length ? places[a] : Integer.MAX_VALUE;
      int theirs = b < other.counts.length ? other.places[b] : Integer.MAX_VALUE;
      cells[used] = Math.min(mine, theirs);
      sums[used] += mine <= theirs ? counts[a++] : 0;
      sums[used++] += theirs <= mine ? other.counts[b++] : 0;
    }
    counts = Arrays.copyOf(sums, used);
    places = Arrays.copyOf(cells, used);
    total += other.total;
    min = Math.min(min, other.min);
    max = Math.max(max, other.max);
  }

  /** A copy, packed. */
  public Latency copy() {
    Latency copy = new Latency();
    copy.merge(this);
    return copy;
  }

  /** The same distribution for whoever needs HdrHistogram's other answers. */
  public Histogram histogram() {
    Histogram histogram = new Histogram(LIMIT, DIGITS);
    for (int i = 0; i < counts.length; i++) {
      if (counts[i] != 0) {
        histogram.recordValueWithCount(SCALE.lowest(packed ? places[i] : i), counts[i]);
      }
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
      long lowest = SCALE.lowest(packed ? places[i] : i);
      octaves[Long.SIZE - Long.numberOfLeadingZeros(lowest)] += counts[i];
    }
    return octaves;
  }
}
