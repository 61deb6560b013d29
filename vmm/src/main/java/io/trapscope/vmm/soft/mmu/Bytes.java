package io.trapscope.vmm.soft.mmu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Little-endian access to byte arrays. */
public final class Bytes {
  public static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
  public static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  public static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private Bytes() {}

  /** {@code size} bytes (1 to 8), zero-extended. */
  public static long load(byte[] from, int offset, int size) {
    return switch (size) {
      case 8 -> (long) LONG.get(from, offset);
      case 4 -> (int) INT.get(from, offset) & 0xffffffffL;
      case 2 -> (short) SHORT.get(from, offset) & 0xffff;
      case 1 -> from[offset] & 0xff;
      default -> {
        long value = 0;
        for (int i = size - 1; i >= 0; i--) {
          value = value << 8 | from[offset + i] & 0xff;
        }
        yield value;
      }
    };
  }

  /** Stores the low {@code size} bytes (1 to 8). */
  public static void store(byte[] to, int offset, int size, long value) {
    switch (size) {
      case 8 -> LONG.set(to, offset, value);
      case 4 -> INT.set(to, offset, (int) value);
      case 2 -> SHORT.set(to, offset, (short) value);
      case 1 -> to[offset] = (byte) value;
      default -> {
        for (int i = 0; i < size; i++) {
          to[offset + i] = (byte) (value >>> 8 * i);
        }
      }
    }
  }
}
