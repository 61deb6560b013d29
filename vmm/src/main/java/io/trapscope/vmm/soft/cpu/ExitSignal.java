package io.trapscope.vmm.soft.cpu;

/**
 * A memory access left guest mode, or the instruction must start again in another way. What it was
 * is in the processor's exit state; preallocated and without a stack trace.
 */
public final class ExitSignal extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ExitSignal(String what) {
    super(what, null, false, false);
  }
}
