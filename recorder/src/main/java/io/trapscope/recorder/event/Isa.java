package io.trapscope.recorder.event;

/**
 * Whose virtualization the host's processor has. Codes are KVM's (kvm_exit's {@code isa}), a half
 * byte in a trace, and are never reused.
 */
public enum Isa {
  /** Intel: exit reasons of the SDM. */
  VMX(1),
  /** AMD: exit codes of the APM. */
  SVM(2);

  private final int code;

  Isa(int code) {
    this.code = code;
  }

  /** The code in a trace. */
  public int code() {
    return code;
  }

  /** The constant with this code, or null where there is none. */
  public static Isa of(int code) {
    return code == 1 ? VMX : code == 2 ? SVM : null;
  }
}
