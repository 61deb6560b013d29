package io.trapscope.vmm.soft.cpu;

import java.util.List;

/**
 * Generates code for hot blocks on a thread of its own. The processor's thread asks and collects;
 * when it does so has no influence on results.
 */
public interface Compiler {

  /**
   * Generated code.
   *
   * @param root the block it starts with
   * @param code what to run
   * @param parts every block in it, the root among them; it may run only while all are valid
   */
  record Finished(Block root, Code code, List<Block> parts) {}

  /** Asks for code; may do nothing. */
  void request(Block block);

  /** Code that has become ready, or null. */
  Finished poll();
}
