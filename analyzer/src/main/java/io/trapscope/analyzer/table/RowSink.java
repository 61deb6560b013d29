package io.trapscope.analyzer.table;

/**
 * Takes rows one at a time, a cell at a time. A cell that is not set before {@link #endRow} is
 * null. One thread at a time; nothing is allocated a row.
 */
public interface RowSink {
  /**
   * Sets a cell of a numeric column: an integer (its low bits, unsigned types too), BOOL as 0 or 1,
   * TIMESTAMP as nanoseconds since the epoch, DURATION as nanoseconds; or of a TEXT column with
   * {@link Column#words}: the index of the word.
   */
  void number(int column, long value);

  /** Sets a cell of a FLOAT64 column. */
  void real(int column, double value);

  /** Sets a cell of a TEXT column without {@link Column#words}. */
  void text(int column, String value);

  /** Sets a cell of a BYTES column to a copy of {@code length} bytes. */
  void bytes(int column, byte[] source, int offset, int length);

  /** Ends the row. */
  void endRow();

  /** Takes the rows of a block, between rows; all blocks but the last are full. */
  default void append(RowBlock block) {
    block.copyTo(this);
  }
}
