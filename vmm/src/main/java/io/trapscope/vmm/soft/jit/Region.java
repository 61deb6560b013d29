package io.trapscope.vmm.soft.jit;

import io.trapscope.vmm.soft.cpu.Block;
import io.trapscope.vmm.soft.cpu.Op;
import java.util.ArrayList;
import java.util.List;

/**
 * Blocks that are compiled together: those that a hot block leads to, over branches, calls and
 * returns, as far as they have run often of late. They may lie in several pages.
 */
final class Region {
  private static final int MAX_BLOCKS = 32;
  private static final int MAX_OPS = 160;

  final List<Block> blocks = new ArrayList<>();

  /** Index of each block's first instruction in {@link #ops}. */
  final List<Integer> bases = new ArrayList<>();

  final Op[] ops;

  /** By block: indexes of those that have followed it. */
  private final List<List<Integer>> followers = new ArrayList<>();

  /**
   * Must be made by the processor's thread, which alone changes blocks.
   *
   * @param warm runs after which a block is taken along
   */
  Region(Block root, int warm) {
    int count = add(root, 0);
    for (int i = 0; i < blocks.size(); i++) {
      for (Block next : blocks.get(i).successors()) {
        if (next.isFree()
            && next.heat() >= warm
            && next.runsLike(root)
            && blocks.size() < MAX_BLOCKS
            && count + next.count <= MAX_OPS) {
          count = add(next, count);
        }
      }
    }
    ops = new Op[count];
    for (int i = 0; i < blocks.size(); i++) {
      System.arraycopy(blocks.get(i).ops, 0, ops, bases.get(i), blocks.get(i).count);
      List<Integer> indexes = new ArrayList<>(2);
      for (Block next : blocks.get(i).successors()) {
        int k = blocks.indexOf(next);
        if (k >= 0) {
          indexes.add(k);
        }
      }
      followers.add(indexes);
    }
  }

  private int add(Block block, int base) {
    block.request();
    blocks.add(block);
    bases.add(base);
    return base + block.count;
  }

  /** Indexes of the blocks that have followed block {@code i}. */
  List<Integer> followers(int i) {
    return followers.get(i);
  }

  /** Index of the block at this RIP that has followed block {@code i}, or -1. */
  int follower(int i, long rip) {
    for (int next : followers.get(i)) {
      if (blocks.get(next).rip() == rip) {
        return next;
      }
    }
    return -1;
  }

  /** Whether block {@code next} lies in another page than block {@code i}. */
  boolean crosses(int i, int next) {
    Block from = blocks.get(i);
    Block to = blocks.get(next);
    return from.rip() >>> 12 != to.rip() >>> 12 || from.frame != to.frame;
  }

  /** Whether block {@code i} or one behind it goes on with block {@code i}. */
  boolean isGoneBackTo(int i) {
    return followers.subList(i, followers.size()).stream().anyMatch(next -> next.contains(i));
  }

  /**
   * By block: how many instructions may run from its first one on until the deadline is looked at
   * again, which is where code goes back to this block or one before it.
   */
  int[] needs() {
    int[] needs = new int[blocks.size()];
    for (int i = needs.length - 1; i >= 0; i--) {
      int most = 0;
      for (int next : followers(i)) {
        most = next > i ? Math.max(most, needs[next]) : most;
      }
      needs[i] = blocks.get(i).count + most;
    }
    return needs;
  }
}
