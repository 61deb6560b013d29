package io.trapscope.vmm.soft.mmu;

import io.trapscope.vmm.memory.GuestMemory;
import java.util.ArrayList;
import java.util.List;

/**
 * Guest RAM: memory slots that map guest-physical pages to host frames, allocated on the first
 * touch by guest or VMM.
 */
public final class GuestRam implements GuestMemory {

  /** A memory slot: RAM at these guest-physical addresses, with the HVA its bytes have for KVM. */
  private record Slot(long gpa, long bytes, long hva, Frame[] frames) {}

  /** HVA of the first slot: where a VMM's mapping would plausibly lie. Modelled, never used. */
  private static final long HVA_BASE = 0x7f00_0000_0000L;

  private final HostMemory host;
  private final Slot[] slots;
  private final List<Tlb> tlbs = new ArrayList<>();

  /**
   * @param host where frames come from
   * @param regions GPA and length in bytes of each RAM region; multiples of 4 KiB, ascending
   */
  public GuestRam(HostMemory host, long[]... regions) {
    this.host = host;
    slots = new Slot[regions.length];
    long hva = HVA_BASE;
    for (int i = 0; i < regions.length; i++) {
      long bytes = regions[i][1];
      slots[i] = new Slot(regions[i][0], bytes, hva, new Frame[(int) (bytes >>> 12)]);
      hva += bytes;
    }
  }

  /** Adds a TLB that may hold translations to this memory. */
  public void attach(Tlb tlb) {
    tlbs.add(tlb);
  }

  /** Makes all stores to a frame take the slow path from now on. */
  public void protect(Frame frame) {
    for (Tlb tlb : tlbs) {
      tlb.protect(frame);
    }
  }

  private Slot slot(long gpa) {
    for (Slot slot : slots) {
      long offset = gpa - slot.gpa;
      if (offset >= 0 && offset < slot.bytes) {
        return slot;
      }
    }
    return null;
  }

  /** Whether RAM lies at this address. */
  public boolean isRam(long gpa) {
    return slot(gpa) != null;
  }

  /** HVA of a RAM byte. */
  public long hva(long gpa) {
    Slot slot = slot(gpa);
    return slot.hva + gpa - slot.gpa;
  }

  /** The frame of a RAM page, or null where it was never touched. */
  public Frame existing(long gpa) {
    Slot slot = slot(gpa);
    return slot.frames[(int) (gpa - slot.gpa >>> 12)];
  }

  /** The frame of a RAM page, allocated now if need be. */
  public Frame frame(long gpa) {
    Slot slot = slot(gpa);
    int i = (int) (gpa - slot.gpa >>> 12);
    Frame frame = slot.frames[i];
    if (frame == null) {
      frame = host.allocate();
      slot.frames[i] = frame;
    }
    return frame;
  }

  @Override
  public boolean contains(long gpa, long length) {
    long at = gpa;
    long left = length;
    while (left > 0) {
      Slot slot = slot(at);
      if (slot == null) {
        return false;
      }
      long here = Math.min(left, slot.gpa + slot.bytes - at);
      at += here;
      left -= here;
    }
    return length >= 0;
  }

  private void check(long gpa, long length) {
    if (!contains(gpa, length)) {
      throw new IndexOutOfBoundsException(
          String.format("guest-physical 0x%x, %d bytes: not RAM", gpa, length));
    }
  }

  @Override
  public void read(long gpa, byte[] to, int offset, int length) {
    check(gpa, length);
    for (int done = 0; done < length; ) {
      int at = (int) (gpa + done) & 4095;
      int part = Math.min(length - done, Frame.SIZE - at);
      Frame frame = existing(gpa + done);
      if (frame == null) {
        java.util.Arrays.fill(to, offset + done, offset + done + part, (byte) 0);
      } else {
        System.arraycopy(frame.bytes, at, to, offset + done, part);
      }
      done += part;
    }
  }

  @Override
  public void write(long gpa, byte[] from, int offset, int length) {
    check(gpa, length);
    for (int done = 0; done < length; ) {
      int at = (int) (gpa + done) & 4095;
      int part = Math.min(length - done, Frame.SIZE - at);
      Frame frame = frame(gpa + done);
      if (frame.hasCode(at, part)) {
        frame.invalidate(at, part);
      }
      System.arraycopy(from, offset + done, frame.bytes, at, part);
      done += part;
    }
  }

  private long load(long gpa, int size) {
    int at = (int) gpa & 4095;
    if (at + size <= Frame.SIZE) {
      check(gpa, size);
      Frame frame = existing(gpa);
      return frame == null ? 0 : Bytes.load(frame.bytes, at, size);
    }
    byte[] bytes = new byte[8];
    read(gpa, bytes, 0, size);
    return Bytes.load(bytes, 0, size);
  }

  private void store(long gpa, int size, long value) {
    byte[] bytes = new byte[8];
    Bytes.store(bytes, 0, size, value);
    write(gpa, bytes, 0, size);
  }

  @Override
  public byte readByte(long gpa) {
    return (byte) load(gpa, 1);
  }

  @Override
  public short readShort(long gpa) {
    return (short) load(gpa, 2);
  }

  @Override
  public int readInt(long gpa) {
    return (int) load(gpa, 4);
  }

  @Override
  public long readLong(long gpa) {
    return load(gpa, 8);
  }

  @Override
  public void writeByte(long gpa, byte value) {
    store(gpa, 1, value);
  }

  @Override
  public void writeShort(long gpa, short value) {
    store(gpa, 2, value);
  }

  @Override
  public void writeInt(long gpa, int value) {
    store(gpa, 4, value);
  }

  @Override
  public void writeLong(long gpa, long value) {
    store(gpa, 8, value);
  }
}
