package io.trapscope.vmm.device;

/**
 * One counter of an 8254 (Intel 8254 data sheet, order number 231164). Its state is a function of
 * the CLK pulse at which it was last loaded, so nothing runs between accesses. All times are CLK
 * pulses since the machine was made.
 */
final class PitChannel {
  private static final int LOW_BYTE = 1;
  private static final int HIGH_BYTE = 2;

  private int mode;
  private boolean bcd;

  /** RW field of the control word: 1 low byte, 2 high byte, 3 low then high. */
  private int access = 3;

  /** Count register, 1 to 0x10000 (10000 in BCD). */
  private int count = 0x10000;

  /** A count that was written but takes effect only at {@link #switchPulse}; -1 for none. */
  private int nextCount = -1;

  private long switchPulse;

  /** The pulse that loaded the counting element; before it the null-count flag is set. */
  private long loadPulse;

  /** Whether a count was written since the control word. */
  private boolean programmed;

  /** Modes 1 and 5: whether a trigger came since the count was written. */
  private boolean triggered;

  private boolean gate;

  /** Pulses counted before the gate stopped modes 0 and 4; valid while {@link #stopped}. */
  private long heldPulses;

  private boolean stopped;

  private boolean highByteNext;
  private int firstByte;
  private boolean readHighNext;
  private int latchedBytes;
  private int latchedCount;
  private boolean statusLatched;
  private int latchedStatus;

  PitChannel(boolean gate) {
    this.gate = gate;
  }

  /** Writes a control word that selects this counter and is not a latch command. */
  void control(int word, long pulse) {
    access = word >> 4 & 3;
    mode = word >> 1 & 7;
    if (mode > 5) {
      // Modes 6 and 7 are 2 and 3: the top bit is a don't-care there.
      mode -= 4;
    }
    bcd = (word & 1) != 0;
    programmed = false;
    triggered = false;
    nextCount = -1;
    highByteNext = false;
    readHighNext = false;
    latchedBytes = 0;
    statusLatched = false;
    // In modes 1 and 5 the gate is a trigger and stops nothing.
    stopped = !gate && mode != 1 && mode != 5;
    heldPulses = 0;
    loadPulse = pulse;
  }

  /** Writes one byte of the count. */
  void write(int value, long pulse) {
    if (access == LOW_BYTE) {
      load(value, pulse);
    } else if (access == HIGH_BYTE) {
      load(value << 8, pulse);
    } else if (!highByteNext) {
      highByteNext = true;
      firstByte = value;
      if (mode == 0) {
        // The first byte stops mode 0 and puts OUT low.
        programmed = false;
      }
    } else {
      highByteNext = false;
      load(firstByte | value << 8, pulse);
    }
  }

  private void load(int raw, long pulse) {
    settle(pulse);
    int modulus = bcd ? 10000 : 0x10000;
    int value = bcd ? fromBcd(raw) : raw;
    int loaded = value == 0 ? modulus : value;
    boolean first = !programmed;
    programmed = true;
    switch (mode) {
      case 0, 4 -> {
        count = loaded;
        nextCount = -1;
        loadPulse = pulse + 1;
        stopped = !gate;
        heldPulses = 0;
      }
      case 1, 5 -> {
        if (triggered) {
          // The current shot goes on; the new count is for the next trigger.
          nextCount = loaded;
          switchPulse = Long.MAX_VALUE;
        } else {
          count = loaded;
        }
      }
      default -> {
        if (first || stopped) {
          count = loaded;
          nextCount = -1;
          loadPulse = pulse + 1;
          stopped = !gate;
        } else {
          nextCount = loaded;
          switchPulse = nextReload(pulse);
        }
      }
    }
  }

  private static int fromBcd(int raw) {
    return (raw >> 12 & 15) * 1000 + (raw >> 8 & 15) * 100 + (raw >> 4 & 15) * 10 + (raw & 15);
  }

  private static int toBcd(int value) {
    return value / 1000 % 10 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10;
  }

  /** Takes over a new count of modes 2 and 3 whose time has come. */
  private void settle(long pulse) {
    if (nextCount >= 0 && pulse >= switchPulse) {
      boolean atFall = mode == 3 && (switchPulse - loadPulse) % count != 0;
      count = nextCount;
      nextCount = -1;
      // At OUT's fall in mode 3 the new count begins with its low half.
      loadPulse = switchPulse - (atFall ? (count + 1) / 2 : 0);
    }
  }

  /** The pulse at which modes 2 and 3 load the counting element next. */
  private long nextReload(long pulse) {
    if (pulse < loadPulse) {
      return loadPulse;
    }
    long phase = (pulse - loadPulse) % count;
    long periodStart = pulse - phase;
    int high = (count + 1) / 2;
    return mode == 3 && phase < high ? periodStart + high : periodStart + count;
  }

  /** Drives GATE. */
  void setGate(boolean high, long pulse) {
    settle(pulse);
    boolean rising = high && !gate;
    boolean falling = !high && gate;
    gate = high;
    switch (mode) {
      case 0, 4 -> {
        if (falling && programmed) {
          heldPulses = Math.max(0, pulse - loadPulse);
          stopped = true;
        } else if (rising && programmed) {
          loadPulse = pulse - heldPulses;
          stopped = false;
        }
      }
      case 1, 5 -> {
        if (rising && programmed) {
          count = nextCount >= 0 ? nextCount : count;
          nextCount = -1;
          triggered = true;
          loadPulse = pulse + 1;
        }
      }
      default -> {
        if (falling) {
          heldPulses = counted(pulse);
          stopped = true;
        } else if (rising && programmed) {
          count = nextCount >= 0 ? nextCount : count;
          nextCount = -1;
          loadPulse = pulse + 1;
          stopped = false;
        }
      }
    }
  }

  /** Pulses that the counting element has counted since it was loaded. */
  private long counted(long pulse) {
    return stopped ? heldPulses : Math.max(0, pulse - loadPulse);
  }

  /** The OUT pin. */
  boolean out(long pulse) {
    settle(pulse);
    if (!programmed) {
      return mode != 0;
    }
    long counted = counted(pulse);
    switch (mode) {
      case 0:
        return counted >= count;
      case 1:
        return !triggered || pulse < loadPulse || counted >= count;
      case 2:
        return stopped || counted % count != count - 1;
      case 3:
        return stopped || counted % count < (count + 1) / 2;
      case 4:
        return counted != count;
      default:
        return !triggered || counted != count;
    }
  }

  /** The counting element, as a read of the counter sees it: 16 bits, BCD where programmed so. */
  private int value(long pulse) {
    settle(pulse);
    int modulus = bcd ? 10000 : 0x10000;
    if ((mode == 1 || mode == 5) && !triggered) {
      return 0;
    }
    long counted = counted(pulse);
    long left;
    if (mode == 2) {
      left = count - counted % count;
    } else if (mode == 3) {
      long phase = counted % count;
      int high = (count + 1) / 2;
      left = (count & ~1) - 2 * (phase < high ? phase : phase - high);
    } else {
      left = Math.floorMod(count - counted, (long) modulus);
    }
    int binary = (int) (left % modulus);
    return bcd ? toBcd(binary) : binary;
  }

  /** Counter latch command: holds the count until it is read; a second one changes nothing. */
  void latchCount(long pulse) {
    if (latchedBytes == 0) {
      latchedCount = value(pulse);
      latchedBytes = access == 3 ? 2 : 1;
    }
  }

  /** Read-back command for the status byte. */
  void latchStatus(long pulse) {
    if (!statusLatched) {
      settle(pulse);
      boolean nullCount = !programmed || nextCount >= 0 || pulse < loadPulse;
      latchedStatus =
          (out(pulse) ? 0x80 : 0)
              | (nullCount ? 0x40 : 0)
              | access << 4
              | mode << 1
              | (bcd ? 1 : 0);
      statusLatched = true;
    }
  }

  /** Reads one byte: latched status, latched count, or the running count. */
  int read(long pulse) {
    if (statusLatched) {
      statusLatched = false;
      return latchedStatus;
    }
    int value = latchedBytes > 0 ? latchedCount : value(pulse);
    boolean high = access == HIGH_BYTE || access == 3 && readHighNext;
    if (access == 3) {
      readHighNext = !readHighNext;
    }
    if (latchedBytes > 0) {
      latchedBytes--;
    }
    return high ? value >> 8 & 0xff : value & 0xff;
  }

  /** The first pulse after {@code pulse} at which OUT rises, or {@code Long.MAX_VALUE}. */
  long nextRise(long pulse) {
    settle(pulse);
    boolean illegal = count == 1 && (mode == 2 || mode == 3);
    if (!programmed || stopped || illegal) {
      return Long.MAX_VALUE;
    }
    switch (mode) {
      case 0:
        return after(pulse, loadPulse + count);
      case 1:
        return triggered ? after(pulse, loadPulse + count) : Long.MAX_VALUE;
      case 4:
        return after(pulse, loadPulse + count + 1);
      case 5:
        return triggered ? after(pulse, loadPulse + count + 1) : Long.MAX_VALUE;
      default:
        return nextPeriod(pulse);
    }
  }

  private static long after(long pulse, long event) {
    return event > pulse ? event : Long.MAX_VALUE;
  }

  /** Start of the next period of modes 2 and 3: where OUT rises. */
  private long nextPeriod(long pulse) {
    if (pulse < loadPulse) {
      return loadPulse + count;
    }
    long phase = (pulse - loadPulse) % count;
    long next = pulse - phase + count;
    // A new count of mode 3 may start in the middle of a period, at OUT's fall.
    if (nextCount >= 0 && switchPulse < next) {
      return switchPulse + nextCount - (nextCount + 1) / 2;
    }
    return next;
  }
}
