package io.trapscope.analyzer.table;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Text being put together in a buffer that grows, as bytes of ASCII. Spelling a number or a time
 * allocates nothing.
 */
public class AsciiText {
  private static final int NANOS_A_SECOND = 1_000_000_000;
  private static final int FRACTION_DIGITS = 9;
  private static final byte[] TRUE = bytes("true");
  private static final byte[] FALSE = bytes("false");
  private static final byte[] DIGITS = bytes("0123456789abcdef");

  private final byte[] reversed = new byte[20];
  private byte[] bytes;
  private int end;

  /** The second that {@link #wholeSecond} spells; timestamps of a trace lie close together. */
  private long second = Long.MIN_VALUE;

  private byte[] wholeSecond = {};

  /** An empty text with room for so many bytes before it grows. */
  public AsciiText(int room) {
    bytes = new byte[room];
  }

  /** The bytes of a word of ASCII. */
  public static byte[] bytes(String word) {
    return word.getBytes(StandardCharsets.US_ASCII);
  }

  /** Bytes that wait. */
  public final int length() {
    return end;
  }

  /** The bytes that wait, from 0 to {@link #length}, until something else is put or drained. */
  public final byte[] array() {
    return bytes;
  }

  /** Takes out the bytes that wait, to be written before anything else is put. */
  public final ByteBuffer drain() {
    ByteBuffer all = ByteBuffer.wrap(bytes, 0, end);
    clear();
    return all;
  }

  /** Leaves nothing that waits. */
  public final void clear() {
    end = 0;
  }

  public final void put(char character) {
    room(1);
    bytes[end++] = (byte) character;
  }

  public final void put(byte[] word) {
    room(word.length);
    System.arraycopy(word, 0, bytes, end, word.length);
    end += word.length;
  }

  /** {@code true} or {@code false}. */
  public final void flag(boolean value) {
    put(value ? TRUE : FALSE);
  }

  public final void signed(long value) {
    if (value < 0) {
      put('-');
    }
    unsigned(Math.abs(value));
  }

  /** All 64 bits; so the magnitude of the smallest long too. */
  public final void unsigned(long value) {
    long rest = value;
    int length = 0;
    while (rest >>> Integer.SIZE != 0) {
      long quotient = Long.divideUnsigned(rest, 10);
      reversed[length++] = (byte) ('0' + (int) (rest - quotient * 10));
      rest = quotient;
    }
    do {
      long quotient = tenth(rest);
      reversed[length++] = (byte) ('0' + (int) (rest - quotient * 10));
      rest = quotient;
    } while (rest != 0);
    room(length);
    while (length > 0) {
      bytes[end++] = reversed[--length];
    }
  }

  /**
   * A tenth of a number of 32 bits, which a quick compiler would divide for: 2^35 / 10 rounded up.
   */
  private static long tenth(long value) {
    return value * 0xcccc_cccdL >>> 35;
  }

  /** A number of 64 bits in hexadecimal, without leading zeros. */
  public final void hexadecimal(long value) {
    int digits = Math.max(1, (Long.SIZE + 3 - Long.numberOfLeadingZeros(value)) / 4);
    room(digits);
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
      bytes[end++] = DIGITS[(int) (value >>> shift) & 0xf];
    }
  }

  /** Two hexadecimal digits a byte. */
  public final void hexadecimal(byte[] source, int length) {
    room(2 * length);
    for (int i = 0; i < length; i++) {
      bytes[end++] = DIGITS[(source[i] >> 4) & 0xf];
      bytes[end++] = DIGITS[source[i] & 0xf];
    }
  }

  /** Nine digits: the part of a time in ns that is less than a second. */
  public final void fraction(long nanos) {
    room(FRACTION_DIGITS);
    long rest = Math.floorMod(nanos, (long) NANOS_A_SECOND);
    for (int i = FRACTION_DIGITS - 1; i >= 0; i--) {
      long quotient = tenth(rest);
      bytes[end + i] = (byte) ('0' + (int) (rest - quotient * 10));
      rest = quotient;
    }
    end += FRACTION_DIGITS;
  }

  /** A time in ns since 1970 as {@link CellText#timestamp} has it. */
  public final void timestamp(long nanos) {
    long whole = Math.floorDiv(nanos, (long) NANOS_A_SECOND);
    if (whole != second) {
      second = whole;
      String spelled = CellText.timestamp(whole * NANOS_A_SECOND);
      wholeSecond = bytes(spelled.substring(0, spelled.length() - FRACTION_DIGITS - 1));
    }
    put(wholeSecond);
    fraction(nanos);
    put('Z');
  }

  private void room(int needed) {
    if (bytes.length - end < needed) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, end + needed));
    }
  }
}
