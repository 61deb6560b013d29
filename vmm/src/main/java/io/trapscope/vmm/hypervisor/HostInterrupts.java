package io.trapscope.vmm.hypervisor;

/**
 * Interrupt controllers that the host's kernel has for a machine: local APICs, and where {@link
 * #isComplete} all others and the interval timer too. Callable from any thread.
 */
public interface HostInterrupts {

  /** Whether the kernel has all of them; else local APICs only. */
  boolean isComplete();

  /** Drives the line of a global system interrupt; where {@link #isComplete}. */
  void line(int gsi, boolean asserted);

  /**
   * Sends an interrupt message to the local APICs, as SDM volume 3, section 11.11 lays it out;
   * where not {@link #isComplete}.
   */
  void message(long address, int data);

  /**
   * Says which message a pin of the I/O APIC sends, so that the end of a level-triggered interrupt
   * comes back as an exit; where not {@link #isComplete}.
   */
  void route(int pin, long address, int data);
}
