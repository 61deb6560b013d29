package io.trapscope.vmm.device;

/**
 * One 8259A programmable interrupt controller, in the 8086 mode a PC uses it in (Intel 8259A data
 * sheet, order number 231468). {@link Pic} joins two of them.
 *
 * <p>An edge request is held only while its input stays high: an input that falls before the
 * acknowledge makes a spurious IR7, as the data sheet says.
 */
final class Pic8259 {
  private static final int ICW1_IC4 = 0x01;
  private static final int ICW1_SINGLE = 0x02;
  private static final int ICW1_LEVEL = 0x08;
  private static final int ICW1 = 0x10;
  private static final int ICW4_AUTO_EOI = 0x02;
  private static final int ICW4_SPECIAL_FULLY_NESTED = 0x10;
  private static final int OCW3 = 0x08;
  private static final int OCW3_READ_ISR = 0x01;
  private static final int OCW3_READ = 0x02;
  private static final int OCW3_POLL = 0x04;
  private static final int OCW3_SPECIAL_MASK = 0x20;
  private static final int OCW3_ENABLE_SPECIAL_MASK = 0x40;

  private int inputs;
  private int requests;
  private int inService;

  /** Everything is masked until ICW1: no chip interrupts before it is initialized. */
  private int mask = 0xff;

  /** Inputs that are level-triggered by the chip set's ELCR, a bit each. */
  private int levels;

  private boolean allLevel;
  private int vectorBase;

  /** The input with the lowest priority; the one after it has the highest. */
  private int lowest = 7;

  private int icw3;
  private boolean single;
  private boolean needsIcw4;

  /** Which initialization word the next data write is: 2, 3, 4, or 0 for OCW1. */
  private int nextIcw;

  private boolean autoEoi;
  private boolean rotateOnAutoEoi;
  private boolean specialFullyNested;
  private boolean specialMask;
  private boolean readInService;
  private boolean poll;

  /** Drives input {@code input}, 0 to 7. */
  void setInput(int input, boolean high) {
    int bit = 1 << input;
    if (!high) {
      inputs &= ~bit;
      requests &= ~bit;
    } else if ((inputs & bit) == 0) {
      inputs |= bit;
      requests |= bit;
    }
  }

  /** Makes the inputs whose bits are set level-triggered (ELCR) and the others edge-triggered. */
  void setLevels(int bits) {
    levels = bits;
    requests |= inputs & bits;
  }

  int levels() {
    return levels;
  }

  private boolean isLevel(int input) {
    return allLevel || (levels & 1 << input) != 0;
  }

  /** The input that the INT output stands for now, or -1 where INT is low. */
  int highestPending() {
    int candidates = requests & ~mask;
    if (candidates == 0) {
      return -1;
    }
    for (int i = 1; i <= 8; i++) {
      int input = lowest + i & 7;
      int bit = 1 << input;
      if ((candidates & bit) != 0 && !isBlockedBy(input)) {
        return input;
      }
      if ((inService & bit) != 0 && !specialMask) {
        return -1;
      }
    }
    return -1;
  }

  /**
   * Whether the input's own in-service bit holds its request back. It does, except for a cascade
   * input in special fully nested mode.
   */
  private boolean isBlockedBy(int input) {
    int bit = 1 << input;
    if ((inService & bit) == 0) {
      return false;
    }
    return !(specialFullyNested && (icw3 & bit) != 0);
  }

  /**
   * INTA: moves the request of highest priority into service and returns its input; 7 with nothing
   * put into service where no request is left (spurious).
   */
  int acknowledge() {
    int input = highestPending();
    if (input < 0) {
      return 7;
    }
    int bit = 1 << input;
    if (!isLevel(input)) {
      requests &= ~bit;
    }
    if (!autoEoi) {
      inService |= bit;
    } else if (rotateOnAutoEoi) {
      lowest = input;
    }
    return input;
  }

  int vector(int input) {
    return vectorBase | input;
  }

  /** Reads the command port (A0 = 0) or the data port (A0 = 1). */
  int read(boolean data) {
    if (poll) {
      poll = false;
      int input = highestPending();
      return input < 0 ? 0 : 0x80 | acknowledge();
    }
    if (data) {
      return mask;
    }
    return readInService ? inService : requests;
  }

  /** Writes the command port: ICW1, OCW2 or OCW3. */
  void writeCommand(int value) {
    if ((value & ICW1) != 0) {
      initialize(value);
    } else if ((value & OCW3) != 0) {
      writeOcw3(value);
    } else {
      writeOcw2(value);
    }
  }

  private void initialize(int icw1) {
    // Edge inputs need a new rising edge after ICW1; level inputs request again at once.
    allLevel = (icw1 & ICW1_LEVEL) != 0;
    requests = inputs & (allLevel ? 0xff : levels);
    inService = 0;
    mask = 0;
    lowest = 7;
    specialMask = false;
    readInService = false;
    poll = false;
    autoEoi = false;
    rotateOnAutoEoi = false;
    specialFullyNested = false;
    icw3 = 0;
    single = (icw1 & ICW1_SINGLE) != 0;
    needsIcw4 = (icw1 & ICW1_IC4) != 0;
    nextIcw = 2;
  }

  private void writeOcw2(int value) {
    int level = value & 7;
    switch (value >> 5) {
      case 0 -> rotateOnAutoEoi = false;
      case 1 -> endHighest(false);
      case 3 -> inService &= ~(1 << level);
      case 4 -> rotateOnAutoEoi = true;
      case 5 -> endHighest(true);
      case 6 -> lowest = level;
      case 7 -> {
        inService &= ~(1 << level);
        lowest = level;
      }
      default -> {
        // 2: no operation.
      }
    }
  }

  /** Non-specific EOI: in special mask mode an in-service bit that is masked stays. */
  private void endHighest(boolean rotate) {
    int candidates = specialMask ? inService & ~mask : inService;
    for (int i = 1; i <= 8; i++) {
      int input = lowest + i & 7;
      if ((candidates & 1 << input) != 0) {
        inService &= ~(1 << input);
        if (rotate) {
          lowest = input;
        }
        return;
      }
    }
  }

  private void writeOcw3(int value) {
    if ((value & OCW3_ENABLE_SPECIAL_MASK) != 0) {
      specialMask = (value & OCW3_SPECIAL_MASK) != 0;
    }
    if ((value & OCW3_POLL) != 0) {
      poll = true;
    } else if ((value & OCW3_READ) != 0) {
      readInService = (value & OCW3_READ_ISR) != 0;
    }
  }

  /** Writes the data port: ICW2 to ICW4 after ICW1, else OCW1. */
  void writeData(int value) {
    switch (nextIcw) {
      case 2 -> {
        vectorBase = value & 0xf8;
        nextIcw = single ? needsIcw4 ? 4 : 0 : 3;
      }
      case 3 -> {
        icw3 = value;
        nextIcw = needsIcw4 ? 4 : 0;
      }
      case 4 -> {
        autoEoi = (value & ICW4_AUTO_EOI) != 0;
        specialFullyNested = (value & ICW4_SPECIAL_FULLY_NESTED) != 0;
        nextIcw = 0;
      }
      default -> mask = value;
    }
  }
}
