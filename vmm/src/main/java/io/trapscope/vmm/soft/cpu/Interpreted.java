package io.trapscope.vmm.soft.cpu;

import java.util.List;

/** Tier 1: one handler after another. */
final class Interpreted extends Code {
  private final Block block;

  Interpreted(Block block) {
    super(block.ops, List.of(), new int[0]);
    this.block = block;
  }

  @Override
  public void run(Cpu cpu) {
    if (++block.heat >= cpu.hotAfter) {
      cpu.hot(block);
    }
    Op[] list = ops;
    for (int i = 0; i < list.length; i++) {
      cpu.index = i;
      Op op = list[i];
      op.handler().exec(cpu, op);
    }
    cpu.retired += list.length;
  }
}
