package io.trapscope.analyzer.html;

import java.util.ArrayList;
import java.util.List;

/**
 * Columns of equal length that cover a run whose length nobody knows yet: when a time lies beyond
 * the last one, every two become one, in every grid, until it fits. So the columns are at most
 * twice as many as needed and never fewer than half of {@link #COLUMNS}, but for a very short run.
 */
final class TimeScale {
  /** Columns of every grid. */
  static final int COLUMNS = 512;

  private static final long FIRST_NANOS = 1 << 10;

  private final long origin;
  private final List<Grid> grids = new ArrayList<>();
  private long nanos = FIRST_NANOS;
  private int used;

  /** Columns from this time on, ns of the trace's clock. */
  TimeScale(long origin) {
    this.origin = origin;
  }

  /** A grid with these columns. */
  Grid grid(int rows) {
    Grid grid = new Grid(rows);
    grids.add(grid);
    return grid;
  }

  /** The column of a time; those before the first one count as in it. */
  int column(long time) {
    long since = Math.max(0, time - origin);
    while (since / nanos >= COLUMNS) {
      grids.forEach(Grid::fold);
      nanos *= 2;
      used = (used + 1) / 2;
    }
    int column = (int) (since / nanos);
    used = Math.max(used, column + 1);
    return column;
  }

  /** Adds the time from {@code from} to {@code to} to a row, to each column its part. */
  void spread(Grid grid, int row, long from, long to) {
    long at = Math.max(from, origin);
    if (at >= to) {
      return;
    }
    column(to);
    while (at < to) {
      int column = column(at);
      long end = Math.min(to, origin + (column + 1) * nanos);
      grid.add(row, column, end - at);
      at = end;
    }
  }

  /** ns since the origin. */
  long since(long time) {
    return Math.max(0, time - origin);
  }

  /** ns a column. */
  long nanos() {
    return nanos;
  }

  /** Columns that anything lies in. */
  int used() {
    return Math.max(1, used);
  }
}
