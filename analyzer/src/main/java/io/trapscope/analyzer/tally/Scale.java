package io.trapscope.analyzer.tally;

/**
 * Cells for values of any size, of the same relative width: values below 2^bits have one each, and
 * from there on every power of two is divided into 2^(bits - 1). This is how HdrHistogram lays out
 * its counts.
 *
 * @param bits more than 1: a cell is at most 2^(1 - bits) of its values wide
 */
record Scale(int bits) {
  /** The cell that a value, not negative, lies in. */
  int cell(long value) {
    int octave = Long.SIZE - bits - Long.numberOfLeadingZeros(value | (1L << bits) - 1);
    return (octave << bits - 1) + (int) (value >>> octave);
  }

  /** The smallest value of a cell. */
  long lowest(int cell) {
    int octave = octave(cell);
    return (long) (cell - (octave << bits - 1)) << octave;
  }

  /** The largest value of a cell. */
  long highest(int cell) {
    return lowest(cell) + (1L << octave(cell)) - 1;
  }

  private int octave(int cell) {
    return Math.max(0, (cell >> bits - 1) - 1);
  }

  /** Number of cells up to the end of the power of two that this cell lies in. */
  int upTo(int cell) {
    return (cell >> bits - 1) + 1 << bits - 1;
  }
}
