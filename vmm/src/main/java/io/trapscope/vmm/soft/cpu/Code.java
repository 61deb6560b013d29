package io.trapscope.vmm.soft.cpu;

import java.util.Arrays;
import java.util.List;

/**
 * How blocks are run: one interpreted, or several by code generated for them together. Both give
 * the same architectural results and the same instruction counts.
 */
public abstract class Code {
  /** The instructions that {@link Cpu#index} counts while this runs. */
  public final Op[] ops;

  private final Block[] parts;
  private final int[] needs;

  /**
   * @param parts the blocks that this runs, each by its index as {@link Cpu#entryBlock}; it may run
   *     only while all are valid
   */
  protected Code(Op[] ops, List<Block> parts, int[] needs) {
    this.ops = ops;
    this.parts = parts.toArray(Block[]::new);
    this.needs = needs;
  }

  /** Puts generated code to use, if all its blocks are still as they were. */
  final boolean install() {
    boolean valid = Arrays.stream(parts).allMatch(Block::isValid);
    for (int i = 0; i < parts.length; i++) {
      parts[i].requested = false;
      if (valid) {
        parts[i].runBy(this, i, needs[i]);
      }
    }
    return valid;
  }

  /** Takes generated code out of use: a block of it has changed. */
  final void revoke() {
    for (Block part : parts) {
      part.interpret();
    }
  }

  /** Whether block {@code i} is still known to be what lies at its RIP. */
  public final boolean isCurrent(Cpu cpu, int i) {
    return parts[i].stamp == cpu.stamp;
  }

  /**
   * Runs the block with the index {@link Cpu#entryBlock}, and perhaps successors of it. While an
   * instruction runs, {@code cpu.retired + cpu.index} is the number of instructions retired before
   * it; on return {@code cpu.retired} is the number retired, and {@code cpu.rip} says where to go
   * on.
   */
  public abstract void run(Cpu cpu);
}
