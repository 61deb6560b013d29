package io.trapscope.analyzer.html;

import io.trapscope.analyzer.tally.Bucket;
import java.util.ArrayList;
import java.util.List;

/**
 * Rows of equal size that cover guest-physical space up to the end of RAM, and one more for what
 * lies behind it: devices. Of a machine whose RAM is not known, as of one that was attached to, the
 * rows grow, every two becoming one, until they reach all that there can be.
 */
final class SpaceScale {
  /** Rows below the end of RAM; the one with this number is for all that is above. */
  static final int ROWS = 128;

  private static final long SMALLEST_ROW = 1 << 12;

  private final List<Grid> grids = new ArrayList<>();
  private final long ramEnd;
  private long rowBytes;

  /**
   * Rows up to {@code ramEnd}; 0 where nobody knows it.
   *
   * @param ramEnd first guest-physical address behind all RAM
   */
  SpaceScale(long ramEnd) {
    this.ramEnd = ramEnd;
    this.rowBytes = ramEnd > 0 ? (ramEnd + ROWS - 1) / ROWS : SMALLEST_ROW;
  }

  /** A grid with {@link #ROWS} rows and one more. */
  void add(Grid grid) {
    grids.add(grid);
  }

  /** The row of an address. */
  int row(long gpa) {
    if (Long.compareUnsigned(gpa, end()) >= 0) {
      return ROWS;
    }
    while (gpa / rowBytes >= ROWS) {
      grids.forEach(grid -> grid.foldRows(ROWS));
      rowBytes *= 2;
    }
    return (int) (gpa / rowBytes);
  }

  /** From where on addresses are in the row above all others. */
  long end() {
    return ramEnd > 0 ? ramEnd : Bucket.LARGEST;
  }

  /** Bytes of each row below. */
  long rowBytes() {
    return rowBytes;
  }
}
