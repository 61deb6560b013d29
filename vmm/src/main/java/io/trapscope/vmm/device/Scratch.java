package io.trapscope.vmm.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A device that remembers: every byte reads as it was last written, 0 at first. The guest {@code
 * exits} has one at {@link #PORT} and one at {@code MemoryLayout.TEST_MMIO} to aim its accesses at.
 */
public final class Scratch implements Device {
  /** First of {@link #PORTS} ports of a machine's port scratch. */
  public static final int PORT = 0x600;

  public static final int PORTS = 16;

  private final String name;
  private final ByteBuffer bytes;

  /** A device of {@code length} bytes, a multiple of 8. */
  public Scratch(String name, int length) {
    this.name = name;
    this.bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long read(long offset, int size) {
    int at = (int) offset;
    return switch (size) {
      case 1 -> bytes.get(at) & 0xffL;
      case 2 -> bytes.getShort(at) & 0xffffL;
      case 4 -> bytes.getInt(at) & 0xffff_ffffL;
      default -> bytes.getLong(at);
    };
  }

  @Override
  public void write(long offset, int size, long value) {
    int at = (int) offset;
    switch (size) {
      case 1 -> bytes.put(at, (byte) value);
      case 2 -> bytes.putShort(at, (short) value);
      case 4 -> bytes.putInt(at, (int) value);
      default -> bytes.putLong(at, value);
    }
  }
}
