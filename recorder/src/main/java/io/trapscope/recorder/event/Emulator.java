package io.trapscope.recorder.event;

/** Who carried an instruction out in software. Codes are a half byte in a trace. */
public enum Emulator {
  /** The instruction emulator of the host's KVM. */
  KVM(0),
  /** The software processor of this product, because KVM could not. */
  SOFT(1);

  private final int code;

  Emulator(int code) {
    this.code = code;
  }

  /** The code in a trace. */
  public int code() {
    return code;
  }

  /** The constant with this code, or null where there is none. */
  public static Emulator of(int code) {
    return code == 0 ? KVM : code == 1 ? SOFT : null;
  }
}
