package io.trapscope.vmm.soft.cpu;

import io.trapscope.vmm.soft.mmu.Bytes;
import io.trapscope.vmm.soft.mmu.Ept;
import io.trapscope.vmm.soft.mmu.GuestRam;
import io.trapscope.vmm.soft.mmu.Tlb;
import java.util.Arrays;

/**
 * Memory accesses by linear address. The fast path is a tag compare and a bounds check; everything
 * else is {@link CpuTranslation}'s.
 */
public abstract class CpuMemory extends CpuTranslation {
  /** The arrays of the TLB that counts now. */
  private long[] readTags = tlb.readTags;

  private long[] writeTags = tlb.writeTags;
  private byte[][] readPages = tlb.readPages;
  private byte[][] writePages = tlb.writePages;

  /** Upper half of what {@link #read128} read. */
  public long high;

  protected CpuMemory(GuestRam ram, Ept ept) {
    super(ram, ept);
  }

  /** Chooses the TLB for privilege level and RFLAGS.AC. */
  protected final void selectTlb() {
    boolean ac = (eflags & AC) != 0;
    if (cpl == 3) {
      tlb = tlbs[ac && (cr0 & CR0_AM) != 0 ? 3 : 1];
    } else {
      tlb = tlbs[ac && (cr4 & CR4_SMAP) != 0 ? 2 : 0];
    }
    readTags = tlb.readTags;
    writeTags = tlb.writeTags;
    readPages = tlb.readPages;
    writePages = tlb.writePages;
  }

  /** One byte, zero-extended. */
  public final long read8(long a) {
    int i = Tlb.index(a);
    if (readTags[i] == (a & -4096L)) {
      return readPages[i][(int) a & 4095] & 0xff;
    }
    return readSlow(tlb, a, 1);
  }

  /** Two bytes, zero-extended. */
  public final long read16(long a) {
    int i = Tlb.index(a);
    if (readTags[i] == (a & -4096L)) {
      byte[] page = readPages[i];
      int at = (int) a & 4095;
      if (at <= page.length - 2) {
        return (short) Bytes.SHORT.get(page, at) & 0xffff;
      }
    }
    return readSlow(tlb, a, 2);
  }

  /** Four bytes, zero-extended. */
  public final long read32(long a) {
    int i = Tlb.index(a);
    if (readTags[i] == (a & -4096L)) {
      byte[] page = readPages[i];
      int at = (int) a & 4095;
      if (at <= page.length - 4) {
        return (int) Bytes.INT.get(page, at) & 0xffffffffL;
      }
    }
    return readSlow(tlb, a, 4);
  }

  public final long read64(long a) {
    int i = Tlb.index(a);
    if (readTags[i] == (a & -4096L)) {
      byte[] page = readPages[i];
      int at = (int) a & 4095;
      if (at <= page.length - 8) {
        return (long) Bytes.LONG.get(page, at);
      }
    }
    return readSlow(tlb, a, 8);
  }

  // The same for generated code, which says which instruction it is only where it matters.

  /** {@link #read8} by instruction {@code at} of those that are running; so the others. */
  public final long load8(long a, int at) {
    int i = Tlb.index(a);
    if (readTags[i] == (a & -4096L)) {
      return readPages[i][(int) a & 4095] & 0xff;
    }
    index = at;
    return readSlow(tlb, a, 1);
  }

  public final long load16(long a, int at) {
    index = at;
    return read16(a);
  }

  public final long load32(long a, int at) {
    int i = Tlb.index(a);
    if (readTags[i] == (a & -4096L)) {
      byte[] page = readPages[i];
      int offset = (int) a & 4095;
      if (offset <= page.length - 4) {
        return (int) Bytes.INT.get(page, offset) & 0xffffffffL;
      }
    }
    index = at;
    return readSlow(tlb, a, 4);
  }

  public final long load64(long a, int at) {
    int i = Tlb.index(a);
    if (readTags[i] == (a & -4096L)) {
      byte[] page = readPages[i];
      int offset = (int) a & 4095;
      if (offset <= page.length - 8) {
        return (long) Bytes.LONG.get(page, offset);
      }
    }
    index = at;
    return readSlow(tlb, a, 8);
  }

  public final void store8(long a, long value, int at) {
    index = at;
    write8(a, value);
  }

  public final void store16(long a, long value, int at) {
    index = at;
    write16(a, value);
  }

  public final void store32(long a, long value, int at) {
    index = at;
    write32(a, value);
  }

  public final void store64(long a, long value, int at) {
    int i = Tlb.index(a);
    if (writeTags[i] == (a & -4096L)) {
      byte[] page = writePages[i];
      int offset = (int) a & 4095;
      if (offset <= page.length - 8) {
        Bytes.LONG.set(page, offset, value);
        return;
      }
    }
    index = at;
    writeSlow(tlb, a, 8, value);
  }

  /** Sixteen bytes: returns the lower half, leaves the upper in {@link #high}. */
  public final long read128(long a) {
    int i = Tlb.index(a);
    if (readTags[i] == (a & -4096L)) {
      byte[] page = readPages[i];
      int at = (int) a & 4095;
      if (at <= page.length - 16) {
        high = (long) Bytes.LONG.get(page, at + 8);
        return (long) Bytes.LONG.get(page, at);
      }
    }
    touch(tlb, a, 16, Ept.READ);
    long low = read64(a);
    high = read64(wrap(a + 8));
    return low;
  }

  public final void write8(long a, long value) {
    int i = Tlb.index(a);
    if (writeTags[i] == (a & -4096L)) {
      writePages[i][(int) a & 4095] = (byte) value;
    } else {
      writeSlow(tlb, a, 1, value);
    }
  }

  public final void write16(long a, long value) {
    int i = Tlb.index(a);
    if (writeTags[i] == (a & -4096L)) {
      byte[] page = writePages[i];
      int at = (int) a & 4095;
      if (at <= page.length - 2) {
        Bytes.SHORT.set(page, at, (short) value);
        return;
      }
    }
    writeSlow(tlb, a, 2, value);
  }

  public final void write32(long a, long value) {
    int i = Tlb.index(a);
    if (writeTags[i] == (a & -4096L)) {
      byte[] page = writePages[i];
      int at = (int) a & 4095;
      if (at <= page.length - 4) {
        Bytes.INT.set(page, at, (int) value);
        return;
      }
    }
    writeSlow(tlb, a, 4, value);
  }

  public final void write64(long a, long value) {
    int i = Tlb.index(a);
    if (writeTags[i] == (a & -4096L)) {
      byte[] page = writePages[i];
      int at = (int) a & 4095;
      if (at <= page.length - 8) {
        Bytes.LONG.set(page, at, value);
        return;
      }
    }
    writeSlow(tlb, a, 8, value);
  }

  /** Sixteen bytes; faults before it changes any. */
  public final void write128(long a, long low, long upper) {
    int i = Tlb.index(a);
    if (writeTags[i] == (a & -4096L)) {
      byte[] page = writePages[i];
      int at = (int) a & 4095;
      if (at <= page.length - 16) {
        Bytes.LONG.set(page, at, low);
        Bytes.LONG.set(page, at + 8, upper);
        return;
      }
    }
    touch(tlb, a, 16, Ept.WRITE);
    write64(a, low);
    write64(wrap(a + 8), upper);
  }

  /** {@code size} bytes (1, 2, 4, 8), zero-extended. */
  public final long read(int size, long a) {
    return switch (size) {
      case 8 -> read64(a);
      case 4 -> read32(a);
      case 2 -> read16(a);
      default -> read8(a);
    };
  }

  public final void write(int size, long a, long value) {
    switch (size) {
      case 8 -> write64(a, value);
      case 4 -> write32(a, value);
      case 2 -> write16(a, value);
      default -> write8(a, value);
    }
  }

  /** Reads what will be written back: faults as a write does. */
  public final long readForWrite(int size, long a) {
    int i = Tlb.index(a);
    if (writeTags[i] == (a & -4096L)) {
      byte[] page = writePages[i];
      int at = (int) a & 4095;
      if (at <= page.length - size) {
        return Bytes.load(page, at, size);
      }
    }
    touch(tlb, a, size, Ept.WRITE);
    return read(size, a);
  }

  /**
   * Stores {@code n} items from {@code to} on, all in one page, if that page can be stored to
   * without further ado; false where nothing was done.
   */
  public final boolean fill(long to, int n, int size, long value) {
    int i = Tlb.index(to);
    if (writeTags[i] != (to & -4096L)) {
      return false;
    }
    byte[] page = writePages[i];
    int at = (int) to & 4095;
    long byteValue = value & 0xff;
    if (size == 1 || unsigned(size, byteValue * 0x0101010101010101L) == unsigned(size, value)) {
      Arrays.fill(page, at, at + n * size, (byte) value);
    } else {
      for (int k = 0; k < n; k++) {
        Bytes.store(page, at + k * size, size, value);
      }
    }
    return true;
  }

  /**
   * Copies {@code length} bytes, each side in one page, if both can be reached without further ado
   * and a forward copy is what it looks like; false where nothing was done.
   */
  public final boolean copy(long from, long to, int length) {
    int i = Tlb.index(from);
    int k = Tlb.index(to);
    if (readTags[i] != (from & -4096L) || writeTags[k] != (to & -4096L)) {
      return false;
    }
    byte[] source = readPages[i];
    byte[] target = writePages[k];
    int at = (int) from & 4095;
    int dest = (int) to & 4095;
    if (source == target && at < dest && dest < at + length) {
      return false;
    }
    System.arraycopy(source, at, target, dest, length);
    return true;
  }
}
