package io.trapscope.vmm.device;

/**
 * The PC's pair of 8259A: the master at ports 0x20 and 0x21, the slave behind the master's input 2
 * at 0xa0 and 0xa1, and the edge/level control registers (ELCR) at 0x4d0 and 0x4d1 as the PIIX chip
 * set has them. On a machine without a local APIC it interrupts vCPU 0 itself.
 */
public final class Pic implements InterruptSource {
  private static final int CASCADE = 2;

  /** IRQ 0, 1, 2 are always edge-triggered, and 8 and 13 too (PIIX4 data sheet, section 4.2.5). */
  private static final int ELCR_MASTER = 0xf8;

  private static final int ELCR_SLAVE = 0xde;

  private final Pic8259 master = new Pic8259();
  private final Pic8259 slave = new Pic8259();

  /** The wire into IRQ {@code irq}, 0 to 15. IRQ 2 is the cascade and has none. */
  public InterruptLine line(int irq) {
    if (irq < 0 || irq > 15 || irq == CASCADE) {
      throw new IllegalArgumentException("no PIC input for IRQ " + irq);
    }
    return asserted -> set(irq, asserted);
  }

  private void set(int irq, boolean asserted) {
    if (irq < 8) {
      master.setInput(irq, asserted);
    } else {
      slave.setInput(irq - 8, asserted);
      updateCascade();
    }
  }

  private void updateCascade() {
    master.setInput(CASCADE, slave.highestPending() >= 0);
  }

  /** The state of the master's INT output: whether an interrupt waits. */
  public boolean output() {
    return master.highestPending() >= 0;
  }

  /**
   * One INTA cycle: the vector of the request of highest priority, or of IRQ 7 or 15 where it went
   * away since (spurious).
   */
  public int interruptAcknowledge() {
    int input = master.acknowledge();
    if (input != CASCADE) {
      return master.vector(input);
    }
    int vector = slave.vector(slave.acknowledge());
    // The slave's INT falls during INTA: a further request of it is a new edge for the master.
    master.setInput(CASCADE, false);
    updateCascade();
    return vector;
  }

  @Override
  public boolean pending(int vcpu) {
    return vcpu == 0 && output();
  }

  @Override
  public int acknowledge(int vcpu) {
    return pending(vcpu) ? interruptAcknowledge() : -1;
  }

  /** Registers at 0x20, two ports. */
  public Device masterPorts() {
    return new ChipPorts("pic0", master);
  }

  /** Registers at 0xa0, two ports. */
  public Device slavePorts() {
    return new ChipPorts("pic1", slave);
  }

  /** Registers at 0x4d0, two ports. */
  public Device elcrPorts() {
    return new ElcrPorts();
  }

  private final class ChipPorts implements Device {
    private final String name;
    private final Pic8259 chip;

    ChipPorts(String name, Pic8259 chip) {
      this.name = name;
      this.chip = chip;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public long read(long offset, int size) {
      int value = chip.read(offset != 0);
      // A poll acknowledges, which may end the slave's request.
      updateCascade();
      return value;
    }

    @Override
    public void write(long offset, int size, long value) {
      if (offset == 0) {
        chip.writeCommand((int) value & 0xff);
      } else {
        chip.writeData((int) value & 0xff);
      }
      updateCascade();
    }
  }

  private final class ElcrPorts implements Device {
    @Override
    public String name() {
      return "elcr";
    }

    @Override
    public long read(long offset, int size) {
      return offset == 0 ? master.levels() : slave.levels();
    }

    @Override
    public void write(long offset, int size, long value) {
      if (offset == 0) {
        master.setLevels((int) value & ELCR_MASTER);
      } else {
        slave.setLevels((int) value & ELCR_SLAVE);
      }
      updateCascade();
    }
  }
}
