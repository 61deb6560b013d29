package io.trapscope.vmm.device;

/**
 * PCI configuration mechanism #1 at ports 0xcf8 to 0xcff (PCI Local Bus 3.0, section 3.2.2.3.2), a
 * host bridge at 00:00.0, and the reset control register that chip sets put at 0xcf9 (PIIX3 data
 * sheet, section 2.5.5). Bus 0 is the only bus; a function that is not there reads as all ones.
 */
public final class PciHost implements Device {
  public static final int PORT = 0xcf8;
  public static final int PORTS = 8;

  private static final int ENABLE = 0x8000_0000;
  private static final int RESET_CPU = 0x04;

  private static final int HOST_BRIDGE_ID = 0x0d57_8086;
  private static final int CLASS_HOST_BRIDGE = 0x0600_0000;

  private final MachineControl power;
  private final PciFunction[] functions = new PciFunction[256];
  private int address;
  private int resetControl;

  public PciHost(MachineControl power) {
    this.power = power;
    functions[0] = new HostBridge();
  }

  /**
   * Puts a function at 00:{@code device}.{@code function}.
   *
   * @throws IllegalArgumentException where one is there already
   */
  public void add(int device, int function, PciFunction pci) {
    int slot = device << 3 | function;
    if (functions[slot] != null) {
      throw new IllegalArgumentException("PCI 00:" + device + "." + function + " is taken");
    }
    functions[slot] = pci;
  }

  @Override
  public String name() {
    return "pci-host";
  }

  @Override
  public long read(long offset, int size) {
    if (offset < 4) {
      if (size == 4) {
        return address & 0xffff_ffffL;
      }
      return offset == 1 && size == 1 ? resetControl : mask(size);
    }
    PciFunction function = selected();
    return function == null ? mask(size) : function.readConfig(register(offset), size) & mask(size);
  }

  @Override
  public void write(long offset, int size, long value) {
    if (offset < 4) {
      if (size == 4) {
        address = (int) value & 0x80ff_fffc;
      } else if (offset == 1 && size == 1) {
        writeResetControl((int) value);
      }
      return;
    }
    PciFunction function = selected();
    if (function != null) {
      function.writeConfig(register(offset), size, (int) value);
    }
  }

  private void writeResetControl(int value) {
    boolean reset = (value & ~resetControl & RESET_CPU) != 0;
    resetControl = value & 0x06;
    if (reset) {
      power.reset("cf9");
    }
  }

  private PciFunction selected() {
    boolean bus0 = (address & ENABLE) != 0 && (address >> 16 & 0xff) == 0;
    return bus0 ? functions[address >> 8 & 0xff] : null;
  }

  private int register(long offset) {
    return address & 0xfc | (int) offset & 3;
  }

  private static long mask(int size) {
    return (1L << 8 * size) - 1;
  }

  /** Identification and class only: there is nothing to configure. */
  private static final class HostBridge implements PciFunction {
    @Override
    public int readConfig(int register, int size) {
      int word =
          switch (register & ~3) {
            case 0x00 -> HOST_BRIDGE_ID;
            case 0x08 -> CLASS_HOST_BRIDGE;
            default -> 0;
          };
      return word >>> 8 * (register & 3);
    }

    @Override
    public void writeConfig(int register, int size, int value) {
      // Everything is read-only.
    }
  }
}
