package io.trapscope.vmm.boot;

import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;

/**
 * The words of the BIOS data area that kernels look at (IBM PC/AT Technical Reference, "BIOS data
 * areas"), and the extended area they point to.
 */
final class BiosData {
  private static final int COM1_PORT = 0x400;
  private static final int EXTENDED_SEGMENT = 0x40e;
  private static final int EQUIPMENT = 0x410;
  private static final int BASE_MEMORY_KIB = 0x413;

  private static final int COM1 = 0x3f8;

  /** A floating-point unit and one serial port. */
  private static final int EQUIPPED = 1 << 1 | 1 << 9;

  private BiosData() {}

  static void write(GuestMemory memory) {
    memory.writeShort(COM1_PORT, (short) COM1);
    memory.writeShort(EXTENDED_SEGMENT, (short) (MemoryLayout.MP_TABLE >> 4));
    memory.writeShort(EQUIPMENT, (short) EQUIPPED);
    memory.writeShort(BASE_MEMORY_KIB, (short) (MemoryLayout.MP_TABLE >> 10));
    // The extended area begins with its size in KiB.
    memory.writeByte(MemoryLayout.MP_TABLE, (byte) 1);
  }
}
