package io.trapscope.vmm.device;

/** What the loop asks before each entry: the processor's side of the interrupt controllers. */
public interface InterruptSource {

  /** Whether an external interrupt waits for this vCPU. */
  boolean pending(int vcpu);

  /**
   * Acknowledges the interrupt of highest priority and returns its vector (0 to 255), or -1 where
   * none waits any more.
   */
  int acknowledge(int vcpu);
}
