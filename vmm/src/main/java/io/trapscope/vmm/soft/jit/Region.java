package io.trapscope.vmm.soft.jit;

import io.trapscope.vmm.soft.cpu.Block;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.decode.Opcode;
import java.util.ArrayList;
import java.util.List;

/**
 * Blocks that are compiled together: those of one page, one mode and one code segment that a hot
 * block leads to. Because they share the page, none needs a look-up once the first has been found.
 */
final class Region {
  private static final int MAX_BLOCKS = 16;
  private static final int MAX_OPS = 96;

  final List<Block> blocks = new ArrayList<>();

  /** Index of each block's first instruction in {@link #ops}. */
  final List<Integer> bases = new ArrayList<>();

  final Op[] ops;

  /** Must be made by the processor's thread, which alone changes blocks. */
  Region(Block root) {
    int count = root.count;
    blocks.add(root);
    bases.add(0);
    for (int i = 0; i < blocks.size(); i++) {
      for (long rip : successors(blocks.get(i))) {
        Block next = root.sibling(rip);
        if (next != null
            && next.secondFrame == null
            && next.isWarm()
            && !blocks.contains(next)
            && blocks.size() < MAX_BLOCKS
            && count + next.count <= MAX_OPS) {
          blocks.add(next);
          bases.add(count);
          count += next.count;
        }
      }
    }
    ops = new Op[count];
    for (int i = 0; i < blocks.size(); i++) {
      System.arraycopy(blocks.get(i).ops, 0, ops, bases.get(i), blocks.get(i).count);
    }
  }

  /** RIPs that a block can go on with and that are known now. */
  private static List<Long> successors(Block block) {
    Op last = block.ops[block.count - 1];
    if (last.opcode().is(Opcode.END) && !last.opcode().is(Opcode.LINKS)) {
      return List.of();
    }
    Opcode.Imm imm = last.opcode().imm();
    List<Long> rips = new ArrayList<>(2);
    if (imm == Opcode.Imm.REL8 || imm == Opcode.Imm.RELZ) {
      rips.add(last.imm());
    }
    if (!rips.contains(block.end())) {
      rips.add(block.end());
    }
    return rips;
  }

  /** Indexes of the blocks that may follow block {@code i}. */
  List<Integer> followers(int i) {
    List<Integer> found = new ArrayList<>(2);
    for (long rip : successors(blocks.get(i))) {
      for (int k = 0; k < blocks.size(); k++) {
        if (blocks.get(k).rip() == rip) {
          found.add(k);
        }
      }
    }
    return found;
  }
}
