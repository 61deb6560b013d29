package io.trapscope.vmm.soft.cpu;

/**
 * How a block is run. Generated code and interpretation give the same architectural results and the
 * same instruction counts.
 */
@FunctionalInterface
public interface Code {

  /** Executes the instructions of {@code block}, keeping {@link Cpu#index} at the current one. */
  void run(Cpu cpu, Block block);

  /** Tier 1: one handler after another. */
  Code INTERPRET =
      (cpu, block) -> {
        Op[] ops = block.ops;
        for (int i = 0; i < ops.length; i++) {
          cpu.index = i;
          Op op = ops[i];
          op.handler().exec(cpu, op);
        }
      };
}
