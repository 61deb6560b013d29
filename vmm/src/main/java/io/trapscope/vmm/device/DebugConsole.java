package io.trapscope.vmm.device;

import java.util.function.IntConsumer;

/** The debug console of Bochs and QEMU at port 0xe9: writes are text, a read gives 0xe9. */
public final class DebugConsole implements Device {
  public static final int PORT = 0xe9;

  private final IntConsumer sink;

  /**
   * @param sink takes each byte written, 0 to 255
   */
  public DebugConsole(IntConsumer sink) {
    this.sink = sink;
  }

  @Override
  public String name() {
    return "debugcon";
  }

  @Override
  public long read(long offset, int size) {
    return 0xe9;
  }

  @Override
  public void write(long offset, int size, long value) {
    sink.accept((int) value & 0xff);
  }
}
