package io.trapscope.analyzer.table;

import static java.util.Comparator.naturalOrder;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** A table in memory, column by column. Immutable. Meant for results, not for one row an exit. */
public final class Table {
  private final TableSchema schema;
  private final int rows;
  private final Cells[] cells;
  private final List<String> notes;

  private Table(TableSchema schema, int rows, Cells[] cells, List<String> notes) {
    this.schema = schema;
    this.rows = rows;
    this.cells = cells;
    this.notes = List.copyOf(notes);
  }

  /** A builder for a table with this schema. */
  public static Builder builder(TableSchema schema) {
    return new Builder(schema);
  }

  /** Name and columns. */
  public TableSchema schema() {
    return schema;
  }

  /** Number of rows. */
  public int rows() {
    return rows;
  }

  /** What a reader of the rows has to know; printed after them, a line each. */
  public List<String> notes() {
    return notes;
  }

  /** Whether the cell holds nothing. */
  public boolean isNull(int row, int column) {
    checkRow(row);
    return !cells[column].present.get(row);
  }

  /** The cell of a numeric column, as {@link RowSink#number} took it; 0 where null. */
  public long number(int row, int column) {
    checkRow(row);
    return cells[column].numbers[row];
  }

  /** The cell of a FLOAT64 column; 0 where null. */
  public double real(int row, int column) {
    checkRow(row);
    return Double.longBitsToDouble(cells[column].numbers[row]);
  }

  /** The cell of a TEXT column; null where the cell is. */
  public String text(int row, int column) {
    checkRow(row);
    Column described = schema.columns().get(column);
    if (described.words().isEmpty()) {
      return (String) cells[column].object(row);
    }
    return isNull(row, column) ? null : described.words().get((int) cells[column].numbers[row]);
  }

  /** The cell of a BYTES column, not a copy; null where the cell is. */
  public byte[] bytes(int row, int column) {
    checkRow(row);
    return (byte[]) cells[column].object(row);
  }

  /** Hands every row to {@code sink}, whose columns must be this table's. */
  public void copyTo(RowSink sink) {
    for (int row = 0; row < rows; row++) {
      copyRow(row, sink);
    }
  }

  private void copyRow(int row, RowSink sink) {
    for (int column = 0; column < cells.length; column++) {
      if (!isNull(row, column)) {
        copyCell(row, column, sink);
      }
    }
    sink.endRow();
  }

  /** The same rows: numbers with the largest first, text from A to Z, what is null last. */
  public Table sortedBy(int column) {
    boolean text = schema.columns().get(column).type() == ColumnType.TEXT;
    Comparator<Integer> order =
        text
            ? Comparator.comparing(row -> text(row, column), Comparator.nullsLast(naturalOrder()))
            : Comparator.comparing((Integer row) -> isNull(row, column))
                .thenComparing(
                    (a, b) -> -Long.compareUnsigned(number(a, column), number(b, column)));
    Builder sorted = builder(schema);
    IntStream.range(0, rows).boxed().sorted(order).forEach(row -> copyRow(row, sorted));
    notes.forEach(sorted::note);
    return sorted.build();
  }

  /** The first {@code most} rows, with a note where that is not all. */
  public Table head(int most) {
    return head(most, String.format(Locale.ROOT, "%,d rows more are in the files", rows - most));
  }

  /** The first {@code most} rows, with this note where that is not all. */
  public Table head(int most, String note) {
    if (rows <= most) {
      return this;
    }
    List<String> more = new ArrayList<>(notes);
    more.add(note);
    return new Table(schema, most, cells, more);
  }

  private void copyCell(int row, int column, RowSink sink) {
    Column described = schema.columns().get(column);
    switch (described.type()) {
      case BOOL, UINT8, UINT16, UINT32, UINT64, INT64, TIMESTAMP, DURATION ->
          sink.number(column, number(row, column));
      case FLOAT64 -> sink.real(column, real(row, column));
      case TEXT -> {
        if (described.words().isEmpty()) {
          sink.text(column, text(row, column));
        } else {
          sink.number(column, number(row, column));
        }
      }
      case BYTES -> {
        byte[] value = bytes(row, column);
        sink.bytes(column, value, 0, value.length);
      }
    }
  }

  private void checkRow(int row) {
    if (row < 0 || row >= rows) {
      throw new IndexOutOfBoundsException("row " + row + " of " + rows);
    }
  }

  /** Cells of one column: numbers and doubles as bits, the rest as objects. */
  private static final class Cells {
    final BitSet present = new BitSet();
    long[] numbers = new long[16];
    Object[] objects;

    void set(int row, long value) {
      if (row >= numbers.length) {
        numbers = Arrays.copyOf(numbers, row * 2);
      }
      numbers[row] = value;
      present.set(row);
    }

    void set(int row, Object value) {
      if (objects == null || row >= objects.length) {
        objects = objects == null ? new Object[row + 16] : Arrays.copyOf(objects, row * 2);
      }
      objects[row] = value;
      present.set(row);
    }

    Object object(int row) {
      return objects == null || row >= objects.length ? null : objects[row];
    }
  }

  /** Collects rows. Not for more than one thread. */
  public static final class Builder implements RowSink {
    private final TableSchema schema;
    private final Cells[] cells;
    private final List<String> notes = new ArrayList<>();
    private int rows;

    private Builder(TableSchema schema) {
      this.schema = schema;
      this.cells = new Cells[schema.columns().size()];
      Arrays.setAll(cells, i -> new Cells());
    }

    @Override
    public void number(int column, long value) {
      cells[column].set(rows, value);
    }

    @Override
    public void real(int column, double value) {
      cells[column].set(rows, Double.doubleToRawLongBits(value));
    }

    @Override
    public void text(int column, String value) {
      cells[column].set(rows, (Object) value);
    }

    @Override
    public void bytes(int column, byte[] source, int offset, int length) {
      cells[column].set(rows, (Object) Arrays.copyOfRange(source, offset, offset + length));
    }

    @Override
    public void endRow() {
      rows++;
      for (Cells column : cells) {
        if (column.numbers.length <= rows) {
          column.numbers = Arrays.copyOf(column.numbers, rows * 2);
        }
      }
    }

    /** Adds a note. */
    public Builder note(String note) {
      notes.add(note);
      return this;
    }

    /** The table of the rows so far; the builder is not used again. */
    public Table build() {
      return new Table(schema, rows, cells, notes);
    }
  }
}
