package io.trapscope.cli;

import io.trapscope.vmm.run.Durations;
import io.trapscope.vmm.run.Until;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How sizes and addresses are written on the command line, and what {@code vmm} parses. */
final class Quantities {
  private static final Pattern NUMBER_AND_UNIT = Pattern.compile("(\\d+(?:\\.\\d+)?)([a-zA-Z]*)");
  private static final Map<String, Long> BYTES =
      Map.of("", 1L, "b", 1L, "k", 1L << 10, "m", 1L << 20, "g", 1L << 30, "t", 1L << 40);

  private Quantities() {}

  /** A number of bytes, such as {@code 256M}, {@code 1G}, {@code 4096}; units count by 1024. */
  static long size(String text) {
    Matcher matcher = NUMBER_AND_UNIT.matcher(text);
    Long unit = matcher.matches() ? BYTES.get(sizeUnit(matcher.group(2))) : null;
    if (unit == null) {
      throw new TypeConversionException(
          "'" + text + "' is not a size; write bytes, or a number with K, M or G: 256M");
    }
    try {
      return new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(unit)).longValueExact();
    } catch (ArithmeticException e) {
      throw new TypeConversionException("'" + text + "' is not a size in whole bytes below 2^63");
    }
  }

  private static String sizeUnit(String written) {
    String unit = written.toLowerCase(Locale.ROOT);
    if (unit.endsWith("ib") && unit.length() == 3) {
      return unit.substring(0, 1);
    }
    return unit.length() == 2 && unit.endsWith("b") ? unit.substring(0, 1) : unit;
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

  /** For plain numbers. {@code kind} is what is not there where {@code parser} finds none. */
  static <N extends Number> ITypeConverter<N> numbers(String kind, Function<String, N> parser) {
    return text -> {
      try {
        return parser.apply(text);
      } catch (NumberFormatException e) {
        String wrong = text.matches("[+-]?\\d+") ? "' is too large" : "' is not " + kind;
        throw new TypeConversionException("'" + text + wrong);
      }
    };
  }

  /** For options of type {@link Duration}. */
  static final class DurationConverter implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      try {
        return Durations.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** For conditions that end a run. */
  static final class UntilConverter implements ITypeConverter<Until> {
    @Override
    public Until convert(String text) {
      try {
        return Until.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
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
}
