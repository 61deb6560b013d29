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

  private long longest = Bucket.NEVER;
  private boolean used;

  /** Adds an exit, guest time and all. */
  void add(Exit exit) {
    int at = exit.reason() << WORDS;
    long handling = exit.handling;
    sums[at]++;
    sums[at + 1] += exit.guest;
    sums[at + 2] += handling;
    if (exit.isHandlingTold()) {
      cells[Bucket.SCALE.cell(handling)]++;
      longest = Math.max(longest, handling);
    }
    used = true;
  }

  boolean isUsed() {
    return used;
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
    if (longest != Bucket.NEVER) {
      int last = Bucket.SCALE.cell(longest);
      into.addLatencies(cells, last + 1, longest);
      Arrays.fill(cells, 0, last + 1, 0);
    }
    Arrays.fill(sums, 0);
    longest = Bucket.NEVER;
    used = false;
  }
}
