package io.trapscope.vmm.device;

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
}
