package io.trapscope.cli;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How durations, sizes, addresses and counts are written on the command line. */
final class Quantities {
  private static final Pattern NUMBER_AND_UNIT = Pattern.compile("(\\d+(?:\\.\\d+)?)([a-zA-Zµ]*)");
  private static final Map<String, Long> NANOS =
      Map.of(
          "ns", 1L,
          "us", 1_000L,
          "µs", 1_000L,
          "ms", 1_000_000L,
          "s", 1_000_000_000L,
          "m", 60_000_000_000L,
          "min", 60_000_000_000L,
          "h", 3_600_000_000_000L);
  private static final Map<String, Long> BYTES =
      Map.of("", 1L, "b", 1L, "k", 1L << 10, "m", 1L << 20, "g", 1L << 30, "t", 1L << 40);

  private Quantities() {}

  /** A time with its unit, such as {@code 2s}, {@code 500ms}, {@code 1.5h}. */
  static Duration duration(String text) {
    Matcher matcher = NUMBER_AND_UNIT.matcher(text);
    Long unit = matcher.matches() ? NANOS.get(matcher.group(2)) : null;
    if (unit == null) {
      throw new TypeConversionException(
          "'" + text + "' is not a duration; write a number and a unit: 500ms, 2s, 5m, 1h");
    }
    return Duration.ofNanos(scaled(text, matcher.group(1), unit, "duration"));
  }

  /**
   * A number of bytes, such as {@code 256M}, {@code 1G}, {@code 4096}; units are powers of 1024.
   */
  static long size(String text) {
    Matcher matcher = NUMBER_AND_UNIT.matcher(text);
    Long unit = matcher.matches() ? BYTES.get(sizeUnit(matcher.group(2))) : null;
    if (unit == null) {
      throw new TypeConversionException(
          "'" + text + "' is not a size; write bytes, or a number with K, M or G: 256M");
    }
    return scaled(text, matcher.group(1), unit, "size");
  }

  /** An address or other 64-bit number: {@code 0x...} hexadecimal, otherwise decimal. */
  static long address(String text) {
    try {
      return text.startsWith("0x") || text.startsWith("0X")
          ? Long.parseUnsignedLong(text.substring(2), 16)
          : Long.parseUnsignedLong(text);
    } catch (NumberFormatException e) {
      throw new TypeConversionException("'" + text + "' is not an address; write 0x1000 or 4096");
    }
  }

  /**
   * A count of something, at least 1; {@code 1_000_000} and {@code 5k}, {@code 2M} (powers of
   * 1000).
   */
  static long count(String text) {
    Matcher matcher = NUMBER_AND_UNIT.matcher(text.replace("_", "").replace(",", ""));
    Map<String, Long> units = Map.of("", 1L, "k", 1_000L, "m", 1_000_000L, "g", 1_000_000_000L);
    Long unit = matcher.matches() ? units.get(matcher.group(2).toLowerCase(Locale.ROOT)) : null;
    long count = unit == null ? 0 : scaled(text, matcher.group(1), unit, "count");
    if (count < 1) {
      throw new TypeConversionException(
          "'" + text + "' is not a count; write a number of at least 1: 1000, 1_000_000, 2M");
    }
    return count;
  }

  private static String sizeUnit(String written) {
    String unit = written.toLowerCase(Locale.ROOT);
    if (unit.endsWith("ib") && unit.length() == 3) {
      return unit.substring(0, 1);
    }
    return unit.length() == 2 && unit.endsWith("b") ? unit.substring(0, 1) : unit;
  }

  private static long scaled(String text, String number, long unit, String what) {
    try {
      return new BigDecimal(number).multiply(BigDecimal.valueOf(unit)).longValueExact();
    } catch (ArithmeticException e) {
      throw new TypeConversionException(
          "'" + text + "' is not a " + what + " this can hold: too large or too fine");
    }
  }

  /** For options of type {@link Duration}. */
  static final class DurationConverter implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      return duration(text);
    }
  }

  /** For sizes in bytes. */
  static final class SizeConverter implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      return size(text);
    }
  }

  /** For guest-physical addresses. */
  static final class AddressConverter implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      return address(text);
    }
  }

  /** For counts. */
  static final class CountConverter implements ITypeConverter<Long> {
    @Override
    public Long convert(String text) {
      return count(text);
    }
  }
}
