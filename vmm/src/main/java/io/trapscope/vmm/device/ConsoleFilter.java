package io.trapscope.vmm.device;

import java.util.Arrays;
import java.util.Locale;

/** A change to console output on its way from the device: {@code --console-filter}. */
public enum ConsoleFilter {
  /** Bytes as the guest wrote them. */
  NONE {
    @Override
    int apply(int value) {
      return value;
    }
  },
  /** ASCII letters in upper case. */
  UPPER {
    @Override
    int apply(int value) {
      return value >= 'a' && value <= 'z' ? value - 'a' + 'A' : value;
    }
  };

  abstract int apply(int value);

  /** A sink that changes each byte and hands it on to {@code to}. */
  public ConsoleOutput before(ConsoleOutput to) {
    return value -> to.accept(apply(value));
  }

  /**
   * The filter with this name, in any case.
   *
   * @throws IllegalArgumentException with a line for the user where there is none
   */
  public static ConsoleFilter named(String name) {
    for (ConsoleFilter filter : values()) {
      if (filter.name().equalsIgnoreCase(name)) {
        return filter;
      }
    }
    throw new IllegalArgumentException(
        "no console filter '"
            + name
            + "': there are "
            + String.join(
                ", ",
                Arrays.stream(values()).map(f -> f.name().toLowerCase(Locale.ROOT)).toList()));
  }
}
