package io.trapscope.recorder.event;

/**
 * Where a value came from that the guest could not compute. Codes are one unsigned byte in a trace
 * and are never reused.
 */
public enum InputSource {
  /** Bytes typed at a console. */
  CONSOLE(1),
  /** The wall clock, as the RTC or a paravirtual clock gave it. */
  WALL_CLOCK(2),
  /** A random number. */
  RANDOM(3),
  /** An interrupt, at the instruction it was injected. */
  INTERRUPT(4),
  /** Bytes from a network. */
  NETWORK(5),
  /** The host time-stamp or monotonic clock. */
  HOST_CLOCK(6);

  private final int code;

  InputSource(int code) {
    this.code = code;
  }

  /** The code in a trace. */
  public int code() {
    return code;
  }

  /** The constant with this code, or null where there is none. */
  public static InputSource of(int code) {
    for (InputSource constant : values()) {
      if (constant.code == code) {
        return constant;
      }
    }
    return null;
  }
}
