package io.trapscope.analyzer.csv;

import io.trapscope.analyzer.table.AsciiText;
import java.nio.charset.StandardCharsets;

/** Cells as the bytes of a CSV file. */
final class CsvText extends AsciiText {
  private static final byte[] EMPTY = bytes("\"\"");

  CsvText(int size) {
    super(size + (1 << 16));
  }

  /** A word as a cell: in quotes where it has to be, which an empty one has, being no null. */
  static byte[] quote(String word) {
    boolean plain = !word.isEmpty() && word.chars().noneMatch(c -> ",\"\r\n".indexOf(c) >= 0);
    String cell = plain ? word : '"' + word.replace("\"", "\"\"") + '"';
    return cell.getBytes(StandardCharsets.UTF_8);
  }

  void comma(boolean first) {
    if (!first) {
      put(',');
    }
  }

  void endLine() {
    put('\n');
  }

  void real(double value) {
    put(bytes(Double.toString(value)));
  }

  /** No bytes at all are {@code ""}, like an empty word. */
  void hex(byte[] source, int length) {
    if (length == 0) {
      put(EMPTY);
    }
    hexadecimal(source, length);
  }
}
