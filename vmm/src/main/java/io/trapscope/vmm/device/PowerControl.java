package io.trapscope.vmm.device;

/** What a device can do to the machine as a whole. Both end the run as soon as the guest is out. */
public interface PowerControl {

  /** The guest asked for a reset; {@code by} names the register, such as {@code i8042}. */
  void reset(String by);

  /** The guest switched the machine off. */
  void powerOff(String by);
}
