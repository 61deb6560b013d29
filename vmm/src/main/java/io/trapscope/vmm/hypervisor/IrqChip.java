package io.trapscope.vmm.hypervisor;

/** Where a machine's interrupt controllers are: {@code --irqchip}. */
public enum IrqChip {
  /** All in the host's kernel, with the interval timer, where the host has them; else all ours. */
  AUTO,
  /** All in the host's kernel, with the interval timer: what they do never exits. */
  KERNEL,
  /** Local APICs in the kernel; 8259 pair, I/O APIC and interval timer are our own devices. */
  SPLIT,
  /** All are our own devices: each access to them is an exit, and so is each HLT. */
  USER
}
