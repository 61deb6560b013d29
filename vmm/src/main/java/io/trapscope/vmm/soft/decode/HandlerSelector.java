package io.trapscope.vmm.soft.decode;

import io.trapscope.vmm.soft.cpu.Handler;

/** Picks the handler of a decoded instruction, so that a frequent form can have one of its own. */
@FunctionalInterface
public interface HandlerSelector {

  /**
   * The handler for what {@code decoded} holds, or null where the encoding is not an instruction
   * (#UD).
   */
  Handler select(Decoded decoded);
}
