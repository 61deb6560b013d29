package io.trapscope.vmm.device;

/** Configuration space of one PCI function, 256 bytes (PCI Local Bus 3.0, chapter 6). */
public interface PciFunction {

  /** Reads {@code size} bytes (1, 2 or 4), naturally aligned, zero-extended. */
  int readConfig(int register, int size);

  /** Writes the low {@code size} bytes of {@code value}; read-only bits keep theirs. */
  void writeConfig(int register, int size, int value);
}
