package io.trapscope.recorder.event;

/**
 * Interruption types of the SDM, volume 3, table "Format of the VM-Entry Interruption-Information
 * Field", bits 10:8.
 */
public final class InterruptionType {
  public static final int EXTERNAL_INTERRUPT = 0;
  public static final int NMI = 2;
  public static final int HARDWARE_EXCEPTION = 3;
  public static final int SOFTWARE_INTERRUPT = 4;
  public static final int PRIVILEGED_SOFTWARE_EXCEPTION = 5;
  public static final int SOFTWARE_EXCEPTION = 6;
  public static final int OTHER_EVENT = 7;

  private static final String[] NAMES = {
    "EXTERNAL_INTERRUPT",
    null,
    "NMI",
    "HARDWARE_EXCEPTION",
    "SOFTWARE_INTERRUPT",
    "PRIVILEGED_SOFTWARE_EXCEPTION",
    "SOFTWARE_EXCEPTION",
    "OTHER_EVENT"
  };

  private InterruptionType() {}

  /** The type's name, or null where it has none. */
  public static String name(int type) {
    return type >= 0 && type < NAMES.length ? NAMES[type] : null;
  }
}
