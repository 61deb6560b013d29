package io.trapscope.vmm.soft.cpu;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.soft.decode.Decoder;
import io.trapscope.vmm.soft.mmu.Frame;
import java.util.ArrayList;
import java.util.Arrays;

/** Finds the decoded block at RIP; decodes it where there is none. */
final class BlockCache {
  private static final int JUMP_CACHE = 1 << 14;

  /** Instructions kept decoded, about 70 bytes each. */
  private static final long MAX_DECODED_OPS = 1_500_000;

  /** Blocks decoded since the last time all were dropped, valid or not. */
  private final ArrayList<Block> decoded = new ArrayList<>();

  private long decodedOps;
  private final Block[] jumps = new Block[JUMP_CACHE];

  private final Cpu cpu;
  private final Decoder decoder;

  BlockCache(Cpu cpu) {
    this.cpu = cpu;
    decoder = new Decoder(cpu);
    Arrays.fill(jumps, Block.NEVER);
  }

  /**
   * Drops all decoded blocks when they have become too many: a guest that jumps to ever new places
   * must not fill the host's memory.
   */
  private void forgetIfFull() {
    if (decodedOps < MAX_DECODED_OPS) {
      return;
    }
    for (Block old : decoded) {
      old.frame.invalidate(0, Frame.SIZE);
      if (old.secondFrame != null) {
        old.secondFrame.invalidate(0, Frame.SIZE);
      }
    }
    decoded.clear();
    decodedOps = 0;
    Arrays.fill(jumps, Block.NEVER);
  }

  /** The block at RIP, decoded now if need be; faults and exits as the fetch does. */
  Block find() {
    Cpu c = cpu;
    int slot = (int) (c.rip ^ c.rip >>> 14) & JUMP_CACHE - 1;
    Block b = jumps[slot];
    if (b.rip == c.rip && (b.stamp == c.stamp || b.globalStamp == c.globalStamp)) {
      b.stamp = c.stamp;
      return b;
    }
    long csBase = c.code64() ? 0 : c.segBase[Cpu.CS];
    long csLimit = c.code64() ? 0 : c.segLimit[Cpu.CS];
    long linear = c.code64() ? c.rip : csBase + c.rip & 0xffffffffL;
    Frame frame = c.fetchFrame(linear);
    if (frame == null) {
      c.fetching = true;
      c.exit.reset();
      c.exit.reason = ExitReason.INTERNAL_ERROR;
      c.stamp(c.rip, c.retired);
      c.exit.errorDetail = 1;
      throw c.exitSignal;
    }
    int at = (int) linear & 4095;
    if (b.frame != frame || b.from(frame) != at || !b.matches(c.rip, c.mode, csBase, csLimit)) {
      b = frame.find(at, c.rip, c.mode, csBase, csLimit);
    }
    if (b != null && b.secondFrame != null) {
      Frame second = c.fetchFrame(c.wrap((linear | 4095) + 1));
      if (second != b.secondFrame) {
        b.invalidate();
        b = null;
      }
    }
    if (b == null) {
      forgetIfFull();
      b = decoder.decode(frame, linear, csBase, csLimit);
      decoded.add(b);
      decodedOps += b.count;
      c.enter(b);
    }
    b.stamp = c.stamp;
    b.globalStamp = b.secondFrame == null && c.isGlobalCode(linear) ? c.globalStamp : Block.STALE;
    c.noteCode(linear);
    if (b.secondFrame != null) {
      c.noteCode(linear + Frame.SIZE);
    }
    jumps[slot] = b;
    return b;
  }
}
