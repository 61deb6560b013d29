package io.trapscope.analyzer.csv;

import io.trapscope.analyzer.table.CellText;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Cells as the bytes of a CSV file, in a buffer that grows. Nothing is allocated a cell. */
final class CsvText {
  private static final int NANOS_A_SECOND = 1_000_000_000;
  private static final byte[] TRUE = ascii("true");
  private static final byte[] FALSE = ascii("false");
  private static final byte[] EMPTY = ascii("\"\"");
  private static final byte[] DIGITS = ascii("0123456789abcdef");
  private static final int FRACTION_DIGITS = 9;

  private final byte[] reversed = new byte[20];
  private byte[] bytes;
  private int end;

  /** The second that {@link #wholeSecond} spells; timestamps of a trace lie close together. */
  private long second = Long.MIN_VALUE;

  private byte[] wholeSecond = {};

  CsvText(int size) {
    bytes = new byte[size + (1 << 16)];
  }

  /** A word as a cell: in quotes where it has to be, which an empty one has, being no null. */
  static byte[] quote(String word) {
    boolean plain = !word.isEmpty() && word.chars().noneMatch(c -> ",\"\r\n".indexOf(c) >= 0);
    String cell = plain ? word : '"' + word.replace("\"", "\"\"") + '"';
    return cell.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** Bytes that wait. */
  int bytes() {
    return end;
  }

  /** The bytes that wait, to be written before the next cell. */
  ByteBuffer drain() {
    ByteBuffer all = ByteBuffer.wrap(bytes, 0, end);
    end = 0;
    return all;
  }

  void comma(boolean first) {
    if (!first) {
      room(1);
      bytes[end++] = ',';
    }
  }

  void endLine() {
    room(1);
    bytes[end++] = '\n';
  }

  void put(byte[] word) {
    room(word.length);
    System.arraycopy(word, 0, bytes, end, word.length);
    end += word.length;
  }

  void flag(boolean value) {
    put(value ? TRUE : FALSE);
  }

  void signed(long value) {
    if (value < 0) {
      room(1);
      bytes[end++] = '-';
    }
    unsigned(Math.abs(value));
  }

  /** All 64 bits; so the magnitude of the smallest long too. */
  void unsigned(long value) {
    long rest = value;
    int length = 0;
    do {
      long quotient = Long.divideUnsigned(rest, 10);
      reversed[length++] = (byte) ('0' + (int) (rest - quotient * 10));
      rest = quotient;
    } while (rest != 0);
    room(length);
    while (length > 0) {
      bytes[end++] = reversed[--length];
    }
  }

  void real(double value) {
    put(ascii(Double.toString(value)));
  }

  /** No bytes at all are {@code ""}, like an empty word. */
  void hex(byte[] source, int length) {
    if (length == 0) {
      put(EMPTY);
    }
    room(2 * length);
    for (int i = 0; i < length; i++) {
      bytes[end++] = DIGITS[(source[i] >> 4) & 0xf];
      bytes[end++] = DIGITS[source[i] & 0xf];
    }
  }

  void timestamp(long nanos) {
    long whole = Math.floorDiv(nanos, (long) NANOS_A_SECOND);
    if (whole != second) {
      second = whole;
      String spelled = CellText.timestamp(whole * NANOS_A_SECOND);
      wholeSecond = ascii(spelled.substring(0, spelled.length() - FRACTION_DIGITS - 1));
    }
    put(wholeSecond);
    room(FRACTION_DIGITS + 1);
    int fraction = (int) Math.floorMod(nanos, (long) NANOS_A_SECOND);
    for (int i = FRACTION_DIGITS - 1; i >= 0; i--) {
      bytes[end + i] = (byte) ('0' + fraction % 10);
      fraction /= 10;
    }
    end += FRACTION_DIGITS;
    bytes[end++] = 'Z';
  }

  private void room(int needed) {
    if (bytes.length - end < needed) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, end + needed));
    }
  }
}
