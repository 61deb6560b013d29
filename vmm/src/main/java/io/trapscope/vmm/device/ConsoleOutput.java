package io.trapscope.vmm.device;

/** Where a console device puts the bytes the guest writes. Called under the device lock. */
@FunctionalInterface
public interface ConsoleOutput {

  /** Takes one byte, 0 to 255. */
  void accept(int value);
}
