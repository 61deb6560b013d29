package io.trapscope.vmm.memory;

/**
 * Guest RAM as the VMM sees it, little-endian, by guest-physical address. Unwritten bytes read as
 * 0. Accesses may cross pages.
 *
 * <p>Every method throws {@link IndexOutOfBoundsException} where any byte of the access is not RAM,
 * before it changes anything.
 */
public interface GuestMemory {

  /** Whether all {@code length} bytes from {@code gpa} on are RAM. */
  boolean contains(long gpa, long length);

  void read(long gpa, byte[] to, int offset, int length);

  void write(long gpa, byte[] from, int offset, int length);

  byte readByte(long gpa);

  short readShort(long gpa);

  int readInt(long gpa);

  long readLong(long gpa);

  void writeByte(long gpa, byte value);

  void writeShort(long gpa, short value);

  void writeInt(long gpa, int value);

  void writeLong(long gpa, long value);
}
