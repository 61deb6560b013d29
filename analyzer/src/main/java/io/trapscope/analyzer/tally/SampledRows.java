package io.trapscope.analyzer.tally;

/**
 * Rows of which, where there are too many, only a sample is kept: half of all keys, then a quarter,
 * and so on. Which keys are in a sample follows from the keys alone, and the rows that stay are
 * complete.
 */
abstract class SampledRows extends Rows {
  private final int values;

  /** Bits of a key's hash that have to be 0. */
  private int mask;

  /** Grows whenever rows move. */
  private int generation = 1;

  /** A number that is another one once rows have moved; never 0. */
  final int generation() {
    return generation;
  }

  SampledRows(int values, int limit) {
    super(values, limit);
    this.values = values;
  }

  /** Where the row with this key begins, a new one where there was none; -1 where not kept. */
  final int row(long a, long b, long c) {
    return keeps(a, b, c) ? find(a, b, c) : -1;
  }

  private boolean keeps(long a, long b, long c) {
    return ((int) (hash(a, b, c) >>> 40) & mask) == 0;
  }

  @Override
  int full(long a, long b, long c) {
    thin(mask << 1 | 1);
    return row(a, b, c);
  }

  private void thin(int wanted) {
    final long[] old = rows;
    final int count = size();
    mask = wanted;
    generation++;
    clear();
    for (int i = 0; i < count; i++) {
      int from = at(i);
      int at = row(old[from], old[from + 1], old[from + 2]);
      if (at >= 0) {
        System.arraycopy(old, from, rows, at, KEY + values);
      }
    }
  }

  /** Adds the rows of another table, whose events come after this one's. */
  final void merge(SampledRows other) {
    if (mask < other.mask) {
      thin(other.mask);
    }
    for (int i = 0; i < other.size(); i++) {
      int from = other.at(i);
      int at = row(other.rows[from], other.rows[from + 1], other.rows[from + 2]);
      if (at >= 0) {
        join(at, other.rows, from);
      }
    }
  }

  /** Adds the sums of a row of another table to the row at {@code at}, which may be new. */
  abstract void join(int at, long[] from, int fromAt);

  /** Of how many rows one is kept: 1, 2, 4 and so on. */
  public final int oneOf() {
    return mask + 1;
  }
}
