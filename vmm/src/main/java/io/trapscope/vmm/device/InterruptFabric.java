package io.trapscope.vmm.device;

import io.trapscope.vmm.hypervisor.HostInterrupts;
import io.trapscope.vmm.memory.MemoryLayout;

/**
 * All interrupt controllers of a machine and the wires between them: the 8259 pair, the I/O APIC
 * and a local APIC for each vCPU. A device's line reaches both the pair and the I/O APIC; which one
 * interrupts is the guest's choice.
 *
 * <pre>
 *   device --IRQ n--+--> 8259 pair --INT--> LINT0 of vCPU 0 (ExtINT) --+--> vCPU 0
 *                   |                                                  |
 *                   +--> I/O APIC pin n --message--> local APICs ------+--> vCPU i
 *                        (IRQ 0: pin 2)
 * </pre>
 */
public final class InterruptFabric implements InterruptSource {
  /** Delivery modes (SDM volume 3, section 11.5.1). */
  static final int FIXED = 0;

  static final int LOWEST_PRIORITY = 1;
  static final int NMI = 4;
  static final int INIT = 5;
  static final int START_UP = 6;

  /** I/O APIC pin of IRQ 0; the MADT and the MP table say so too. */
  public static final int TIMER_PIN = 2;

  private final Pic pic = new Pic();
  private final IoApic ioApic;
  private final LocalApic[] apics;
  private final ProcessorSignals signals;
  private final HostInterrupts host;
  private int current;

  /**
   * @param cpus number of vCPUs; their APIC IDs are 0, 1, ...
   * @param host local APICs of the host's kernel, which then get all messages; null for none
   */
  public InterruptFabric(
      int cpus, Timers timers, Tsc tsc, ProcessorSignals signals, HostInterrupts host) {
    this.signals = signals;
    this.host = host;
    ioApic = new IoApic(this, ioApicId(cpus));
    apics = new LocalApic[cpus];
    for (int i = 0; i < cpus; i++) {
      apics[i] = new LocalApic(i, this, timers, tsc, MemoryLayout.LOCAL_APIC);
    }
  }

  /** The I/O APIC's ID: the first that no local APIC has, as far as its four bits go. */
  public static int ioApicId(int cpus) {
    return Math.min(cpus, 15);
  }

  public Pic pic() {
    return pic;
  }

  public IoApic ioApic() {
    return ioApic;
  }

  public LocalApic apic(int vcpu) {
    return apics[vcpu];
  }

  ProcessorSignals signals() {
    return signals;
  }

  /** The wire of ISA IRQ or GSI {@code irq}, 0 to 23 without 2. */
  public InterruptLine line(int irq) {
    int pin = irq == 0 ? TIMER_PIN : irq;
    InterruptLine isa = irq < 16 ? pic.line(irq) : asserted -> {};
    return asserted -> {
      isa.set(asserted);
      ioApic.set(pin, asserted);
      if (asserted) {
        signals.interrupt(0);
      }
    };
  }

  @Override
  public boolean pending(int vcpu) {
    if (host != null) {
      // Whether vCPU 0 takes what the pair has is for the host's local APIC to know.
      return vcpu == 0 && !host.isComplete() && pic.output();
    }
    LocalApic apic = apics[vcpu];
    return apic.pending() || apic.acceptsPic() && pic.output();
  }

  @Override
  public int acknowledge(int vcpu) {
    LocalApic apic = apics[vcpu];
    if ((host != null || apic.acceptsPic()) && pic.output()) {
      return pic.interruptAcknowledge();
    }
    return apic.acknowledge();
  }

  /** Which vCPU the accesses to {@link #apicRegisters} that follow come from. */
  public void setCurrent(int vcpu) {
    current = vcpu;
  }

  /** The 4 KiB at 0xfee00000: the registers of the accessing vCPU's own APIC in xAPIC mode. */
  public Device apicRegisters() {
    return new Registers();
  }

  /** A message from the I/O APIC or a message-signalled interrupt. */
  void message(int destination, boolean logical, int mode, int vector, boolean level) {
    if (host != null) {
      host.message(address(destination, logical, mode), data(mode, vector, level));
    } else {
      send(null, destination, logical, false, mode, vector, level);
    }
  }

  /** A pin of the I/O APIC sends this message from now on. */
  void route(int pin, int destination, boolean logical, int mode, int vector, boolean level) {
    if (host != null) {
      host.route(pin, address(destination, logical, mode), data(mode, vector, level));
    }
  }

  /** Message address (SDM volume 3, section 11.11.1). */
  private static long address(int destination, boolean logical, int mode) {
    long address = MemoryLayout.LOCAL_APIC | (long) (destination & 0xff) << 12;
    return address | (logical ? 4 : 0) | (mode == LOWEST_PRIORITY ? 8 : 0);
  }

  /** Message data (SDM volume 3, section 11.11.2): a level is only ever asserted. */
  private static int data(int mode, int vector, boolean level) {
    return vector | mode << 8 | (level ? 0xc000 : 0);
  }

  /** The host's local APICs ended a level-triggered interrupt. */
  public void endOfInterrupt(int vector) {
    ioApic.endOfInterrupt(vector);
  }

  /** An inter-processor interrupt. {@code shorthand}: 0 none, 1 self, 2 all, 3 all but self. */
  void ipi(
      LocalApic from,
      int shorthand,
      int destination,
      boolean logical,
      boolean wide,
      int mode,
      int vector) {
    switch (shorthand) {
      case 0 -> send(null, destination, logical, wide, mode, vector, false);
      case 1 -> deliver(from, mode, vector, false);
      case 2 -> send(null, wide ? -1 : 0xff, false, wide, mode, vector, false);
      default -> send(from, wide ? -1 : 0xff, false, wide, mode, vector, false);
    }
  }

  private void send(
      LocalApic except,
      int destination,
      boolean logical,
      boolean wide,
      int mode,
      int vector,
      boolean level) {
    for (LocalApic apic : apics) {
      if (apic != except && apic.isDestination(destination, logical, wide)) {
        deliver(apic, mode, vector, level);
        if (mode == LOWEST_PRIORITY) {
          // One of them: the first, so that runs repeat.
          return;
        }
      }
    }
  }

  /** Delivers to one local APIC by delivery mode; SMI and ExtINT messages go nowhere. */
  void deliver(LocalApic apic, int mode, int vector, boolean level) {
    switch (mode) {
      case FIXED, LOWEST_PRIORITY -> apic.accept(vector, level);
      case NMI -> signals.nmi(apic.vcpu());
      case INIT -> {
        apic.init();
        signals.init(apic.vcpu());
      }
      case START_UP -> signals.startUp(apic.vcpu(), vector);
      default -> {
        // SMI: there is no SMM. ExtINT: comes through LINT0 only.
      }
    }
  }

  private final class Registers implements Device {
    @Override
    public String name() {
      return "lapic";
    }

    @Override
    public long read(long offset, int size) {
      LocalApic apic = apics[current];
      if (!apic.isEnabled() || apic.x2apicMode()) {
        return 0xffff_ffffL;
      }
      // Registers are 32 bits wide at every 16th byte; the bytes between read as 0.
      int shift = 8 * (int) (offset & 15);
      return shift >= 32 ? 0 : (apic.read((int) offset >> 4) & 0xffff_ffffL) >>> shift;
    }

    @Override
    public void write(long offset, int size, long value) {
      LocalApic apic = apics[current];
      if (apic.isEnabled() && !apic.x2apicMode() && (offset & 15) == 0) {
        apic.write((int) offset >> 4, (int) value);
      }
    }
  }
}
