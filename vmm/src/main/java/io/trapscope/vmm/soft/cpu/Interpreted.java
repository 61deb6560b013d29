package io.trapscope.vmm.soft.cpu;

/** Tier 1: one handler after another. */
final class Interpreted extends Code {
  /** Runs after which a block is worth generated code. */
  static final int HOT = 5000;

  private final Block block;

  Interpreted(Block block) {
    super(block.ops);
    this.block = block;
  }

  @Override
  public void run(Cpu cpu) {
    Op[] list = ops;
    for (int i = 0; i < list.length; i++) {
      cpu.index = i;
      Op op = list[i];
      op.handler().exec(cpu, op);
    }
    cpu.retired += list.length;
    if (++block.heat >= HOT) {
      block.heat = 0;
      cpu.hot(block);
    }
  }
}
