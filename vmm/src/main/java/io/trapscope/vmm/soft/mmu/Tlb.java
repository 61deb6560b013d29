package io.trapscope.vmm.soft.mmu;

import java.util.Arrays;

/**
 * Direct-mapped translations of one privilege level, apart for reading, writing and fetching. A tag
 * is the linear page address; {@link #INVALID} never equals one.
 */
public final class Tlb {
  /** Entries a kind of access; a power of two. */
  public static final int SIZE = 1024;

  public static final long INVALID = 1;

  public final long[] readTags = new long[SIZE];
  public final long[] writeTags = new long[SIZE];
  public final long[] execTags = new long[SIZE];
  public final byte[][] readPages = new byte[SIZE][];
  public final byte[][] writePages = new byte[SIZE][];
  public final Frame[] execFrames = new Frame[SIZE];

  /** By index, a bit each: whether there has been an entry since the last flush. */
  private final long[] usedData = new long[SIZE / 64];

  private final long[] usedCode = new long[SIZE / 64];

  /** By index: whether the entry came from a global page. Stale where there is no entry. */
  private final long[] globalData = new long[SIZE / 64];

  private final long[] globalCode = new long[SIZE / 64];

  /** Which 2 MiB regions, hashed, have had an entry from a large page since the last flush. */
  private final long[] largeRegions = new long[SIZE / 64];

  public Tlb() {
    Arrays.fill(readTags, INVALID);
    Arrays.fill(writeTags, INVALID);
    Arrays.fill(execTags, INVALID);
  }

  /** The entry for a linear address. */
  public static int index(long linear) {
    return (int) (linear >>> 12) & SIZE - 1;
  }

  private static int region(long linear) {
    return (int) (linear >>> 21 ^ linear >>> 31) & SIZE - 1;
  }

  private static boolean isSet(long[] bits, int i) {
    return (bits[i >> 6] >>> i & 1) != 0;
  }

  private static void set(long[] bits, int i, boolean value) {
    bits[i >> 6] = value ? bits[i >> 6] | 1L << i : bits[i >> 6] & ~(1L << i);
  }

  public void flush() {
    for (int word = 0; word < usedData.length; word++) {
      clear(word, usedData[word], usedCode[word]);
      largeRegions[word] = 0;
    }
  }

  /** Drops all but what came from global pages, as MOV to CR3 does. */
  public void flushNonGlobal() {
    for (int word = 0; word < usedData.length; word++) {
      clear(word, usedData[word] & ~globalData[word], usedCode[word] & ~globalCode[word]);
    }
  }

  /** Drops the entries of 64 indexes that have a bit, those of data and those of code. */
  private void clear(int word, long data, long code) {
    for (long left = data; left != 0; left &= left - 1) {
      int i = word << 6 | Long.numberOfTrailingZeros(left);
      readTags[i] = INVALID;
      writeTags[i] = INVALID;
    }
    for (long left = code; left != 0; left &= left - 1) {
      execTags[word << 6 | Long.numberOfTrailingZeros(left)] = INVALID;
    }
    usedData[word] &= ~data;
    usedCode[word] &= ~code;
  }

  /** Whether the code at this address, which has an entry, came from a global page. */
  public boolean isGlobalCode(long linear) {
    return isSet(globalCode, index(linear));
  }

  /** Whether a large page may have been entered that covers this address. */
  public boolean mayBeLarge(long linear) {
    return isSet(largeRegions, region(linear));
  }

  /** Drops what INVLPG of this address must drop, at least. */
  public void flushPage(long linear) {
    if (mayBeLarge(linear)) {
      flush();
      return;
    }
    int i = index(linear);
    long page = linear & -4096L;
    if (readTags[i] == page) {
      readTags[i] = INVALID;
    }
    if (writeTags[i] == page) {
      writeTags[i] = INVALID;
    }
    if (execTags[i] == page) {
      execTags[i] = INVALID;
    }
  }

  /** Makes stores to this frame take the slow path, because it holds code now. */
  public void protect(Frame frame) {
    for (int i = 0; i < SIZE; i++) {
      if (writePages[i] == frame.bytes) {
        writeTags[i] = INVALID;
      }
    }
  }

  /**
   * Enters a translation.
   *
   * @param writable whether stores may use it too
   * @param large whether its page is larger than 4 KiB
   * @param global whether it survives {@link #flushNonGlobal}
   */
  public void enter(
      long linear, Frame frame, int access, boolean writable, boolean large, boolean global) {
    if (large) {
      set(largeRegions, region(linear), true);
    }
    int i = index(linear);
    long page = linear & -4096L;
    if (access == Ept.FETCH) {
      execTags[i] = page;
      execFrames[i] = frame;
      set(globalCode, i, global);
      set(usedCode, i, true);
      return;
    }
    if (readTags[i] != page && writeTags[i] != page) {
      writeTags[i] = INVALID;
    }
    set(globalData, i, global);
    set(usedData, i, true);
    readTags[i] = page;
    readPages[i] = frame.bytes;
    if (writable && !frame.hasCode()) {
      writeTags[i] = page;
      writePages[i] = frame.bytes;
    }
  }
}
