package io.trapscope.vmm.memory;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;

/** Guest RAM from address 0 on, in one array, for tests. */
public final class ArrayMemory implements GuestMemory {
  private final ByteBuffer bytes;

  public ArrayMemory(int size) {
    bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private int at(long gpa, int length) {
    return (int) Objects.checkFromIndexSize(gpa, length, (long) bytes.capacity());
  }

  /** The bytes from {@code gpa} on. */
  public byte[] bytes(long gpa, int length) {
    byte[] copy = new byte[length];
    read(gpa, copy, 0, length);
    return copy;
  }

  @Override
  public boolean contains(long gpa, long length) {
    return gpa >= 0 && length >= 0 && gpa <= bytes.capacity() - length;
  }

  @Override
  public void read(long gpa, byte[] to, int offset, int length) {
    bytes.get(at(gpa, length), to, offset, length);
  }

  @Override
  public void write(long gpa, byte[] from, int offset, int length) {
    bytes.put(at(gpa, length), from, offset, length);
  }

  @Override
  public byte readByte(long gpa) {
    return bytes.get(at(gpa, 1));
  }

  @Override
  public short readShort(long gpa) {
    return bytes.getShort(at(gpa, 2));
  }

  @Override
  public int readInt(long gpa) {
    return bytes.getInt(at(gpa, 4));
  }

  @Override
  public long readLong(long gpa) {
    return bytes.getLong(at(gpa, 8));
  }

  @Override
  public void writeByte(long gpa, byte value) {
    bytes.put(at(gpa, 1), value);
  }

  @Override
  public void writeShort(long gpa, short value) {
    bytes.putShort(at(gpa, 2), value);
  }

  @Override
  public void writeInt(long gpa, int value) {
    bytes.putInt(at(gpa, 4), value);
  }

  @Override
  public void writeLong(long gpa, long value) {
    bytes.putLong(at(gpa, 8), value);
  }
}
