package io.trapscope.vmm.device;

import java.util.function.IntConsumer;

/**
 * A 16550A serial port with its 16-byte FIFOs (National Semiconductor PC16550D data sheet). Eight
 * registers, a byte each.
 *
 * <p>A byte written is on the wire at once: the transmitter is always empty. What comes in waits in
 * a queue of the other side, which honours RTS: it sends when the guest has asserted RTS or has
 * never written the modem control register. So what is typed before a kernel opens its port is not
 * lost in the resets of a driver's probe. The interrupt is not gated by OUT2, as in other machine
 * models.
 */
public final class Uart16550 implements Device {
  private static final int FIFO_BYTES = 16;

  private static final int IER_RECEIVED = 0x01;
  private static final int IER_TRANSMITTER_EMPTY = 0x02;
  private static final int IER_LINE_STATUS = 0x04;
  private static final int IER_MODEM_STATUS = 0x08;

  private static final int IIR_NONE = 0x01;
  private static final int IIR_MODEM_STATUS = 0x00;
  private static final int IIR_TRANSMITTER_EMPTY = 0x02;
  private static final int IIR_RECEIVED = 0x04;
  private static final int IIR_LINE_STATUS = 0x06;
  private static final int IIR_TIMEOUT = 0x0c;
  private static final int IIR_FIFOS = 0xc0;

  private static final int LCR_DIVISOR_LATCH = 0x80;

  private static final int MCR_DTR = 0x01;
  private static final int MCR_RTS = 0x02;
  private static final int MCR_OUT1 = 0x04;
  private static final int MCR_OUT2 = 0x08;
  private static final int MCR_LOOP = 0x10;

  private static final int LSR_READY = 0x01;
  private static final int LSR_OVERRUN = 0x02;
  private static final int LSR_ERRORS = 0x1e;
  private static final int LSR_TRANSMITTER = 0x60;

  /** DCD, DSR and CTS: a terminal is there. */
  private static final int MSR_CONNECTED = 0xb0;

  private static final int[] TRIGGERS = {1, 4, 8, 14};

  /** A bit lasts this many ns times the divisor: 16 periods of the 1.8432 MHz clock. */
  private static final long NANOS_A_BIT_AND_DIVISOR = 8_681;

  private static final int BITS_A_CHARACTER = 10;

  private final String name;
  private final InterruptLine line;
  private final IntConsumer sink;
  private final Timers.Timer timer;
  private final Timers timers;

  private final ByteQueue fifo = new ByteQueue(FIFO_BYTES);
  private final ByteQueue wire = new ByteQueue(64);
  private boolean fifoEnabled;
  private int trigger = 1;
  private int interruptEnable;
  private int lineControl;
  private int modemControl;
  private boolean modemControlWritten;
  private int lineErrors;
  private int modemStatus = MSR_CONNECTED;
  private int scratch;

  /** 115200 bits a second after reset, as firmware leaves it. */
  private int divisor = 1;

  private boolean transmitterInterrupt;
  private boolean timedOut;
  private boolean asserted;

  /**
   * @param name such as {@code uart0}
   * @param sink takes each byte the guest sends, 0 to 255
   */
  public Uart16550(String name, Timers timers, InterruptLine line, IntConsumer sink) {
    this.name = name;
    this.timers = timers;
    this.line = line;
    this.sink = sink;
    this.timer = timers.create(this::timeOut);
  }

  @Override
  public String name() {
    return name;
  }

  /** Bytes arrive from the other side; they wait without limit until the guest takes them. */
  public void receive(byte[] bytes, int offset, int length) {
    for (int i = 0; i < length; i++) {
      wire.add(bytes[offset + i] & 0xff);
    }
    fill();
    update();
  }

  /** Bytes that arrived and that the guest has not read yet. */
  public int unread() {
    return wire.size() + fifo.size();
  }

  private boolean clearToSend() {
    return (modemControl & MCR_LOOP) == 0
        && (!modemControlWritten || (modemControl & MCR_RTS) != 0);
  }

  private void fill() {
    if (!clearToSend()) {
      return;
    }
    int capacity = fifoEnabled ? FIFO_BYTES : 1;
    boolean arrived = false;
    while (fifo.size() < capacity && wire.size() > 0) {
      fifo.add(wire.remove());
      arrived = true;
    }
    if (arrived) {
      restartTimeout();
    }
  }

  /** Four character times without a read or an arrival, with less than the trigger in the FIFO. */
  private void restartTimeout() {
    timedOut = false;
    if (fifoEnabled && fifo.size() > 0 && fifo.size() < trigger) {
      long character = NANOS_A_BIT_AND_DIVISOR * Math.max(1, divisor) * BITS_A_CHARACTER;
      timer.arm(timers.now() + 4 * character);
    } else {
      timer.cancel();
    }
  }

  private void timeOut() {
    timedOut = true;
    update();
  }

  /** The interrupt of highest priority, as IIR names it. */
  private int interrupt() {
    if ((interruptEnable & IER_LINE_STATUS) != 0 && lineErrors != 0) {
      return IIR_LINE_STATUS;
    }
    if ((interruptEnable & IER_RECEIVED) != 0) {
      if (fifo.size() >= (fifoEnabled ? trigger : 1)) {
        return IIR_RECEIVED;
      }
      if (timedOut && fifo.size() > 0) {
        return IIR_TIMEOUT;
      }
    }
    if ((interruptEnable & IER_TRANSMITTER_EMPTY) != 0 && transmitterInterrupt) {
      return IIR_TRANSMITTER_EMPTY;
    }
    if ((interruptEnable & IER_MODEM_STATUS) != 0 && (modemStatus & 0x0f) != 0) {
      return IIR_MODEM_STATUS;
    }
    return IIR_NONE;
  }

  private void update() {
    boolean now = interrupt() != IIR_NONE;
    if (now != asserted) {
      asserted = now;
      line.set(now);
    }
  }

  @Override
  public long read(long offset, int size) {
    boolean latch = (lineControl & LCR_DIVISOR_LATCH) != 0;
    return switch ((int) offset) {
      case 0 -> latch ? divisor & 0xff : readReceiver();
      case 1 -> latch ? divisor >> 8 : interruptEnable;
      case 2 -> readInterruptIdentification();
      case 3 -> lineControl;
      case 4 -> modemControl;
      case 5 -> readLineStatus();
      case 6 -> readModemStatus();
      default -> scratch;
    };
  }

  private int readReceiver() {
    if (fifo.size() == 0) {
      return 0;
    }
    int value = fifo.remove();
    fill();
    restartTimeout();
    update();
    return value;
  }

  private int readInterruptIdentification() {
    int value = interrupt();
    if (value == IIR_TRANSMITTER_EMPTY) {
      transmitterInterrupt = false;
      update();
    }
    return value | (fifoEnabled ? IIR_FIFOS : 0);
  }

  private int readLineStatus() {
    int value = LSR_TRANSMITTER | lineErrors | (fifo.size() > 0 ? LSR_READY : 0);
    lineErrors &= ~LSR_ERRORS;
    update();
    return value;
  }

  private int readModemStatus() {
    int value = modemStatus;
    modemStatus &= 0xf0;
    update();
    return value;
  }

  @Override
  public void write(long offset, int size, long value) {
    int data = (int) value & 0xff;
    boolean latch = (lineControl & LCR_DIVISOR_LATCH) != 0;
    switch ((int) offset) {
      case 0 -> {
        if (latch) {
          divisor = divisor & 0xff00 | data;
        } else {
          transmit(data);
        }
      }
      case 1 -> {
        if (latch) {
          divisor = divisor & 0xff | data << 8;
        } else {
          writeInterruptEnable(data);
        }
      }
      case 2 -> writeFifoControl(data);
      case 3 -> lineControl = data;
      case 4 -> writeModemControl(data);
      case 7 -> scratch = data;
      default -> {
        // Line and modem status are read-only (writes are for factory tests).
      }
    }
    update();
  }

  private void transmit(int data) {
    // The holding register empties at once: the interrupt ends and is due again.
    transmitterInterrupt = false;
    update();
    if ((modemControl & MCR_LOOP) == 0) {
      sink.accept(data);
    } else if (fifo.size() < (fifoEnabled ? FIFO_BYTES : 1)) {
      fifo.add(data);
      restartTimeout();
    } else {
      lineErrors |= LSR_OVERRUN;
    }
    transmitterInterrupt = true;
  }

  private void writeInterruptEnable(int data) {
    boolean enabled = (data & ~interruptEnable & IER_TRANSMITTER_EMPTY) != 0;
    interruptEnable = data & 0x0f;
    if (enabled) {
      transmitterInterrupt = true;
    }
  }

  private void writeFifoControl(int data) {
    boolean enable = (data & 1) != 0;
    if (enable != fifoEnabled || (data & 2) != 0) {
      fifo.clear();
    }
    fifoEnabled = enable;
    trigger = enable ? TRIGGERS[data >> 6] : 1;
    fill();
    restartTimeout();
  }

  private void writeModemControl(int data) {
    modemControl = data & 0x1f;
    modemControlWritten = true;
    int pins = MSR_CONNECTED;
    if ((data & MCR_LOOP) != 0) {
      pins =
          ((data & MCR_RTS) != 0 ? 0x10 : 0)
              | ((data & MCR_DTR) != 0 ? 0x20 : 0)
              | ((data & MCR_OUT1) != 0 ? 0x40 : 0)
              | ((data & MCR_OUT2) != 0 ? 0x80 : 0);
    }
    int changed = (modemStatus ^ pins) >> 4;
    // The ring indicator's delta bit is set by its trailing edge only.
    if ((pins & 0x40) != 0) {
      changed &= ~4;
    }
    modemStatus = pins | modemStatus & 0x0f | changed;
    fill();
  }
}
