package io.trapscope.vmm.kvm;

import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.memory.GuestMemory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Guest RAM of a KVM machine: anonymous host memory, backed by the host at first touch, one mapping
 * a memslot.
 *
 * <p>A ByteBuffer reaches 2 GiB at most, so a slot is seen through windows of 1 GiB; an access that
 * crosses two of them goes byte by byte. Reads and writes race with running vCPUs as DMA does.
 */
final class KvmMemory implements GuestMemory, AutoCloseable {
  /** One contiguous range of RAM: {@code [gpa, gpa + bytes)} is mapped at {@code hva}. */
  record Slot(int number, long gpa, long bytes, long hva, ByteBuffer[] windows) {
    private boolean holds(long address, long length) {
      long offset = address - gpa;
      return offset >= 0 && offset <= bytes && length <= bytes - offset;
    }
  }

  private static final int WINDOW_SHIFT = 30;
  private static final long WINDOW = 1L << WINDOW_SHIFT;

  private volatile Slot[] slots = {};

  /**
   * Maps host memory for one more slot.
   *
   * @throws io.trapscope.vmm.hypervisor.HypervisorException where the host refuses
   */
  Slot map(long gpa, long bytes) {
    long hva =
        LibC.check(
            LibC.mmap(0, bytes, LibC.PROT_READ_WRITE, LibC.MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0),
            "mapping " + (bytes >> 20) + " MiB of guest memory");
    ByteBuffer[] windows = new ByteBuffer[(int) ((bytes + WINDOW - 1) >>> WINDOW_SHIFT)];
    for (int i = 0; i < windows.length; i++) {
      long start = (long) i << WINDOW_SHIFT;
      windows[i] = LibC.view(hva + start, Math.min(WINDOW, bytes - start));
    }
    List<Slot> all = new ArrayList<>(List.of(slots));
    Slot slot = new Slot(all.size(), gpa, bytes, hva, windows);
    all.add(slot);
    slots = all.toArray(new Slot[0]);
    return slot;
  }

  /** The slots, in the order they were mapped. */
  List<Slot> slots() {
    return List.of(slots);
  }

  /** Unmaps everything. From then on every access is out of bounds; no thread may be inside one. */
  @Override
  public void close() {
    Slot[] mapped = slots;
    slots = new Slot[0];
    for (Slot slot : mapped) {
      LibC.munmap(slot.hva, slot.bytes);
    }
  }

  @Override
  public boolean contains(long gpa, long length) {
    return length >= 0 && find(gpa, length) != null;
  }

  @Override
  public void read(long gpa, byte[] to, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, to.length);
    Slot slot = require(gpa, length);
    long at = gpa - slot.gpa;
    for (int done = 0; done < length; ) {
      int inWindow = (int) ((at + done) & (WINDOW - 1));
      int part = (int) Math.min(length - done, WINDOW - inWindow);
      slot.windows[(int) ((at + done) >>> WINDOW_SHIFT)].get(inWindow, to, offset + done, part);
      done += part;
    }
  }

  @Override
  public void write(long gpa, byte[] from, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, from.length);
    Slot slot = require(gpa, length);
    long at = gpa - slot.gpa;
    for (int done = 0; done < length; ) {
      int inWindow = (int) ((at + done) & (WINDOW - 1));
      int part = (int) Math.min(length - done, WINDOW - inWindow);
      slot.windows[(int) ((at + done) >>> WINDOW_SHIFT)].put(inWindow, from, offset + done, part);
      done += part;
    }
  }

  @Override
  public byte readByte(long gpa) {
    Slot slot = require(gpa, 1);
    return window(slot, gpa).get(inWindow(slot, gpa));
  }

  @Override
  public short readShort(long gpa) {
    Slot slot = require(gpa, 2);
    int at = inWindow(slot, gpa);
    return at <= WINDOW - 2 ? window(slot, gpa).getShort(at) : (short) readBytes(gpa, 2);
  }

  @Override
  public int readInt(long gpa) {
    Slot slot = require(gpa, 4);
    int at = inWindow(slot, gpa);
    return at <= WINDOW - 4 ? window(slot, gpa).getInt(at) : (int) readBytes(gpa, 4);
  }

  @Override
  public long readLong(long gpa) {
    Slot slot = require(gpa, 8);
    int at = inWindow(slot, gpa);
    return at <= WINDOW - 8 ? window(slot, gpa).getLong(at) : readBytes(gpa, 8);
  }

  @Override
  public void writeByte(long gpa, byte value) {
    Slot slot = require(gpa, 1);
    window(slot, gpa).put(inWindow(slot, gpa), value);
  }

  @Override
  public void writeShort(long gpa, short value) {
    Slot slot = require(gpa, 2);
    int at = inWindow(slot, gpa);
    if (at <= WINDOW - 2) {
      window(slot, gpa).putShort(at, value);
    } else {
      writeBytes(gpa, value, 2);
    }
  }

  @Override
  public void writeInt(long gpa, int value) {
    Slot slot = require(gpa, 4);
    int at = inWindow(slot, gpa);
    if (at <= WINDOW - 4) {
      window(slot, gpa).putInt(at, value);
    } else {
      writeBytes(gpa, value, 4);
    }
  }

  @Override
  public void writeLong(long gpa, long value) {
    Slot slot = require(gpa, 8);
    int at = inWindow(slot, gpa);
    if (at <= WINDOW - 8) {
      window(slot, gpa).putLong(at, value);
    } else {
      writeBytes(gpa, value, 8);
    }
  }

  private long readBytes(long gpa, int size) {
    long value = 0;
    for (int i = 0; i < size; i++) {
      value |= (readByte(gpa + i) & 0xFFL) << (8 * i);
    }
    return value;
  }

  private void writeBytes(long gpa, long value, int size) {
    for (int i = 0; i < size; i++) {
      writeByte(gpa + i, (byte) (value >>> (8 * i)));
    }
  }

  private static ByteBuffer window(Slot slot, long gpa) {
    return slot.windows[(int) ((gpa - slot.gpa) >>> WINDOW_SHIFT)];
  }

  private static int inWindow(Slot slot, long gpa) {
    return (int) ((gpa - slot.gpa) & (WINDOW - 1));
  }

  private Slot find(long gpa, long length) {
    for (Slot slot : slots) {
      if (slot.holds(gpa, length)) {
        return slot;
      }
    }
    return null;
  }

  private Slot require(long gpa, long length) {
    Slot slot = length < 0 ? null : find(gpa, length);
    if (slot == null) {
      throw new IndexOutOfBoundsException(
          "no RAM at all " + length + " bytes from GPA 0x" + Long.toHexString(gpa) + " on");
    }
    return slot;
  }
}
