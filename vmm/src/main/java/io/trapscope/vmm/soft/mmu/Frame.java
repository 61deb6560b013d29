package io.trapscope.vmm.soft.mmu;

import io.trapscope.vmm.soft.cpu.Block;

/**
 * A 4 KiB page of modelled host-physical memory, and the blocks decoded from it.
 *
 * <p>One array a page, so that an access needs no offset arithmetic beyond the low 12 bits and the
 * array's own bounds check is the check for a page crossing.
 */
public final class Frame {
  public static final int SIZE = 4096;

  /** Host-physical address of the first byte. */
  public final long hpa;

  public final byte[] bytes = new byte[SIZE];

  /** A bit for every 64 bytes of which some have been decoded. */
  private long codeMask;

  /** Blocks by the 64 bytes they start in, chained by {@link Block#nextInFrame}. */
  private Block[] blocks;

  Frame(long hpa) {
    this.hpa = hpa;
  }

  /** The bits of {@link #codeMask} for these bytes. */
  private static long granules(int offset, int length) {
    int first = offset >> 6;
    int last = Math.min(offset + length - 1, SIZE - 1) >> 6;
    return -1L >>> 63 - (last - first) << first;
  }

  public boolean hasCode() {
    return codeMask != 0;
  }

  /** Whether a store to these bytes may hit a decoded instruction. */
  public boolean hasCode(int offset, int length) {
    return codeMask != 0 && (codeMask & granules(offset, length)) != 0;
  }

  /** Whether these bytes overlap a block that is still valid. */
  public boolean hitsBlock(int offset, int length) {
    int last = Math.min(offset + length - 1, SIZE - 1) >> 6;
    for (int i = Math.max(0, (offset >> 6) - Block.MAX_BYTES / 64); i <= last; i++) {
      for (Block b = blocks[i]; b != null; b = b.nextInFrame(this)) {
        if (b.overlaps(this, offset, length)) {
          return true;
        }
      }
    }
    return false;
  }

  /** Registers a block that has bytes in this frame. */
  public void add(Block block) {
    if (blocks == null) {
      blocks = new Block[64];
    }
    int from = block.from(this);
    block.setNextInFrame(this, blocks[from >> 6]);
    blocks[from >> 6] = block;
    codeMask |= granules(from, block.to(this) - from);
  }

  /**
   * The block that starts at this offset with this RIP, mode, and base and limit of CS, or null.
   */
  public Block find(int offset, long rip, int mode, long csBase, long csLimit) {
    if (blocks == null) {
      return null;
    }
    for (Block b = blocks[offset >> 6]; b != null; b = b.nextInFrame(this)) {
      if (b.frame == this && b.from(this) == offset && b.matches(rip, mode, csBase, csLimit)) {
        return b;
      }
    }
    return null;
  }

  /** Drops every block that overlaps these bytes; returns how many. */
  public int invalidate(int offset, int length) {
    int dropped = 0;
    long mask = 0;
    for (int i = 0; i < 64; i++) {
      Block kept = null;
      Block next;
      for (Block b = blocks[i]; b != null; b = next) {
        next = b.nextInFrame(this);
        if (!b.isValid() || b.overlaps(this, offset, length)) {
          b.invalidate();
          dropped++;
        } else {
          b.setNextInFrame(this, kept);
          kept = b;
          mask |= granules(b.from(this), b.to(this) - b.from(this));
        }
      }
      blocks[i] = kept;
    }
    codeMask = mask;
    return dropped;
  }
}
