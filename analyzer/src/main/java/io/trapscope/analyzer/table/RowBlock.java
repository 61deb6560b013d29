package io.trapscope.analyzer.table;

import java.util.Arrays;
import java.util.List;

/**
 * Up to {@link #CAPACITY} rows on their way to a file, column by column: for tables with a row an
 * event, whose cells come a field at a time for many events. Reused; a cell that is not set is
 * null, and the number in it 0. One thread at a time.
 */
public final class RowBlock {
  /** Most rows; a multiple of 64. Some fifty columns of them stay in the processor's cache. */
  public static final int CAPACITY = 512;

  private final List<Column> columns;
  private final Cells[] cells;
  private int rows;

  /** An empty block of a table. */
  public RowBlock(TableSchema schema) {
    this.columns = schema.columns();
    this.cells = new Cells[columns.size()];
    Arrays.setAll(cells, column -> new Cells());
  }

  /** Rows so far. */
  public int rows() {
    return rows;
  }

  /** Rows that there is room for. */
  public int room() {
    return CAPACITY - rows;
  }

  /** Adds so many rows of nulls, for which there has to be room. */
  public void add(int more) {
    rows += more;
  }

  /** The cells of a column. */
  public Cells column(int column) {
    return cells[column];
  }

  /** Hands the rows to a sink, cell by cell. */
  public void copyTo(RowSink sink) {
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < cells.length; column++) {
        if (cells[column].isPresent(row)) {
          cells[column].copy(row, column, columns.get(column), sink);
        }
      }
      sink.endRow();
    }
  }

  /** Takes all rows out. */
  public void clear() {
    for (Cells column : cells) {
      column.clear(rows);
    }
    rows = 0;
  }

  /** One column's cells. */
  public static final class Cells {
    private static final long[] ZEROS = new long[CAPACITY];

    /** A bit a row. */
    private final long[] present = new long[CAPACITY / Long.SIZE];

    /** As {@link RowSink#number} takes them; of BYTES where a value begins and how long it is. */
    private final long[] numbers = new long[CAPACITY];

    private boolean any;
    private String[] texts;
    private byte[] heap;
    private int heapUsed;

    /** Sets cells of a column of numbers or of known words: {@code values[i]} in row rows[i]. */
    public void numbers(int[] rows, long[] values, int count) {
      any |= count > 0;
      for (int i = 0; i < count; i++) {
        int row = rows[i];
        present[row >> 6] |= 1L << row;
        numbers[row] = values[i];
      }
    }

    /** Sets a cell of a column of text that brings its own words. */
    public void text(int row, String value) {
      if (texts == null) {
        texts = new String[CAPACITY];
      }
      texts[row] = value;
      setPresent(row);
    }

    /**
     * Sets a cell of a column of bytes: room for so many, which the caller fills in {@link #heap}.
     *
     * @return where they begin
     */
    public int bytes(int row, int length) {
      int from = heapUsed;
      heapUsed += length;
      if (heap == null || heap.length < heapUsed) {
        heap = Arrays.copyOf(heap == null ? new byte[0] : heap, 2 * heapUsed + 64);
      }
      numbers[row] = (long) from << 32 | length;
      setPresent(row);
      return from;
    }

    /** The bytes of all cells; another array after {@link #bytes}. */
    public byte[] heap() {
      return heap;
    }

    private void setPresent(int row) {
      present[row >> 6] |= 1L << row;
      any = true;
    }

    /** Whether any cell was set. */
    public boolean any() {
      return any;
    }

    /** Whether the cell of this row was set. */
    public boolean isPresent(int row) {
      return (present[row >> 6] >>> row & 1) != 0;
    }

    /** Which cells were set, a bit a row; not a copy. */
    public long[] present() {
      return present;
    }

    /** The numbers, row by row; not a copy. */
    public long[] numbers() {
      return numbers;
    }

    /** The text of a row. */
    public String text(int row) {
      return texts[row];
    }

    /** Where the bytes of a row begin in {@link #heap}. */
    public int bytesFrom(int row) {
      return (int) (numbers[row] >>> 32);
    }

    /** How many bytes a row has. */
    public int bytesLength(int row) {
      return (int) numbers[row];
    }

    private void copy(int row, int column, Column described, RowSink sink) {
      switch (described.type()) {
        case BOOL, UINT8, UINT16, UINT32, UINT64, INT64, TIMESTAMP, DURATION ->
            sink.number(column, numbers[row]);
        case FLOAT64 -> sink.real(column, Double.longBitsToDouble(numbers[row]));
        case TEXT -> {
          if (described.words().isEmpty()) {
            sink.text(column, texts[row]);
          } else {
            sink.number(column, numbers[row]);
          }
        }
        case BYTES -> sink.bytes(column, heap, bytesFrom(row), bytesLength(row));
      }
    }

    private void clear(int rows) {
      if (any) {
        Arrays.fill(present, 0);
        System.arraycopy(ZEROS, 0, numbers, 0, rows); // quicker than filling before it is compiled
        heapUsed = 0;
        any = false;
      }
    }
  }
}
