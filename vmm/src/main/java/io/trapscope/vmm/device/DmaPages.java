package io.trapscope.vmm.device;

/**
 * The DMA page registers at ports 0x81 to 0x8f, which kernels initialize and some write to pass
 * time. They hold what was written; there is no DMA controller.
 */
public final class DmaPages implements Device {
  public static final int PORT = 0x81;
  public static final int PORTS = 15;

  private final byte[] registers = new byte[PORTS];

  @Override
  public String name() {
    return "dma-pages";
  }

  @Override
  public long read(long offset, int size) {
    return registers[(int) offset] & 0xff;
  }

  @Override
  public void write(long offset, int size, long value) {
    registers[(int) offset] = (byte) value;
  }
}
