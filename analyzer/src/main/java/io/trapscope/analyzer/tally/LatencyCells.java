package io.trapscope.analyzer.tally;

import java.util.Arrays;

/**
 * Durations of one stage on one vCPU while events go by, by reason of the exit. Emptied into {@link
 * Latency}.
 *
 * <p>Design note. Each loop over a block does one thing, with nothing that can grow or be called in
 * it: a compiler makes far more of such loops than of one that does all.
 */
final class LatencyCells {
  static final int REASONS = 256;
  private static final int REASON = REASONS - 1;
  private static final int[] NONE = new int[0];

  /** By reason, and then by cell up to that of the longest duration. */
  private final int[][] cells = new int[REASONS][];

  private final long[] low = new long[REASONS];
  private final long[] high = new long[REASONS];
  private final long[] total = new long[REASONS];

  /** Durations until a cell might overflow. */
  private int room;

  LatencyCells() {
    clear();
  }

  private void clear() {
    Arrays.fill(cells, NONE);
    Arrays.fill(low, Long.MAX_VALUE);
    Arrays.fill(high, Long.MIN_VALUE);
    Arrays.fill(total, 0);
    room = Integer.MAX_VALUE;
  }

  /** Whether so many more durations can be taken before this has to be emptied. */
  boolean hasRoom(int count) {
    return count <= room;
  }

  /**
   * Takes plausible durations in ns.
   *
   * @param what a reason each, in the low byte
   */
  void record(long[] what, long[] nanos, int size) {
    room -= size;
    if (anyBeyond(what, nanos, size)) {
      stretch(what, nanos, size);
    }
    for (int i = 0; i < size; i++) {
      cells[(int) what[i] & REASON][Latency.SCALE.cell(nanos[i])]++;
    }
    for (int i = 0; i < size; i++) {
      total[(int) what[i] & REASON] += nanos[i];
    }
  }

  private boolean anyBeyond(long[] what, long[] nanos, int size) {
    long beyond = 0;
    for (int i = 0; i < size; i++) {
      int reason = (int) what[i] & REASON;
      beyond |= nanos[i] - low[reason] | high[reason] - nanos[i];
    }
    return beyond < 0;
  }

  private void stretch(long[] what, long[] nanos, int size) {
    for (int i = 0; i < size; i++) {
      int reason = (int) what[i] & REASON;
      low[reason] = Math.min(low[reason], nanos[i]);
      high[reason] = Math.max(high[reason], nanos[i]);
      int last = Latency.SCALE.cell(high[reason]);
      if (last >= cells[reason].length) {
        cells[reason] = Arrays.copyOf(cells[reason], Latency.SCALE.upTo(last));
      }
    }
  }

  /**
   * Adds what was taken to distributions and begins anew.
   *
   * @param into by reason, from {@code stage} on in steps of {@code stages}; null where there is
   *     none yet
   */
  void empty(Latency[] into, int stage, int stages) {
    for (int reason = 0; reason < REASONS; reason++) {
      if (cells[reason].length > 0) {
        int at = reason * stages + stage;
        into[at] = into[at] == null ? new Latency() : into[at];
        into[at].add(cells[reason], total[reason], low[reason], high[reason]);
      }
    }
    clear();
  }
}
