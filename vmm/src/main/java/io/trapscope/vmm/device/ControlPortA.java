package io.trapscope.vmm.device;

/**
 * System control port A at 0x92 (IBM PS/2 Technical Reference): fast A20 gate and fast reset. A20
 * is always open on this machine; the bit reads back as 1.
 */
public final class ControlPortA implements Device {
  private static final int RESET = 0x01;
  private static final int A20 = 0x02;

  private final MachineControl power;
  private int value = A20;

  public ControlPortA(MachineControl power) {
    this.power = power;
  }

  @Override
  public String name() {
    return "port92";
  }

  @Override
  public long read(long offset, int size) {
    return value;
  }

  @Override
  public void write(long offset, int size, long written) {
    boolean reset = (written & ~value & RESET) != 0;
    value = (int) written & 0xff | A20;
    if (reset) {
      power.reset("port92");
    }
  }
}
