package io.trapscope.vmm.run;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.vmm.device.InterruptSource;
import io.trapscope.vmm.device.Timers;
import io.trapscope.vmm.hypervisor.Vcpu;

/**
 * What goes into a guest with an entry, and when the guest has to come out again at the latest.
 * Console input that waits goes to the device, an interrupt that waits is injected or a window for
 * it asked for, and the guest's deadline follows the next timer. vCPU 0 takes the input and drives
 * the timers. Used by the vCPU's loop, under the device lock.
 */
final class VcpuEntry {
  /** Guest time between two looks for console input. */
  private static final long INPUT_NANOS = 20_000_000;

  private final Machine machine;
  private final Vcpu vcpu;
  private final int index;
  private final ExitSink other;
  private final InterruptSource interrupts;
  private final Timers timers;
  private final Until until;
  private final DirtyWatch dirty;
  private final ConsoleInput input;
  private final byte[] inputBytes = new byte[64];

  /** Null where nothing is recorded. */
  private ExitEncoder encoder;

  private long turnEnd = Long.MAX_VALUE;
  private long deadline = Long.MAX_VALUE;
  private boolean windowWanted;
  private long lookForInput;
  private long events;

  /**
   * Of one vCPU.
   *
   * @param other takes what is typed, as events
   * @param dirty whose looks come at times of their own; null for none
   */
  VcpuEntry(Machine machine, Vcpu vcpu, ExitSink other, DirtyWatch dirty) {
    this.machine = machine;
    this.vcpu = vcpu;
    this.index = vcpu.index();
    this.other = other;
    this.dirty = dirty;
    this.interrupts = machine.board().interrupts();
    this.timers = machine.timers();
    this.until = machine.config().until;
    this.input = index == 0 ? machine.config().consoleInput : null;
  }

  /** Records what goes in from now on. */
  void recordTo(ExitEncoder to) {
    encoder = to;
  }

  /** The vCPU's turn among others on its thread, all of which drive the timers. */
  void turnUntil(long guestNanos) {
    turnEnd = guestNanos;
  }

  /** Where what is typed comes from; null where this vCPU does not take it. */
  ConsoleInput input() {
    return input;
  }

  /** Injections and other events so far. */
  long events() {
    return events;
  }

  void prepare() {
    if (input != null && input.isWaiting(vcpu.guestNanos())) {
      deliverInput();
    }
    if (interrupts.pending(index)) {
      if (vcpu.interruptible()) {
        inject();
        setWindow(interrupts.pending(index));
      } else {
        setWindow(true);
      }
    } else {
      setWindow(false);
    }
    setDeadline();
  }

  private void inject() {
    int vector = interrupts.acknowledge(index);
    if (vector < 0) {
      return;
    }
    vcpu.injectInterrupt(vector);
    if (encoder != null) {
      encoder.injection(vector, System.nanoTime(), vcpu.instructions());
    }
    events++;
  }

  private void setWindow(boolean wanted) {
    if (wanted != windowWanted) {
      windowWanted = wanted;
      vcpu.requestInterruptWindow(wanted);
    }
  }

  private void setDeadline() {
    boolean ownsTimers = index == 0 || turnEnd != Long.MAX_VALUE;
    long next = ownsTimers ? timers.next() : Long.MAX_VALUE;
    next = Math.min(next, turnEnd);
    if (index == 0 && until != null && until.instructions() >= 0) {
      // The clock's rate is the back end's own: ask again halfway as long as it falls short.
      long left = until.instructions() - vcpu.instructions();
      next = Math.min(next, vcpu.guestNanos() + Math.max(1, left));
    }
    if (input != null && vcpu.instructions() >= 0) {
      next = Math.min(next, nextLookForInput());
    }
    if (dirty != null) {
      next = Math.min(next, dirty.due());
    }
    if (next != deadline) {
      deadline = next;
      vcpu.setDeadline(next);
    }
  }

  /**
   * A guest that computes without an exit would not get what is typed, unless the machine calls it
   * out, as it does where the clock is the host's. Its exits to look for input lie at times of its
   * own clock, so that a replay has the same ones.
   */
  private long nextLookForInput() {
    long now = vcpu.guestNanos();
    if (now >= lookForInput) {
      lookForInput = now + INPUT_NANOS;
    }
    return lookForInput;
  }

  /** Offers what waits to the device, and returns how many bytes it took. */
  int deliverInput() {
    int count = input.peek(inputBytes);
    timers.advance(vcpu.guestNanos());
    int taken = machine.board().consoleInput(inputBytes, 0, count);
    input.take(taken);
    if (taken > 0 && encoder != null) {
      long nanos = machine.now();
      EventWriter event = other.claim(EventType.CONSOLE_INPUT);
      event.put(Field.TIME, nanos).put(Field.CHANNEL, 0);
      if (vcpu.instructions() >= 0) {
        event.put(Field.INSTRUCTIONS, vcpu.instructions());
      }
      event.put(Field.GUEST_CLOCK, vcpu.guestNanos());
      event.putBytes(Field.DATA, inputBytes, 0, taken);
      other.commit();
      events++;
    }
    return taken;
  }
}
