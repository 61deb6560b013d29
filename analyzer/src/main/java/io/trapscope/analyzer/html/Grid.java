package io.trapscope.analyzer.html;

import java.util.Arrays;

/** Sums by row and column, where columns are stretches of time. Rows are made on first need. */
final class Grid {
  private final long[][] rows;

  Grid(int rows) {
    this.rows = new long[rows][];
  }

  void add(int row, int column, long value) {
    long[] cells = rows[row];
    if (cells == null) {
      cells = new long[TimeScale.COLUMNS];
      rows[row] = cells;
    }
    cells[column] += value;
  }

  /** Makes one column of every two. */
  void fold() {
    for (long[] cells : rows) {
      if (cells != null) {
        for (int i = 0; i < TimeScale.COLUMNS / 2; i++) {
          cells[i] = cells[2 * i] + cells[2 * i + 1];
        }
        Arrays.fill(cells, TimeScale.COLUMNS / 2, TimeScale.COLUMNS, 0);
      }
    }
  }

  /** Makes one row of every two of the first {@code count}. */
  void foldRows(int count) {
    for (int i = 0; i < count / 2; i++) {
      rows[i] = sum(rows[2 * i], rows[2 * i + 1]);
    }
    Arrays.fill(rows, count / 2, count, null);
  }

  private static long[] sum(long[] cells, long[] others) {
    if (cells != null && others != null) {
      Arrays.setAll(cells, i -> cells[i] + others[i]);
    }
    return cells == null ? others : cells;
  }

  /** Number of rows. */
  int rows() {
    return rows.length;
  }

  /** The cells of a row; null where nothing was ever added to it. */
  long[] row(int row) {
    return rows[row];
  }
}
