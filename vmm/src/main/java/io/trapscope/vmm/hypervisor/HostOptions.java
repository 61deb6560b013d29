package io.trapscope.vmm.hypervisor;

import java.util.Map;

/**
 * What a machine asks of the host's KVM. {@code soft} has no use for any of it.
 *
 * @param memory what is done to guest memory
 * @param irqchip where the interrupt controllers are
 * @param tscKhz rate of the guest's time-stamp counter in kHz; 0 for the host's
 * @param pins the CPU of the host on which a vCPU's thread stays, by the vCPU's number
 */
public record HostOptions(
    MemoryOptions memory, IrqChip irqchip, long tscKhz, Map<Integer, Integer> pins) {
  /** As on {@code soft}: our own interrupt controllers, and nothing special. */
  public static final HostOptions DEFAULT = of(IrqChip.USER);

  /** Copies the map. */
  public HostOptions {
    pins = Map.copyOf(pins);
  }

  /** Interrupt controllers of this kind, and nothing special. */
  public static HostOptions of(IrqChip irqchip) {
    return new HostOptions(MemoryOptions.DEFAULT, irqchip, 0, Map.of());
  }

  /** Memory like this, and nothing else special. */
  public static HostOptions of(MemoryOptions memory) {
    return new HostOptions(memory, IrqChip.USER, 0, Map.of());
  }
}
