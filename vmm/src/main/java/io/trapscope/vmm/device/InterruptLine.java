package io.trapscope.vmm.device;

/** One wire from a device to an interrupt controller. */
@FunctionalInterface
public interface InterruptLine {
  /** Drives the wire; the controller decides whether edge or level counts. */
  void set(boolean asserted);
}
