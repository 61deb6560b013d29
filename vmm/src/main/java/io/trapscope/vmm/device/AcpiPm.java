package io.trapscope.vmm.device;

/**
 * ACPI's fixed hardware (ACPI 6.4, section 4.8): PM1a event and control registers and the power
 * management timer. The machine is always in ACPI mode; no event ever sets a status bit. Writing
 * SLP_EN with the sleep type of S5 switches the machine off.
 *
 * <pre>
 *   PORT +0 PM1a status (2)   +2 PM1a enable (2)   +4 PM1a control (2)   +8 timer (4)
 * </pre>
 */
public final class AcpiPm implements Device {
  public static final int PORT = 0xb000;
  public static final int PORTS = 12;
  public static final int EVENT = 0;
  public static final int CONTROL = 4;
  public static final int TIMER = 8;

  /** The SCI's IRQ, level-triggered. */
  public static final int SCI = 9;

  /** SLP_TYP of S5, as the DSDT's {@code _S5} says. */
  public static final int SLEEP_TYPE_S5 = 5;

  /** Rate of the timer, in Hz. */
  public static final long TIMER_HZ = 3_579_545;

  private static final long SECOND = 1_000_000_000;
  private static final int ENABLE = 2;
  private static final int SCI_ENABLED = 1;
  private static final int SLEEP_ENABLE = 1 << 13;
  private static final int SLEEP_TYPE_SHIFT = 10;

  private final Timers timers;
  private final MachineControl control;
  private int enable;
  private int controlRegister = SCI_ENABLED;

  public AcpiPm(Timers timers, MachineControl control) {
    this.timers = timers;
    this.control = control;
  }

  @Override
  public String name() {
    return "acpi-pm";
  }

  private long timer() {
    long now = timers.now();
    return now / SECOND * TIMER_HZ + now % SECOND * TIMER_HZ / SECOND & 0xffff_ffffL;
  }

  /** All registers as one number of 12 bytes would be read: the 4 bytes from {@code at} on. */
  private long word(int at) {
    return switch (at) {
      case EVENT -> (long) enable << 16;
      case CONTROL -> controlRegister;
      default -> timer();
    };
  }

  @Override
  public long read(long offset, int size) {
    int at = (int) offset & ~3;
    return word(at) >>> 8 * ((int) offset & 3) & (1L << 8 * size) - 1;
  }

  @Override
  public void write(long offset, int size, long value) {
    // Status bits are cleared by writing ones, and there are none; the timer is read-only.
    if (offset == ENABLE) {
      enable = (int) value & 0xffff;
    } else if (offset == EVENT && size == 4) {
      enable = (int) (value >>> 16) & 0xffff;
    } else if (offset == CONTROL) {
      controlRegister = (int) value & 0xffff & ~SLEEP_ENABLE | SCI_ENABLED;
      boolean off = ((int) value >> SLEEP_TYPE_SHIFT & 7) == SLEEP_TYPE_S5;
      if ((value & SLEEP_ENABLE) != 0 && off) {
        control.powerOff("ACPI S5");
      }
    }
  }
}
