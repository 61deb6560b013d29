package io.trapscope.recorder.event;

/** How a run ended. Codes are one unsigned byte in a trace and are never reused. */
public enum RunEnd {
  /** HLT with interrupts off and nothing that could wake the vCPU. */
  HALTED(1),
  /** Reset through the keyboard controller, port 0xcf9 or 0x92, or a system event. */
  RESET(2),
  /** Triple fault, which many guests use as a reboot. */
  TRIPLE_FAULT(3),
  /** ACPI power-off. */
  POWER_OFF(4),
  /** Write to the debug-exit port 0xf4; the value written is in DETAIL. */
  DEBUG_EXIT(5),
  /** The condition of --until was met. */
  UNTIL(6),
  /** The time limit passed. */
  TIMEOUT(7),
  /** The user or a signal ended the run. */
  INTERRUPTED(8),
  /** The hypervisor or a device could not go on; the text says what. */
  ERROR(9),
  /** The guest was another VMM's, and the recording of it has ended; the guest may go on. */
  DETACHED(10),
  /** The guest was another VMM's, and that has ended. */
  VMM_ENDED(11);

  private final int code;

  RunEnd(int code) {
    this.code = code;
  }

  /** The code in a trace. */
  public int code() {
    return code;
  }

  /** The constant with this code, or null where there is none. */
  public static RunEnd of(int code) {
    for (RunEnd constant : values()) {
      if (constant.code == code) {
        return constant;
      }
    }
    return null;
  }
}
