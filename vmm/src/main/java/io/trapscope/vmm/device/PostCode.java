package io.trapscope.vmm.device;

/**
 * Port 0x80: firmware writes its progress there, and kernels write to it for the delay. Keeps the
 * last value written.
 */
public final class PostCode implements Device {
  public static final int PORT = 0x80;

  private long last;

  @Override
  public String name() {
    return "post-code";
  }

  @Override
  public long read(long offset, int size) {
    return last;
  }

  @Override
  public void write(long offset, int size, long value) {
    last = value;
  }
}
