package io.trapscope.vmm.soft.mmu;

import java.util.Arrays;

/**
 * Extended page tables (SDM volume 3, section 29.3): four levels of 512 entries in modelled host
 * memory.
 *
 * <pre>
 *   bit 0 read, 1 write, 2 execute, 5:3 memory type (6 write-back, leaf only), 7 large page,
 *   8 accessed, 9 dirty (leaf only), 51:12 address
 * </pre>
 */
public final class Ept {
  public static final int READ = 1;
  public static final int WRITE = 2;
  public static final int FETCH = 4;
  public static final int LARGE = 1 << 7;
  public static final int ACCESSED = 1 << 8;
  public static final int DIRTY = 1 << 9;
  private static final long WRITE_BACK = 6 << 3;
  private static final long ADDRESS = 0xf_ffff_ffff_f000L;
  private static final int CACHE = 4096;

  private final HostMemory memory;
  private final Frame root;

  /** Leaves that are known to be mapped RWX with accessed and dirty set: no walk needed. */
  private final long[] cacheTags = new long[CACHE];

  private final Frame[] cacheFrames = new Frame[CACHE];

  /** log2 of the page size, and rights, that the last walk ended with. */
  private int lastShift;

  private int lastRights;

  public Ept(HostMemory memory) {
    this.memory = memory;
    root = memory.allocate();
    Arrays.fill(cacheTags, -1);
  }

  /** HPA of the top-level table, as the EPTP would hold it. */
  public long pointer() {
    return root.hpa;
  }

  /**
   * Maps a page with all rights.
   *
   * @param shift 12, 21 or 30; GPA and HPA are multiples of that size
   */
  public void map(long gpa, long hpa, int shift) {
    cacheTags[(int) (gpa >>> 12) & CACHE - 1] = -1;
    if (shift > 12) {
      Arrays.fill(cacheTags, -1);
    }
    Frame table = root;
    for (int level = 39; level > shift; level -= 9) {
      int offset = (int) (gpa >>> level & 511) << 3;
      long entry = (long) Bytes.LONG.get(table.bytes, offset);
      if (entry == 0) {
        entry = memory.allocate().hpa | READ | WRITE | FETCH;
        Bytes.LONG.set(table.bytes, offset, entry);
      }
      table = memory.frame(entry & ADDRESS);
    }
    long leaf = hpa | WRITE_BACK | READ | WRITE | FETCH | (shift > 12 ? LARGE : 0);
    Bytes.LONG.set(table.bytes, (int) (gpa >>> shift & 511) << 3, leaf);
  }

  /**
   * Translates a guest-physical address, setting accessed and dirty bits.
   *
   * @param access {@link #READ}, {@link #WRITE} or {@link #FETCH}
   * @return the frame, or null on a violation; then {@link #rights()} tells what is allowed there
   */
  public Frame translate(long gpa, int access) {
    long page = gpa & -4096L;
    int slot = (int) (gpa >>> 12) & CACHE - 1;
    if (cacheTags[slot] == page) {
      return cacheFrames[slot];
    }
    Frame table = root;
    int rights = READ | WRITE | FETCH;
    for (int level = 39; ; level -= 9) {
      int offset = (int) (gpa >>> level & 511) << 3;
      long entry = (long) Bytes.LONG.get(table.bytes, offset);
      rights &= (int) entry;
      lastShift = level;
      lastRights = rights;
      if ((rights & access) == 0) {
        return null;
      }
      boolean leaf = level == 12 || (entry & LARGE) != 0;
      entry |= ACCESSED | (leaf && access == WRITE ? DIRTY : 0);
      Bytes.LONG.set(table.bytes, offset, entry);
      if (leaf) {
        Frame frame = memory.frame((entry & ADDRESS) + (page & (1L << level) - 1));
        if ((entry & DIRTY) != 0 && rights == (READ | WRITE | FETCH)) {
          cacheTags[slot] = page;
          cacheFrames[slot] = frame;
        }
        return frame;
      }
      table = memory.frame(entry & ADDRESS);
    }
  }

  /** log2 of the page size (or of the reach of the missing entry) of the last walk. */
  public int shift() {
    return lastShift;
  }

  /** Rights that the last walk found: the bits 5:3 of the exit qualification of a violation. */
  public int rights() {
    return lastRights;
  }

  /** Rights with which a page is mapped now; 0 where it is not. */
  public int rights(long gpa) {
    int rights = READ | WRITE | FETCH;
    for (long entry : walk(gpa)) {
      rights &= (int) entry;
    }
    return rights;
  }

  /** The entries of a walk, top level first, as far as it goes; for translation reports. */
  public long[] walk(long gpa) {
    long[] entries = new long[4];
    Frame table = root;
    for (int i = 0, level = 39; level >= 12; level -= 9, i++) {
      long entry = (long) Bytes.LONG.get(table.bytes, (int) (gpa >>> level & 511) << 3);
      entries[i] = entry;
      if ((entry & READ) == 0 || (entry & LARGE) != 0 || level == 12) {
        return Arrays.copyOf(entries, i + 1);
      }
      table = memory.frame(entry & ADDRESS);
    }
    return entries;
  }
}
