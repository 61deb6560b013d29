package io.trapscope.analyzer.tally;

import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/** What is counted in a {@link Bucket} while exits go by, with room for whatever may come. */
final class OpenBucket {
  private static final int REASONS = LatencyCells.REASONS;
  private static final int WORDS = 2;

  /** For each reason code: count, guest time, handling time. */
  private final long[] sums = new long[REASONS << WORDS];

  /** Handling times by cell of {@link Bucket#SCALE}. */
  private final int[] cells = new int[Bucket.SCALE.upTo(Bucket.SCALE.cell(Long.MAX_VALUE))];

  private long longest = -1;

  /** Adds exits, guest time and all; each loop does one thing, as in {@link LatencyCells}. */
  void add(Exits exits) {
    int size = exits.size;
    for (int i = 0; i < size; i++) {
      int at = ((int) exits.what[i] & REASONS - 1) << WORDS;
      sums[at]++;
      sums[at + 1] += exits.guest[i];
      sums[at + 2] += exits.handling[i];
    }
    for (int i = 0; i < size; i++) {
      cells[Bucket.SCALE.cell(exits.handling[i])]++;
    }
    for (int i = 0; i < size; i++) {
      longest = Math.max(longest, exits.handling[i]);
    }
  }

  boolean isUsed() {
    return longest >= 0;
  }

  /**
   * Adds everything to a bucket and begins anew.
   *
   * @param place the place in a bucket of a reason code
   */
  void empty(Bucket into, IntUnaryOperator place) {
    for (int reason = 0; reason < REASONS; reason++) {
      int at = reason << WORDS;
      if (sums[at] > 0) {
        into.add(place.applyAsInt(reason), sums[at], sums[at + 1], sums[at + 2]);
      }
    }
    int used = Bucket.SCALE.cell(longest) + 1;
    into.addLatencies(cells, used, longest);
    Arrays.fill(sums, 0);
    Arrays.fill(cells, 0, used, 0);
    longest = -1;
  }
}
