package io.trapscope.vmm.device;

/** A write ends the run with the value written; reads give 0. QEMU's isa-debug-exit, at 0xf4. */
public final class DebugExit implements Device {
  public static final int PORT = 0xf4;

  private final MachineControl control;

  public DebugExit(MachineControl control) {
    this.control = control;
  }

  @Override
  public String name() {
    return "debug-exit";
  }

  @Override
  public long read(long offset, int size) {
    return 0;
  }

  @Override
  public void write(long offset, int size, long value) {
    control.debugExit(value);
  }
}
