package io.trapscope.vmm.device;

/** Registers that answer on a range of ports or guest-physical addresses. */
public interface Device {

  /** Short name for the memory-region tree and reports, such as {@code uart0}. */
  String name();

  /**
   * Reads {@code size} bytes (1, 2, 4 or 8) at {@code offset} into the device's range; the result
   * is zero-extended. A register that is not there reads as all ones.
   */
  long read(long offset, int size);

  /**
   * Writes the low {@code size} bytes of {@code value} at {@code offset}. Writes to nowhere are
   * ignored.
   */
  void write(long offset, int size, long value);
}
