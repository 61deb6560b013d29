package io.trapscope.vmm.run;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.vmm.device.InterruptSource;
import io.trapscope.vmm.device.Timers;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.perf.KernelTracing;
import io.trapscope.vmm.perf.VcpuTracing;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The loop of one vCPU: enter the guest, handle its exit, record it. The one place where exits are
 * recorded, and the one that decides when interrupts go in.
 *
 * <p>Before each entry: console input that waits goes to the device, an interrupt that waits is
 * injected or a window for it asked for, and the guest's deadline follows the next timer. vCPU 0
 * drives the timers.
 */
final class VcpuLoop implements Runnable {
  private static final int WAIT_MILLIS = 100;

  /** Guest time between two looks for console input. */
  private static final long INPUT_NANOS = 20_000_000;

  private final Machine machine;
  private final RunState run;
  private final Vcpu vcpu;
  private final int index;
  private final VmExit exit = new VmExit();
  private final ExitDispatcher dispatcher;
  private final Sinks sinks;
  private ExitEncoder encoder;
  private VcpuTracing kernel;
  private final ExitSink other;
  private final Processors processors;
  private final InterruptSource interrupts;
  private final Timers timers;
  private final ConsoleStream console;
  private final ConsoleInput input;
  private final byte[] inputBytes = new byte[64];

  /** The machine's device lock; null where one thread runs all of the machine. */
  private final ReentrantLock lock;

  private final boolean several;

  /** The vCPUs that share this thread, where they do; else null. */
  private Turns turns;

  /** Guest time at which this vCPU's turn is over. */
  private long turnEnd = Long.MAX_VALUE;

  /** Halted, or waiting to be started, as of its last turn. */
  private boolean resting;

  /** What else is recorded of guest memory; null where it is not. */
  private final MemoryFaults faults;

  private final DirtyWatch dirty;

  /** Null where call stacks are not recorded. */
  private final GuestStack stack;

  private final boolean recording;
  private final Until until;

  private final long[] exitsByReason = new long[256];
  private volatile boolean idle;
  private long begin;
  private long end;
  private long exits;
  private long events;
  private long deadline = Long.MAX_VALUE;
  private boolean windowWanted;
  private long lookForInput;

  VcpuLoop(Machine machine, Vcpu vcpu, Sinks sinks, RunState run) {
    this.machine = machine;
    this.run = run;
    this.vcpu = vcpu;
    this.index = vcpu.index();
    this.recording = sinks != Sinks.NONE;
    this.dispatcher = machine.dispatcher(vcpu, run, recording);
    this.sinks = sinks;
    this.other = sinks.other();
    this.processors = machine.processors();
    this.interrupts = machine.board().interrupts();
    this.timers = machine.timers();
    this.console = machine.console();
    this.input = index == 0 ? machine.config().consoleInput : null;
    this.lock = machine.deviceLock();
    this.several = machine.config().cpus > 1;
    this.until = machine.config().until;
    this.faults = recording ? machine.faults() : null;
    this.dirty = recording && index == 0 ? machine.dirty() : null;
    int depth = machine.config().stacks;
    this.stack = recording && depth > 0 ? new GuestStack(vcpu, machine.vm().memory(), depth) : null;
  }

  @Override
  public void run() {
    ExitSink sink = sinks.vcpu(index);
    try (VcpuTracing tracing = trace(sink)) {
      kernel = tracing;
      encoder = new ExitEncoder(sink, machine.memoryRegions(), tracing, faults != null);
      if (faults != null) {
        faults.recordTo(index, encoder);
      }
      loop();
    } catch (HypervisorException e) {
      run.end(RunEnd.ERROR, 0, e.getMessage());
    } catch (RuntimeException | Error e) {
      run.fail(e);
    } finally {
      if (lock != null && lock.isHeldByCurrentThread()) {
        lock.unlock();
      }
    }
  }

  /** Has the kernel tell of this thread; null where that is not wanted. */
  private VcpuTracing trace(ExitSink sink) {
    KernelTracing tracing = machine.config().tracing;
    return tracing == null || !recording
        ? null
        : tracing.trace(sink, count -> sinks.lost(index, count));
  }

  private void loop() {
    begin = System.nanoTime();
    enterUntilTheEnd();
    end = System.nanoTime();
  }

  private void enterUntilTheEnd() {
    while (!run.ended()) {
      lock();
      boolean ready = processors.ready(vcpu);
      if (ready) {
        prepareEntry();
      }
      unlock();
      if (ready) {
        vcpu.run(exit);
        handle();
      } else {
        run.await(WAIT_MILLIS);
      }
    }
  }

  /** Makes ready to run in turns with others on one thread, instead of {@link #run}. */
  void takeTurns(Turns with) {
    turns = with;
    encoder = new ExitEncoder(sinks.vcpu(index), machine.memoryRegions(), null, false);
  }

  /**
   * Runs the vCPU until its turn is over, it rests, or it has woken another that rested.
   *
   * @param now guest time, as the vCPU before has left it
   * @param nanos guest time of a turn
   */
  void turn(long now, long nanos) {
    vcpu.idleUntil(now);
    turnEnd = now + nanos;
    do {
      prepareEntry();
      vcpu.run(exit);
      handle();
    } while (isAwake() && !run.ended() && vcpu.guestNanos() < turnEnd && !turns.anyWakes(this));
  }

  /** Whether it has something to do; where it halted, whether something ends that. */
  boolean isAwake() {
    if (resting) {
      boolean wakes = interrupts.pending(index) && vcpu.interruptible();
      if (!wakes && !processors.wakes(index)) {
        return false;
      }
      run.unpark(index);
    }
    resting = !processors.ready(vcpu);
    return !resting;
  }

  boolean isResting() {
    return resting;
  }

  long guestNanos() {
    return vcpu.guestNanos();
  }

  /** Lets guest time pass while all rest, until one of them wakes or the run ends. */
  void restTogether(long now) {
    vcpu.idleUntil(now);
    awaitInterrupt();
  }

  private void lock() {
    if (lock != null) {
      lock.lock();
    }
  }

  private void unlock() {
    if (lock != null) {
      lock.unlock();
    }
  }

  private void prepareEntry() {
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
    if (recording) {
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
    long next = index == 0 || turns != null ? timers.next() : Long.MAX_VALUE;
    next = Math.min(next, turnEnd);
    if (until != null && until.instructions() >= 0) {
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

  /** Only an interrupt ends a HLT: what is typed goes to the device, which may raise one. */
  private int handInput() {
    lock();
    int taken = deliverInput();
    unlock();
    return taken;
  }

  /** Offers what waits to the device, and returns how many bytes it took. */
  private int deliverInput() {
    int count = input.peek(inputBytes);
    timers.advance(vcpu.guestNanos());
    int taken = machine.board().consoleInput(inputBytes, 0, count);
    input.take(taken);
    if (taken > 0 && recording) {
      EventWriter event = other.claim(EventType.CONSOLE_INPUT);
      event.put(Field.TIME, System.nanoTime()).put(Field.CHANNEL, 0);
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

  private void handle() {
    long start = recording ? System.nanoTime() : 0;
    lock();
    if (several) {
      machine.board().accessBy(index);
    }
    EventType type = dispatcher.handle(exit);
    if (lock != null) {
      machine.wakeOthers(index);
    }
    unlock();
    long idle = dispatcher.halted() ? idle() : 0;
    exits++;
    exitsByReason[exit.reason.code()]++;
    if (recording) {
      record(type, start, idle);
    }
    if (dispatcher.emulated()) {
      if (recording) {
        encoder.emulation(exit, System.nanoTime());
      }
      events++;
    }
    if (console.wantsRecord()) {
      recordConsole();
    }
    recordMemory();
    if (until != null) {
      checkUntil();
    }
  }

  private void record(EventType type, long start, long idle) {
    long end = System.nanoTime();
    if (stack != null) {
      stack.walk();
      events++;
    }
    encoder.encode(type, exit, start, end, dispatcher.deviceNanos(), idle, stack);
  }

  private void recordConsole() {
    lock();
    events += console.record(other, System.nanoTime(), vcpu.instructions());
    unlock();
  }

  private void recordMemory() {
    if (index == 0 && faults != null && faults.hasPlaceless()) {
      lock();
      events += faults.write(other);
      unlock();
    }
    if (dirty != null && vcpu.guestNanos() >= dirty.due()) {
      lock();
      events += dirty.look(other, vcpu.guestNanos());
      unlock();
    }
  }

  private void checkUntil() {
    boolean met =
        until.exits() >= 0 && machine.countExit() >= until.exits()
            || until.instructions() >= 0 && vcpu.instructions() >= until.instructions();
    if (met) {
      run.end(RunEnd.UNTIL, 0, until.describe());
    }
  }

  /**
   * Lets a halted vCPU wait for an interrupt, and ends the run where none can come.
   *
   * @return how long that took, host ns
   */
  private long idle() {
    long start = System.nanoTime();
    idle = true;
    lock();
    console.flush();
    unlock();
    recordConsole();
    if (turns != null) {
      rest();
    } else if (!vcpu.interruptible()) {
      run.park(index, "halted with interrupts off");
      while (!run.ended() && !processors.wakes(index)) {
        run.await(WAIT_MILLIS);
      }
      run.unpark(index);
    } else {
      awaitInterrupt();
    }
    idle = false;
    return System.nanoTime() - start;
  }

  /** Ends the turn of a vCPU that halted. */
  private void rest() {
    resting = true;
    if (!vcpu.interruptible()) {
      run.park(index, "halted with interrupts off");
    }
  }

  private boolean isWoken() {
    return turns != null
        ? turns.anyWakes(null)
        : interrupts.pending(index) || processors.wakes(index);
  }

  private void awaitInterrupt() {
    while (!run.ended()) {
      lock();
      boolean awake = isWoken();
      long next = index == 0 ? timers.next() : Long.MAX_VALUE;
      unlock();
      long typed = input == null ? Long.MAX_VALUE : input.wakesAt();
      if (awake) {
        return;
      }
      if (typed > vcpu.guestNanos()) {
        next = Math.min(next, typed);
      } else if (handInput() > 0) {
        continue;
      }
      if (next != Long.MAX_VALUE) {
        idleUntil(next);
        lock();
        timers.advance(vcpu.guestNanos());
        if (lock != null) {
          machine.wakeOthers(index);
        }
        unlock();
      } else if (lock == null && (input == null || !input.isOpen())) {
        run.end(RunEnd.HALTED, 0, "halted, and nothing is left that could wake it");
      } else {
        run.await(WAIT_MILLIS);
      }
    }
  }

  /** In real time, what is typed may end the wait before {@code next}. */
  private void idleUntil(long next) {
    if (!machine.config().realTime) {
      vcpu.idleUntil(next);
      return;
    }
    long begin = vcpu.guestNanos();
    long start = System.nanoTime();
    long waited = 0;
    while (begin + waited < next && !run.ended() && (input == null || !input.isWaiting(begin))) {
      long millis = TimeUnit.NANOSECONDS.toMillis(next - begin - waited);
      run.await(Math.max(1, Math.min(millis, WAIT_MILLIS)));
      waited = System.nanoTime() - start;
    }
    vcpu.idleUntil(Math.min(next, begin + waited));
  }

  /** Host time from the first entry to the last exit, the vCPU's own preparations left out. */
  long hostNanos() {
    return end - begin;
  }

  /** Exits that the guest has caused, and not the machine to look after it; for any thread. */
  long guestsExits() {
    return exits()
        - exitsByReason[ExitReason.PREEMPTION_TIMER.code()]
        - exitsByReason[ExitReason.INTERRUPTED.code()];
  }

  /** Whether the vCPU is halted; for any thread. */
  boolean isIdle() {
    return idle || vcpu.isIdle();
  }

  /** Exits so far, and faults that were told of without one. */
  long exits() {
    return exits + faultsWritten();
  }

  private long faultsWritten() {
    return faults == null || encoder == null ? 0 : encoder.faults();
  }

  /** Exits, injections and other events so far. */
  long events() {
    return exits() + events + (kernel == null ? 0 : kernel.events());
  }

  /** Adds this loop's exits to {@code to}, by reason code. */
  void addExits(long[] to) {
    for (ExitReason reason : ExitReason.values()) {
      to[reason.code()] += exitsByReason[reason.code()];
    }
    to[ExitReason.EPT_VIOLATION.code()] += faultsWritten();
  }
}
