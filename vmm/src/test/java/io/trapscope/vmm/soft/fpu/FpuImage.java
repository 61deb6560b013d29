package io.trapscope.vmm.soft.fpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The FXSAVE64 image of a state, without a processor: for tests. */
public final class FpuImage {
  private FpuImage() {}

  /** Sets everything that the image holds. */
  public static void load(FpuState f, byte[] image) {
    ByteBuffer from = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    f.setControl(from.getShort(0));
    f.setStatusWord(from.getShort(2));
    f.valid = from.get(4) & 0xFF;
    f.opcode = from.getShort(6) & 0x7FF;
    f.instructionPointer = from.getLong(8);
    f.dataPointer = from.getLong(16);
    f.mxcsr = from.getInt(24);
    for (int i = 0; i < 8; i++) {
      f.mant[f.physical(i)] = from.getLong(32 + 16 * i);
      f.se[f.physical(i)] = from.getShort(40 + 16 * i) & 0xFFFF;
    }
    for (int i = 0; i < 32; i++) {
      f.xmm[i] = from.getLong(160 + 8 * i);
    }
  }

  /** Writes the image. */
  public static void store(FpuState f, byte[] image) {
    ByteBuffer to = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    to.putShort(0, (short) f.control);
    to.putShort(2, (short) f.statusWord());
    to.put(4, (byte) f.valid);
    to.putShort(6, (short) f.opcode);
    to.putLong(8, f.instructionPointer);
    to.putLong(16, f.dataPointer);
    to.putInt(24, f.mxcsr);
    for (int i = 0; i < 8; i++) {
      to.putLong(32 + 16 * i, f.mant(i));
      to.putLong(40 + 16 * i, f.se(i));
    }
    for (int i = 0; i < 32; i++) {
      to.putLong(160 + 8 * i, f.xmm[i]);
    }
  }
}
