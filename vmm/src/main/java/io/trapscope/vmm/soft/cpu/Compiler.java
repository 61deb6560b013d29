package io.trapscope.vmm.soft.cpu;

/**
 * Generates code for hot blocks on a thread of its own. The processor's thread asks and collects;
 * when it does so has no influence on results.
 */
public interface Compiler {

  /** Runs after which a block is worth asking for. */
  int hotAfter();

  /** Asks for code for a block and others that it leads to; may do nothing. */
  void request(Block block);

  /** Code that has become ready, or null. */
  Code poll();
}
