package io.trapscope.vmm.boot;

import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;

/**
 * What is there of a BIOS: the words of its data area that kernels look at (IBM PC/AT Technical
 * Reference, "BIOS data areas"), the extended area they point to, and interrupt vectors. A kernel
 * that asks the BIOS from real mode is told that the function is not there; one that jumps to where
 * a processor starts resets the machine.
 */
final class BiosData {
  private static final int COM1_PORT = 0x400;
  private static final int EXTENDED_SEGMENT = 0x40e;
  private static final int EQUIPMENT = 0x410;
  private static final int BASE_MEMORY_KIB = 0x413;

  private static final int COM1 = 0x3f8;

  /** A floating-point unit and one serial port. */
  private static final int EQUIPPED = 1 << 1 | 1 << 9;

  /** Where the IBM PC has its IRET for unused vectors; in MemoryLayout's reserved range. */
  private static final int ROM_SEGMENT = 0xf000;

  private static final int DUMMY_RETURN = 0xff53;
  private static final int REFUSAL = 0xff60;

  /** IRET. */
  private static final byte[] DUMMY_CODE = {(byte) 0xcf};

  /** PUSH BP; MOV BP,SP; OR byte [BP+6],1 (the caller's carry flag); POP BP; IRET. */
  private static final byte[] REFUSAL_CODE = {
    0x55, (byte) 0x89, (byte) 0xe5, (byte) 0x80, 0x4e, 0x06, 0x01, 0x5d, (byte) 0xcf
  };

  private static final int RESET = 0xfff0;

  /** MOV DX,0xcf9; MOV AL,6; OUT DX,AL; CLI; HLT. */
  private static final byte[] RESET_CODE = {
    (byte) 0xba, (byte) 0xf9, 0x0c, (byte) 0xb0, 0x06, (byte) 0xee, (byte) 0xfa, (byte) 0xf4
  };

  /** Vectors of BIOS services: video to real-time clock. */
  private static final int FIRST_SERVICE = 0x10;

  private static final int LAST_SERVICE = 0x1a;

  private BiosData() {}

  static void write(GuestMemory memory) {
    memory.writeShort(COM1_PORT, (short) COM1);
    memory.writeShort(EXTENDED_SEGMENT, (short) (MemoryLayout.MP_TABLE >> 4));
    memory.writeShort(EQUIPMENT, (short) EQUIPPED);
    memory.writeShort(BASE_MEMORY_KIB, (short) (MemoryLayout.MP_TABLE >> 10));
    // The extended area begins with its size in KiB.
    memory.writeByte(MemoryLayout.MP_TABLE, (byte) 1);
    writeVectors(memory);
  }

  private static void writeVectors(GuestMemory memory) {
    long rom = (long) ROM_SEGMENT << 4;
    memory.write(rom + DUMMY_RETURN, DUMMY_CODE, 0, DUMMY_CODE.length);
    memory.write(rom + REFUSAL, REFUSAL_CODE, 0, REFUSAL_CODE.length);
    memory.write(rom + RESET, RESET_CODE, 0, RESET_CODE.length);
    for (int vector = 0; vector < 256; vector++) {
      boolean service = vector >= FIRST_SERVICE && vector <= LAST_SERVICE;
      memory.writeInt(4L * vector, ROM_SEGMENT << 16 | (service ? REFUSAL : DUMMY_RETURN));
    }
  }
}
