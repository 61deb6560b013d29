package io.trapscope.vmm.device;

/**
 * Ports 0x80 to 0x8f: the power-on code display at 0x80, which kernels also write to pass time, and
 * the DMA page registers beside it. They hold what was written; there is no DMA controller.
 */
public final class PostCode implements Device {
  private final byte[] registers = new byte[16];

  @Override
  public String name() {
    return "post";
  }

  @Override
  public long read(long offset, int size) {
    return registers[(int) offset & 15] & 0xff;
  }

  @Override
  public void write(long offset, int size, long value) {
    registers[(int) offset & 15] = (byte) value;
  }
}
