package io.trapscope.vmm.device;

/**
 * How a device ends the run. The vCPU that made the access finishes it; the exit is recorded before
 * the machine stops. The first call counts.
 */
public interface MachineControl {

  /** The guest asked for a reset; {@code cause} names the way, such as {@code i8042}. */
  void reset(String cause);

  /** The guest switched the power off; {@code cause} names the way, such as {@code ACPI S5}. */
  void powerOff(String cause);

  /** The guest wrote this value to the debug-exit port. */
  void debugExit(long value);
}
