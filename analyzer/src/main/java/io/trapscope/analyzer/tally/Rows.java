package io.trapscope.analyzer.tally;

import java.util.Arrays;

/**
 * Rows of numbers in one array, found by a key of three: the first words of a row are its key, the
 * rest are sums. Open addressing; a look-up allocates nothing.
 *
 * <p>{@link #full} is what keeps a table bounded. It must not depend on the order of rows, so that
 * parts of a trace merge to the whole.
 */
abstract class Rows {
  /** Words of a key. */
  static final int KEY = 3;

  private static final int FIRST_ROWS = 64;

  /** Words of a row. */
  private final int words;

  private final int limit;

  /** The rows, one after the other. */
  long[] rows;

  private int size;

  /** Number of a row plus one, 0 where free; a power of two, at most a quarter full. */
  private int[] index;

  /**
   * An empty table.
   *
   * @param values words of a row after its key
   * @param limit rows from which on {@link #full} is asked
   */
  Rows(int values, int limit) {
    this.words = KEY + values;
    this.limit = limit;
    clear();
  }

  /** Takes all rows out. */
  final void clear() {
    rows = new long[FIRST_ROWS * words];
    index = new int[FIRST_ROWS * 4];
    size = 0;
  }

  /** Number of rows. */
  public final int size() {
    return size;
  }

  /** Where the row with this number begins. */
  final int at(int number) {
    return number * words;
  }

  /** Where the row with this key begins; where there is none, what {@link #insert} returns. */
  final int find(long a, long b, long c) {
    int slot = (int) hash(a, b, c) & index.length - 1;
    // The row of number 0 is looked at for nothing where there is none: no branch to foretell.
    int at = Math.max(0, index[slot] - 1) * words;
    return rows[at] == a && rows[at + 1] == b && rows[at + 2] == c && index[slot] != 0
        ? at
        : search(slot, a, b, c);
  }

  private int search(int from, long a, long b, long c) {
    int mask = index.length - 1;
    for (int slot = from; ; slot = slot + 1 & mask) {
      int number = index[slot];
      if (number == 0) {
        return insert(slot, a, b, c);
      }
      int at = (number - 1) * words;
      if (rows[at] == a && rows[at + 1] == b && rows[at + 2] == c) {
        return at;
      }
    }
  }

  static long hash(long a, long b, long c) {
    long mixed =
        a * 0x9e37_79b9_7f4a_7c15L ^ b * 0xc2b2_ae3d_27d4_eb4fL ^ c * 0x1656_67b1_9e37_79f9L;
    return mixed ^ mixed >>> 32;
  }

  private int insert(int slot, long a, long b, long c) {
    if (size >= limit) {
      int elsewhere = full(a, b, c);
      if (elsewhere != GO_ON) {
        return elsewhere;
      }
    }
    int at = size * words;
    if (at == rows.length) {
      rows = Arrays.copyOf(rows, rows.length * 2);
    }
    rows[at] = a;
    rows[at + 1] = b;
    rows[at + 2] = c;
    index[slot] = ++size;
    start(at);
    if (size * 4 > index.length) {
      index = new int[index.length * 2];
      reindex();
    }
    return at;
  }

  private void reindex() {
    int mask = index.length - 1;
    for (int i = 0; i < size; i++) {
      int at = i * words;
      int slot = (int) hash(rows[at], rows[at + 1], rows[at + 2]) & mask;
      while (index[slot] != 0) {
        slot = slot + 1 & mask;
      }
      index[slot] = i + 1;
    }
  }

  /** What {@link #full} returns where the row is to be added all the same. */
  static final int GO_ON = -2;

  /**
   * Called when a new row would be more than the limit.
   *
   * @return where the row for this key begins, -1 where it is not kept, or {@link #GO_ON}
   */
  abstract int full(long a, long b, long c);

  /** Sets up the sums of a new row; they are 0. */
  void start(int at) {}
}
