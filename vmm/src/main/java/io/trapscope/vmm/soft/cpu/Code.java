package io.trapscope.vmm.soft.cpu;

/**
 * How a block is run: interpreted, or by code generated for it and the blocks it leads to. Both
 * give the same architectural results and the same instruction counts.
 */
public abstract class Code {
  /** The instructions that {@link Cpu#index} counts while this runs. */
  public final Op[] ops;

  protected Code(Op[] ops) {
    this.ops = ops;
  }

  /**
   * Runs the block, and perhaps successors of it. While an instruction runs, {@code cpu.retired +
   * cpu.index} is the number of instructions retired before it; on return {@code cpu.retired} is
   * the number retired, and {@code cpu.rip} says where to go on.
   */
  public abstract void run(Cpu cpu);
}
