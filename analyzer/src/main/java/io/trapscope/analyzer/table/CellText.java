package io.trapscope.analyzer.table;

import java.math.BigInteger;
import java.time.Instant;
import java.util.Locale;

/** Turns one cell into a few characters for people: durations scaled, counts grouped. */
public final class CellText {
  private static final int NANOS_A_SECOND = 1_000_000_000;
  private static final int MAX_BYTES_SHOWN = 16;

  private CellText() {}

  /** The cell's text; empty where the cell is null. */
  public static String of(Table table, int row, int column) {
    if (table.isNull(row, column)) {
      return "";
    }
    Column described = table.schema().columns().get(column);
    return switch (described.type()) {
      case BOOL -> table.number(row, column) == 0 ? "no" : "yes";
      case UINT8, UINT16, UINT32, UINT64, INT64 ->
          integer(table.number(row, column), described.unit(), described.type());
      case FLOAT64 -> real(table.real(row, column), described.unit());
      case TEXT -> table.text(row, column);
      case BYTES -> hex(table.bytes(row, column));
      case TIMESTAMP -> timestamp(table.number(row, column));
      case DURATION -> duration(table.number(row, column));
    };
  }

  /** Nanoseconds with three or four significant digits and their unit: "12.3 us", "1.54 s". */
  public static String duration(long nanos) {
    long size = Math.abs(nanos);
    if (size < 1_000) {
      return nanos + " ns";
    }
    if (size < 1_000_000) {
      return threeDigits(nanos / 1e3) + " us";
    }
    if (size < NANOS_A_SECOND) {
      return threeDigits(nanos / 1e6) + " ms";
    }
    return threeDigits(nanos / 1e9) + " s";
  }

  /** RFC 3339 in UTC, always with nine digits of a second's fraction. */
  public static String timestamp(long nanos) {
    long seconds = Math.floorDiv(nanos, NANOS_A_SECOND);
    int fraction = (int) Math.floorMod(nanos, (long) NANOS_A_SECOND);
    String whole = Instant.ofEpochSecond(seconds).toString();
    return whole.substring(0, whole.length() - 1) + String.format(Locale.ROOT, ".%09dZ", fraction);
  }

  static String unsigned(long value) {
    return value >= 0
        ? String.format(Locale.ROOT, "%,d", value)
        : String.format(Locale.ROOT, "%,d", new BigInteger(Long.toUnsignedString(value)));
  }

  private static String integer(long value, Unit unit, ColumnType type) {
    return switch (unit) {
      case ADDRESS, BITS -> "0x" + Long.toHexString(value);
      case BYTES -> bytes(value);
      case NANOSECONDS -> duration(value);
      case COUNT, INSTRUCTIONS, NONE, RATIO ->
          type == ColumnType.INT64 ? String.format(Locale.ROOT, "%,d", value) : unsigned(value);
    };
  }

  private static String real(double value, Unit unit) {
    if (unit == Unit.RATIO) {
      return String.format(Locale.ROOT, "%.1f %%", 100 * value);
    }
    // A mean of counts is whole where all of them agree.
    boolean whole = unit == Unit.COUNT && value == Math.rint(value);
    return String.format(Locale.ROOT, whole ? "%,.0f" : "%,.2f", value);
  }

  private static String bytes(long value) {
    String[] names = {" B", " KiB", " MiB", " GiB"};
    int scale = 0;
    long rest = value;
    while (scale < names.length - 1 && rest >= 1024 && rest % 1024 == 0) {
      rest /= 1024;
      scale++;
    }
    return rest + names[scale];
  }

  private static String hex(byte[] value) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < Math.min(value.length, MAX_BYTES_SHOWN); i++) {
      text.append(String.format("%02x", value[i] & 0xff));
    }
    return value.length > MAX_BYTES_SHOWN ? text + "..." : text.toString();
  }

  private static String threeDigits(double value) {
    double size = Math.abs(value);
    String pattern = size < 9.995 ? "%.2f" : size < 99.95 ? "%.1f" : "%.0f";
    return String.format(Locale.ROOT, pattern, value);
  }
}
