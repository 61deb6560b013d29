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

  /** A bit for (linear >>> 21) mod 64 of every large page entered since the last flush. */
  private long largePages;

  public Tlb() {
    flush();
  }

  /** The entry for a linear address. */
  public static int index(long linear) {
    return (int) (linear >>> 12) & SIZE - 1;
  }

  public void flush() {
    Arrays.fill(readTags, INVALID);
    Arrays.fill(writeTags, INVALID);
    Arrays.fill(execTags, INVALID);
    largePages = 0;
  }

  /** Drops what INVLPG of this address must drop, at least. */
  public void flushPage(long linear) {
    if ((largePages >>> (linear >>> 21) & 1) != 0) {
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

  /** Enters a translation; {@code large} when its page is larger than 4 KiB. */
  public void enter(long linear, Frame frame, int access, boolean writable, boolean large) {
    if (large) {
      largePages |= 1L << (linear >>> 21);
    }
    int i = index(linear);
    long page = linear & -4096L;
    if (access == Ept.FETCH) {
      execTags[i] = page;
      execFrames[i] = frame;
      return;
    }
    readTags[i] = page;
    readPages[i] = frame.bytes;
    if (writable && !frame.hasCode()) {
      writeTags[i] = page;
      writePages[i] = frame.bytes;
    }
  }
}
