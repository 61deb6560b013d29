package io.trapscope.vmm.device;

/** A 256-bit register of a local APIC, a bit a vector: IRR, ISR or TMR. */
final class ApicVectors {
  private final long[] words = new long[4];

  boolean get(int vector) {
    return (words[vector >> 6] >>> vector & 1) != 0;
  }

  void set(int vector) {
    words[vector >> 6] |= 1L << vector;
  }

  void clear(int vector) {
    words[vector >> 6] &= ~(1L << vector);
  }

  void clear() {
    words[0] = 0;
    words[1] = 0;
    words[2] = 0;
    words[3] = 0;
  }

  /** The highest vector that is set, or -1. */
  int highest() {
    for (int i = 3; i >= 0; i--) {
      if (words[i] != 0) {
        return (i << 6) + 63 - Long.numberOfLeadingZeros(words[i]);
      }
    }
    return -1;
  }

  /** The 32 bits of register {@code index}, 0 to 7. */
  int register(int index) {
    return (int) (words[index >> 1] >>> 32 * (index & 1));
  }
}
