package io.trapscope.recorder.event;

/**
 * Why events are missing from a stream. Codes are one unsigned byte in a trace and are never
 * reused.
 */
public enum LossCause {
  /** No room on the file system. */
  DISK_FULL(1),
  /** Writing failed for another reason. */
  IO_ERROR(2),
  /** Events came faster than they could be taken. */
  OVERRUN(3),
  /** The trace is damaged there. */
  DAMAGED(4);

  private final int code;

  LossCause(int code) {
    this.code = code;
  }

  /** The code in a trace. */
  public int code() {
    return code;
  }

  /** The constant with this code, or null where there is none. */
  public static LossCause of(int code) {
    for (LossCause constant : values()) {
      if (constant.code == code) {
        return constant;
      }
    }
    return null;
  }
}
