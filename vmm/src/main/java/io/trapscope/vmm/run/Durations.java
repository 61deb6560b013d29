package io.trapscope.vmm.run;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as a user types them: a number with a unit, such as {@code 500ms}, {@code 1.5s}. */
public final class Durations {
  private static final Pattern FORM =
      Pattern.compile("(\\d{1,15}(?:\\.\\d{1,9})?)(ns|us|ms|s|m|h)?");

  /** What {@link #parse} takes, for messages. */
  public static final String FORMS = "a number with ns, us, ms, s, m or h, such as 500ms or 1.5s";

  private Durations() {}

  /**
   * Parses a duration above 0; a bare number is seconds.
   *
   * @throws IllegalArgumentException with a line for the user
   */
  public static Duration parse(String text) {
    Matcher matcher = FORM.matcher(text.trim());
    if (matcher.matches()) {
      BigDecimal nanos = new BigDecimal(matcher.group(1)).multiply(unitNanos(matcher.group(2)));
      if (nanos.compareTo(BigDecimal.ONE) >= 0
          && nanos.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) <= 0) {
        return Duration.ofNanos(nanos.longValue());
      }
    }
    throw new IllegalArgumentException("'" + text + "' is not a duration: " + FORMS);
  }

  /** A duration in a form that {@link #parse} takes: in the largest unit that needs no fraction. */
  public static String format(Duration duration) {
    long nanos = duration.toNanos();
    for (String unit : new String[] {"h", "m", "s", "ms", "us"}) {
      long one = unitNanos(unit).longValue();
      if (nanos % one == 0) {
        return nanos / one + unit;
      }
    }
    return nanos + "ns";
  }

  private static BigDecimal unitNanos(String unit) {
    return BigDecimal.valueOf(
        switch (unit == null ? "s" : unit) {
          case "ns" -> 1L;
          case "us" -> 1_000L;
          case "ms" -> 1_000_000L;
          case "s" -> 1_000_000_000L;
          case "m" -> 60_000_000_000L;
          default -> 3_600_000_000_000L;
        });
  }
}
