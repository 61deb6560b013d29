package io.trapscope.analyzer.csv;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.PartFile;
import io.trapscope.analyzer.table.TableFile;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Words;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * Writes one table's rows to one CSV file (RFC 4180, UTF-8, lines end in LF): a line of column
 * names, then a line a row. A null cell is empty; an empty text is {@code ""}. Whole numbers are
 * decimal, flags {@code true} and {@code false}, timestamps RFC 3339 in UTC with nine digits,
 * durations nanoseconds, bytes hexadecimal. What CSV has no place for, {@link CsvDescription} keeps
 * beside it.
 */
public final class CsvTableWriter implements TableFile {
  private static final int BUFFER_BYTES = 1 << 20;

  private final PartFile part;
  private final PartFile description;
  private final Column[] columns;
  private final Words[] words;

  /** For TEXT: each word so far as it stands in the file. */
  private final byte[][][] quoted;

  /** The row's cells: a number, the index of a word, or the bits of a real. */
  private final long[] numbers;

  /** For BYTES: the row's bytes, and how many. */
  private final byte[][] octets;

  private final boolean[] present;
  private final CsvText text = new CsvText(BUFFER_BYTES);
  private long rows;

  /**
   * Starts {@code directory/NAME.csv} and {@code NAME.csv-metadata.json}.
   *
   * @param metadata goes into the description
   * @throws IOException where a file cannot be made; nothing is left behind
   */
  public CsvTableWriter(Path directory, TableSchema schema, Map<String, String> metadata)
      throws IOException {
    this.columns = schema.columns().toArray(Column[]::new);
    this.words = new Words[columns.length];
    this.quoted = new byte[columns.length][][];
    this.numbers = new long[columns.length];
    this.octets = new byte[columns.length][];
    this.present = new boolean[columns.length];
    for (int i = 0; i < columns.length; i++) {
      if (columns[i].type() == ColumnType.TEXT) {
        words[i] = new Words(columns[i].words());
        quoted[i] = columns[i].words().stream().map(CsvText::quote).toArray(byte[][]::new);
      }
      text.comma(i == 0);
      text.put(CsvText.quote(columns[i].name()));
    }
    text.endLine();
    this.part = new PartFile(directory.resolve(schema.name() + ".csv"));
    try {
      this.description = CsvDescription.write(directory, schema, metadata);
    } catch (IOException e) {
      part.close();
      throw e;
    }
  }

  @Override
  public void number(int column, long value) {
    numbers[column] = value;
    present[column] = true;
  }

  @Override
  public void real(int column, double value) {
    number(column, Double.doubleToRawLongBits(value));
  }

  @Override
  public void text(int column, String value) {
    int index = words[column].indexOf(value);
    byte[][] known = quoted[column];
    if (index >= known.length) {
      known = Arrays.copyOf(known, Math.max(16, known.length * 2));
      quoted[column] = known;
    }
    if (known[index] == null) {
      known[index] = CsvText.quote(value);
    }
    number(column, index);
  }

  @Override
  public void bytes(int column, byte[] source, int offset, int length) {
    if (octets[column] == null || octets[column].length < length) {
      octets[column] = new byte[Math.max(64, length * 2)];
    }
    System.arraycopy(source, offset, octets[column], 0, length);
    number(column, length);
  }

  @Override
  public void endRow() {
    for (int i = 0; i < columns.length; i++) {
      text.comma(i == 0);
      if (present[i]) {
        appendCell(i);
        present[i] = false;
      }
    }
    text.endLine();
    rows++;
    if (text.length() >= BUFFER_BYTES) {
      try {
        part.write(text.drain());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void appendCell(int column) {
    long number = numbers[column];
    switch (columns[column].type()) {
      case BOOL -> text.flag(number != 0);
      case UINT8, UINT16, UINT32, UINT64 -> text.unsigned(number);
      case INT64, DURATION -> text.signed(number);
      case FLOAT64 -> text.real(Double.longBitsToDouble(number));
      case TEXT -> text.put(quoted[column][(int) number]);
      case BYTES -> text.hex(octets[column], (int) number);
      case TIMESTAMP -> text.timestamp(number);
    }
  }

  @Override
  public long rows() {
    return rows;
  }

  @Override
  public void finish() throws IOException {
    part.write(text.drain());
    part.finish();
    description.finish();
  }

  @Override
  public Path commit() throws IOException {
    description.commit();
    return part.commit();
  }

  @Override
  public void close() {
    part.close();
    description.close();
  }
}
