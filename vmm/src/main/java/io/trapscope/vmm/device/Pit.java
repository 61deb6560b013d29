package io.trapscope.vmm.device;

/**
 * The PC's 8254 interval timer at ports 0x40 to 0x43, and the parts of system control port B (0x61)
 * that belong to it: the gate of counter 2, its output, and the refresh toggle. Counter 0 drives
 * IRQ 0, counter 2 the speaker.
 *
 * <p>The line to the interrupt controller is pulsed at the rising edges of OUT0 and then left high:
 * a falling edge alone interrupts nobody, and delivering it would cost the guest an exit a period.
 */
public final class Pit {
  /** CLK in Hz: a third of the 3.579545 MHz colour burst. */
  public static final long FREQUENCY = 1_193_182;

  private static final long SECOND = 1_000_000_000;
  private static final int GATE2 = 0x01;
  private static final int ENABLES = 0x0f;
  private static final int REFRESH = 0x10;
  private static final int OUT2 = 0x20;

  /** Counter 1's period on a PC, 18 pulses: the refresh bit toggles with it. */
  private static final int REFRESH_PULSES = 18;

  private final PitChannel[] channels = {
    new PitChannel(true), new PitChannel(true), new PitChannel(false)
  };
  private final Timers timers;
  private final Timers.Timer timer;
  private final InterruptLine irq0;
  private int controlB;

  public Pit(Timers timers, InterruptLine irq0) {
    this.timers = timers;
    this.irq0 = irq0;
    this.timer = timers.create(this::rise);
  }

  private void rise() {
    irq0.set(false);
    irq0.set(true);
    arm();
  }

  private void arm() {
    long next = channels[0].nextRise(pulse());
    timer.arm(next == Long.MAX_VALUE ? Long.MAX_VALUE : nanosAt(next));
  }

  /** CLK pulses until now. */
  private long pulse() {
    long now = timers.now();
    return now / SECOND * FREQUENCY + now % SECOND * FREQUENCY / SECOND;
  }

  /** The first nanosecond at which {@link #pulse} is {@code pulse}. */
  private static long nanosAt(long pulse) {
    long rest = pulse % FREQUENCY * SECOND;
    return pulse / FREQUENCY * SECOND + (rest + FREQUENCY - 1) / FREQUENCY;
  }

  /** Registers at 0x40, four ports. */
  public Device ports() {
    return new CounterPorts();
  }

  /** System control port B at 0x61, one port. */
  public Device controlPortB() {
    return new ControlPortB();
  }

  private void writeControl(int word) {
    int select = word >> 6;
    long pulse = pulse();
    if (select == 3) {
      readBack(word, pulse);
    } else if ((word & 0x30) == 0) {
      channels[select].latchCount(pulse);
    } else {
      channels[select].control(word, pulse);
      if (select == 0) {
        // OUT0 takes its initial level: low in mode 0, high in the others.
        irq0.set((word & 0x0e) != 0);
        arm();
      }
    }
  }

  private void readBack(int word, long pulse) {
    for (int i = 0; i < 3; i++) {
      if ((word & 2 << i) != 0) {
        if ((word & 0x20) == 0) {
          channels[i].latchCount(pulse);
        }
        if ((word & 0x10) == 0) {
          channels[i].latchStatus(pulse);
        }
      }
    }
  }

  private final class CounterPorts implements Device {
    @Override
    public String name() {
      return "pit";
    }

    @Override
    public long read(long offset, int size) {
      return offset == 3 ? 0xff : channels[(int) offset].read(pulse());
    }

    @Override
    public void write(long offset, int size, long value) {
      int data = (int) value & 0xff;
      if (offset == 3) {
        writeControl(data);
        return;
      }
      channels[(int) offset].write(data, pulse());
      if (offset == 0) {
        if (!channels[0].out(pulse())) {
          irq0.set(false);
        }
        arm();
      }
    }
  }

  private final class ControlPortB implements Device {
    @Override
    public String name() {
      return "port61";
    }

    @Override
    public long read(long offset, int size) {
      long pulse = pulse();
      int refresh = (pulse / REFRESH_PULSES & 1) != 0 ? REFRESH : 0;
      return controlB | refresh | (channels[2].out(pulse) ? OUT2 : 0);
    }

    @Override
    public void write(long offset, int size, long value) {
      controlB = (int) value & ENABLES;
      channels[2].setGate((controlB & GATE2) != 0, pulse());
    }
  }
}
