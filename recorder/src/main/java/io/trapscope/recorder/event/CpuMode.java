package io.trapscope.recorder.event;

/**
 * Operating mode of a vCPU at an exit (Intel SDM volume 1, section 3.1). Codes fit four bits and
 * are never reused.
 */
public enum CpuMode {
  /** CR0.PE = 0. */
  REAL(0),
  /** CR0.PE = 1, EFLAGS.VM = 1. */
  VIRTUAL_8086(1),
  /** CR0.PE = 1, EFER.LMA = 0, CS.D = 0. */
  PROTECTED_16(2),
  /** CR0.PE = 1, EFER.LMA = 0, CS.D = 1. */
  PROTECTED_32(3),
  /** EFER.LMA = 1, CS.L = 0. */
  COMPATIBILITY(4),
  /** EFER.LMA = 1, CS.L = 1. */
  LONG(5);

  private static final CpuMode[] BY_CODE = values();

  private final int code;

  CpuMode(int code) {
    this.code = code;
  }

  /** The code in a trace, 0 to 15. */
  public int code() {
    return code;
  }

  /** The mode with this code, or null where there is none. */
  public static CpuMode of(int code) {
    return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
  }
}
