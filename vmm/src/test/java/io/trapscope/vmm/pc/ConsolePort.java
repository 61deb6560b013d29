package io.trapscope.vmm.pc;

import io.trapscope.vmm.device.ConsoleOutput;
import io.trapscope.vmm.device.Device;

/**
 * The least of a 16550 that a guest needs to print: what is written to register 0 appears, and the
 * line status says that the transmitter is empty. No interrupts, no input, no divisor.
 */
final class ConsolePort implements Device {
  /** I/O port of the first PC serial port, 8 registers. */
  public static final int COM1 = 0x3f8;

  public static final int PORTS = 8;

  private static final int TRANSMIT = 0;
  private static final int LINE_STATUS = 5;

  /** Transmitter holding register and transmitter empty (16550D data sheet, section 8.6.3). */
  private static final int TRANSMITTER_EMPTY = 0x60;

  private final ConsoleOutput output;

  public ConsolePort(ConsoleOutput output) {
    this.output = output;
  }

  @Override
  public String name() {
    return "console";
  }

  @Override
  public long read(long offset, int size) {
    return offset == LINE_STATUS ? TRANSMITTER_EMPTY : 0;
  }

  @Override
  public void write(long offset, int size, long value) {
    if (offset == TRANSMIT) {
      output.accept((int) value & 0xff);
    }
  }
}
