package io.trapscope.vmm.device;

/**
 * The 82093AA I/O APIC with 24 pins (Intel data sheet 290566). Pin polarity is not looked at: lines
 * carry asserted or not.
 */
public final class IoApic implements Device {
  public static final int PINS = 24;

  private static final int VERSION = 0x0017_0011;

  private static final long REMOTE_IRR = 1 << 14;
  private static final long LEVEL = 1 << 15;
  private static final long MASKED = 1 << 16;
  private static final long READ_ONLY = REMOTE_IRR | 1 << 12;

  private final InterruptFabric fabric;
  private final long[] redirections = new long[PINS];
  private int inputs;
  private int select;
  private int id;

  IoApic(InterruptFabric fabric, int id) {
    this.fabric = fabric;
    this.id = id;
    java.util.Arrays.fill(redirections, MASKED);
  }

  /** Drives a pin. An edge on a masked pin is lost, as the data sheet has it. */
  void set(int pin, boolean asserted) {
    int bit = 1 << pin;
    boolean rising = asserted && (inputs & bit) == 0;
    inputs = asserted ? inputs | bit : inputs & ~bit;
    if ((redirections[pin] & LEVEL) != 0) {
      serviceLevel(pin);
    } else if (rising && (redirections[pin] & MASKED) == 0) {
      deliver(pin);
    }
  }

  private void serviceLevel(int pin) {
    long entry = redirections[pin];
    if ((entry & (LEVEL | MASKED | REMOTE_IRR)) == LEVEL && (inputs & 1 << pin) != 0) {
      redirections[pin] |= REMOTE_IRR;
      deliver(pin);
    }
  }

  private void route(int pin) {
    long entry = redirections[pin];
    fabric.route(
        pin,
        (int) (entry >>> 56),
        (entry & 0x800) != 0,
        (int) entry >> 8 & 7,
        (int) entry & 0xff,
        (entry & LEVEL) != 0);
  }

  private void deliver(int pin) {
    long entry = redirections[pin];
    fabric.message(
        (int) (entry >>> 56),
        (entry & 0x800) != 0,
        (int) entry >> 8 & 7,
        (int) entry & 0xff,
        (entry & LEVEL) != 0);
  }

  /** A local APIC ended a level-triggered vector: pins that are still asserted interrupt again. */
  void endOfInterrupt(int vector) {
    for (int pin = 0; pin < PINS; pin++) {
      if ((redirections[pin] & 0xff) == vector && (redirections[pin] & LEVEL) != 0) {
        redirections[pin] &= ~REMOTE_IRR;
        serviceLevel(pin);
      }
    }
  }

  @Override
  public String name() {
    return "ioapic";
  }

  @Override
  public long read(long offset, int size) {
    if (offset == 0) {
      return select;
    }
    if (offset != 0x10) {
      return 0;
    }
    return switch (select) {
      case 0, 2 -> (long) id << 24;
      case 1 -> VERSION;
      default -> {
        int pin = select - 0x10 >> 1;
        yield select >= 0x10 && pin < PINS
            ? redirections[pin] >>> 32 * (select & 1) & 0xffff_ffffL
            : 0xffff_ffffL;
      }
    };
  }

  @Override
  public void write(long offset, int size, long value) {
    if (offset == 0) {
      select = (int) value & 0xff;
    } else if (offset == 0x10) {
      writeWindow((int) value);
    }
  }

  private void writeWindow(int value) {
    int pin = select - 0x10 >> 1;
    if (select == 0) {
      id = value >> 24 & 15;
    } else if (select >= 0x10 && pin < PINS) {
      long old = redirections[pin];
      if ((select & 1) != 0) {
        redirections[pin] = old & 0xffff_ffffL | (long) (value & 0xff00_0000) << 32;
      } else {
        long low = value & 0x1_afffL & ~READ_ONLY | old & READ_ONLY;
        if ((low & LEVEL) == 0) {
          // Edge-triggered pins have no remote IRR.
          low &= ~REMOTE_IRR;
        }
        redirections[pin] = old & 0xffff_ffff_0000_0000L | low;
      }
      if (((old | redirections[pin]) & LEVEL) != 0) {
        route(pin);
      }
      serviceLevel(pin);
    }
  }
}
