package io.trapscope.vmm.run;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * A condition that ends the run: {@code --until}. Exactly one of the parts is set.
 *
 * @param text bytes to appear in the console's output, or null
 * @param exits number of exits of all vCPUs, or -1
 * @param instructions instructions retired by vCPU 0, or -1; the run ends at the first exit at or
 *     after that count
 * @param guestNanos guest time, or -1
 */
public record Until(byte[] text, long exits, long instructions, long guestNanos) {

  /** The form that {@link #parse} takes, for messages. */
  public static final String FORMS = "text=TEXT, exits=N, instructions=N or time=DURATION";

  /**
   * Parses one condition.
   *
   * @throws IllegalArgumentException with a line for the user
   */
  public static Until parse(String condition) {
    int equals = condition.indexOf('=');
    String key = equals < 0 ? condition : condition.substring(0, equals);
    String value = equals < 0 ? "" : condition.substring(equals + 1);
    if (value.isEmpty()) {
      throw new IllegalArgumentException("'" + condition + "' is not " + FORMS);
    }
    return switch (key) {
      case "text" -> new Until(value.getBytes(StandardCharsets.UTF_8), -1, -1, -1);
      case "exits" -> new Until(null, count(condition, value), -1, -1);
      case "instructions" -> new Until(null, -1, count(condition, value), -1);
      case "time" -> new Until(null, -1, -1, Durations.parse(value).toNanos());
      default -> throw new IllegalArgumentException("'" + condition + "' is not " + FORMS);
    };
  }

  private static long count(String condition, String value) {
    try {
      long count = Long.parseLong(value);
      if (count > 0) {
        return count;
      }
    } catch (NumberFormatException e) {
      // The message below says all there is to say.
    }
    throw new IllegalArgumentException("'" + condition + "' needs a whole number above 0");
  }

  /** What ended the run, for people. */
  public String describe() {
    if (text != null) {
      return "text '" + new String(text, StandardCharsets.UTF_8) + "' appeared";
    }
    if (exits >= 0) {
      return exits + " exits";
    }
    if (instructions >= 0) {
      return instructions + " instructions";
    }
    return Durations.format(Duration.ofNanos(guestNanos)) + " of guest time";
  }
}
