package io.trapscope.analyzer.tally;

/**
 * Registers of a PC that come in pairs: what is written to the index register selects what the data
 * register shows. Ports are those that hardware has had since the PC/AT and VGA; the memory-mapped
 * pair is the I/O APIC's (82093AA data sheet, section 3.0).
 */
final class IndexPairs {
  private static final byte[] INDEX = new byte[1 << 16];
  private static final byte[] DATA = new byte[1 << 16];

  private static final long IO_APIC_INDEX = 0xfec0_0000L;
  private static final long IO_APIC_DATA = 0xfec0_0010L;
  private static final int IO_APIC = 100;

  static {
    pair(1, 0xcf8, 0xcfc, 4); // PCI configuration
    pair(2, 0x70, 0x71, 1); // CMOS and clock
    pair(3, 0x72, 0x73, 1); // extended CMOS
    pair(4, 0x3d4, 0x3d5, 1); // VGA
    pair(5, 0x3b4, 0x3b5, 1);
    pair(6, 0x3c4, 0x3c5, 1);
    pair(7, 0x3ce, 0x3cf, 1);
    pair(8, 0x2e, 0x2f, 1); // Super I/O
    pair(9, 0x4e, 0x4f, 1);
    pair(10, 0x510, 0x511, 1); // firmware configuration of QEMU
    pair(11, 0x22, 0x23, 1); // chipset
  }

  private IndexPairs() {}

  private static void pair(int pair, int index, int data, int ports) {
    INDEX[index] = (byte) pair;
    for (int i = 0; i < ports; i++) {
      DATA[data + i] = (byte) pair;
    }
  }

  /** Number of the pair whose index register this is; 0 where there is none. */
  static int indexOf(boolean port, long number) {
    if (port) {
      return INDEX[(int) number & 0xffff];
    }
    return number == IO_APIC_INDEX ? IO_APIC : 0;
  }

  /** Number of the pair whose data register this is; 0 where there is none. */
  static int dataOf(boolean port, long number) {
    if (port) {
      return DATA[(int) number & 0xffff];
    }
    return number == IO_APIC_DATA ? IO_APIC : 0;
  }
}
