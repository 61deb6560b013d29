package io.trapscope.vmm.device;

/**
 * The keyboard controller at ports 0x60 and 0x64, with nothing connected to it (IBM PC/AT Technical
 * Reference, "Keyboard Controller"). It passes its self-test, answers commands about itself, and
 * resets the machine; a keyboard or mouse never answers.
 */
public final class I8042 {
  private static final int STATUS_OUTPUT_FULL = 0x01;
  private static final int STATUS_SYSTEM = 0x04;
  private static final int STATUS_COMMAND = 0x08;
  private static final int STATUS_NOT_INHIBITED = 0x10;

  private static final int SELF_TEST_PASSED = 0x55;

  /** Mouse-port test: clock line stuck low, that is, no port. */
  private static final int NO_MOUSE_PORT = 0x01;

  private static final int OUTPUT_PORT_RESET = 0x01;
  private static final int OUTPUT_PORT_A20 = 0x02;

  private final MachineControl power;

  /** Command byte: system flag, keyboard disabled, translation. */
  private int commandByte = 0x54;

  private int outputPort = 0xcf;
  private int output = -1;

  /** The command whose data byte comes next at port 0x60, or -1. */
  private int command = -1;

  private boolean lastWasCommand;

  public I8042(MachineControl power) {
    this.power = power;
  }

  /** Data at 0x60, one port. */
  public Device dataPort() {
    return new DataPort();
  }

  /** Status and command at 0x64, one port. */
  public Device commandPort() {
    return new CommandPort();
  }

  private void command(int value) {
    command = -1;
    switch (value) {
      case 0x20 -> output = commandByte;
      case 0xa7 -> commandByte |= 0x20;
      case 0xa8 -> commandByte &= ~0x20;
      case 0xa9 -> output = NO_MOUSE_PORT;
      case 0xaa -> output = SELF_TEST_PASSED;
      case 0xab -> output = 0;
      case 0xad -> commandByte |= 0x10;
      case 0xae -> commandByte &= ~0x10;
      case 0xc0 -> output = 0x80;
      case 0xd0 -> output = outputPort;
      // These take a data byte.
      case 0x60, 0xd1, 0xd2, 0xd3, 0xd4 -> command = value;
      default -> {
        // Pulse output bits: a low bit 0 pulls the processor's reset.
        if (value >= 0xf0 && (value & OUTPUT_PORT_RESET) == 0) {
          power.reset("i8042");
        }
      }
    }
  }

  private void data(int value) {
    switch (command) {
      case 0x60 -> commandByte = value;
      case 0xd1 -> {
        outputPort = value | OUTPUT_PORT_A20;
        if ((value & OUTPUT_PORT_RESET) == 0) {
          power.reset("i8042");
        }
      }
      // Without a mouse port its loop-back ends in the keyboard's buffer.
      case 0xd2, 0xd3 -> output = value;
      default -> {
        // For the keyboard or mouse that is not there.
      }
    }
    command = -1;
  }

  private final class DataPort implements Device {
    @Override
    public String name() {
      return "i8042-data";
    }

    @Override
    public long read(long offset, int size) {
      int value = Math.max(output, 0);
      output = -1;
      return value;
    }

    @Override
    public void write(long offset, int size, long value) {
      lastWasCommand = false;
      data((int) value & 0xff);
    }
  }

  private final class CommandPort implements Device {
    @Override
    public String name() {
      return "i8042-command";
    }

    @Override
    public long read(long offset, int size) {
      return STATUS_NOT_INHIBITED
          | commandByte & STATUS_SYSTEM
          | (output >= 0 ? STATUS_OUTPUT_FULL : 0)
          | (lastWasCommand ? STATUS_COMMAND : 0);
    }

    @Override
    public void write(long offset, int size, long value) {
      lastWasCommand = true;
      command((int) value & 0xff);
    }
  }
}
