package io.trapscope.vmm.run;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.perf.KernelTracing;
import io.trapscope.vmm.perf.VcpuTracing;

/**
 * The loop of one vCPU: enter the guest, handle its exit, record it. The one place where exits are
 * recorded. {@link VcpuEntry} has what goes in with an entry, {@link VcpuHalt} what a halted vCPU
 * waits for.
 */
final class VcpuLoop implements Runnable {
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
  private final ConsoleStream console;
  private final VcpuEntry entry;
  private final VcpuHalt halt;
  private final boolean several;

  /** What else is recorded of guest memory; null where it is not. */
  private final MemoryFaults faults;

  /** Null where this loop does not look for writes. */
  private final DirtyWatch dirty;

  /** Whether those that it finds are this vCPU's own. */
  private final boolean ownWrites;

  /** Null where call stacks are not recorded. */
  private final GuestStack stack;

  private final boolean recording;
  private final Until until;

  private final long[] exitsByReason = new long[256];
  private long begin;
  private long end;
  private long exits;
  private long events;

  VcpuLoop(Machine machine, Vcpu vcpu, Sinks sinks, RunState run) {
    this.machine = machine;
    this.run = run;
    this.vcpu = vcpu;
    this.index = vcpu.index();
    this.recording = sinks != Sinks.NONE;
    vcpu.tellMore(recording);
    this.dispatcher = machine.dispatcher(vcpu, run, recording);
    this.sinks = sinks;
    this.other = sinks.other();
    this.processors = machine.processors();
    this.console = machine.console();
    this.several = machine.config().cpus > 1;
    this.until = machine.config().until;
    this.faults = recording ? machine.faults() : null;
    this.dirty = machine.dirty(index, recording);
    this.ownWrites = machine.vm().tellsWritersApart();
    int depth = machine.config().stacks;
    this.stack = recording && depth > 0 ? new GuestStack(vcpu, machine.vm().memory(), depth) : null;
    this.entry = new VcpuEntry(machine, vcpu, other, dirty);
    this.halt = new VcpuHalt(machine, vcpu, run, entry);
  }

  @Override
  public void run() {
    ExitSink sink = sinks.vcpu(index);
    try (VcpuTracing tracing = trace(sink)) {
      kernel = tracing;
      record(new ExitEncoder(sink, machine.memoryRegions(), tracing, faults));
      if (faults != null) {
        faults.recordTo(index, encoder);
      }
      loop();
    } catch (HypervisorException e) {
      run.end(RunEnd.ERROR, 0, e.getMessage());
    } catch (RuntimeException | Error e) {
      run.fail(e);
    } finally {
      machine.unlockIfHeld();
    }
  }

  private void record(ExitEncoder to) {
    encoder = to;
    if (recording) {
      entry.recordTo(to);
    }
  }

  /** Has the kernel tell of this thread; null where that is not wanted. */
  private VcpuTracing trace(ExitSink sink) {
    KernelTracing tracing = machine.config().tracing;
    return tracing == null || !recording
        ? null
        : tracing.trace(
            sink, count -> sinks.lost(index, count), () -> faults != null && faults.isTelling());
  }

  private void loop() {
    begin = System.nanoTime();
    enterUntilTheEnd();
    end = System.nanoTime();
    if (ownWrites) {
      lookForWrites();
    }
  }

  private void enterUntilTheEnd() {
    while (!run.ended()) {
      machine.lock();
      boolean ready = processors.ready(vcpu);
      if (ready) {
        entry.prepare();
      }
      machine.unlock();
      if (ready) {
        vcpu.run(exit);
        handle();
      } else {
        halt.awaitStart();
      }
    }
  }

  /** Makes ready to run in turns with others on one thread, instead of {@link #run}. */
  void takeTurns(Turns with) {
    halt.takeTurns(with);
    record(new ExitEncoder(sinks.vcpu(index), machine.memoryRegions(), null, null));
  }

  /**
   * Runs the vCPU until its turn is over, it rests, or it has woken another that rested.
   *
   * @param now guest time, as the vCPU before has left it
   * @param nanos guest time of a turn
   */
  void turn(Turns with, long now, long nanos) {
    vcpu.idleUntil(now);
    long end = now + nanos;
    entry.turnUntil(end);
    do {
      entry.prepare();
      vcpu.run(exit);
      handle();
    } while (isAwake() && !run.ended() && vcpu.guestNanos() < end && !with.anyWakes(this));
  }

  /** Whether it has something to do; where it halted, whether something ends that. */
  boolean isAwake() {
    return halt.isAwake();
  }

  /** Whether it rested when its last turn ended. */
  boolean isResting() {
    return halt.isResting();
  }

  long guestNanos() {
    return vcpu.guestNanos();
  }

  /** Lets guest time pass while all rest, until one of them wakes or the run ends. */
  void restTogether(long now) {
    vcpu.idleUntil(now);
    halt.awaitInterrupt();
  }

  private void handle() {
    long start = recording ? System.nanoTime() : 0;
    machine.lock();
    if (several) {
      machine.board().accessBy(index);
    }
    EventType type = dispatcher.handle(exit);
    machine.wakeOthers(index);
    machine.unlock();
    long idle = dispatcher.halted() ? awaitInterrupt() : 0;
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
    // With one vCPU nothing comes behind the device; a clock's reading costs more than that.
    long handled = several || idle > 0 ? 0 : dispatcher.handledNanos();
    long end = handled != 0 ? handled : System.nanoTime();
    if (stack != null) {
      stack.walk();
      events++;
    }
    encoder.encode(type, exit, start, end, dispatcher.deviceNanos(), idle, stack);
  }

  private void recordConsole() {
    machine.lock();
    events += console.record(other, machine.now(), vcpu.instructions());
    machine.unlock();
  }

  private void recordMemory() {
    if (index == 0 && faults != null && faults.hasPlaceless()) {
      machine.lock();
      faults.now();
      machine.unlock();
    }
    boolean full = exit.reason == ExitReason.PML_FULL;
    if (dirty != null && (full || vcpu.guestNanos() >= dirty.due())) {
      lookForWrites();
    }
  }

  private void lookForWrites() {
    machine.lock();
    long now = vcpu.guestNanos();
    events += ownWrites ? encoder.dirty(dirty, now) : dirty.look(other, machine.now(), now);
    machine.unlock();
  }

  private void checkUntil() {
    boolean met =
        until.exits() >= 0 && machine.countExit() >= until.exits()
            || index == 0
                && until.instructions() >= 0
                && vcpu.instructions() >= until.instructions();
    if (met) {
      run.end(RunEnd.UNTIL, 0, until.describe());
    }
  }

  /**
   * Lets a halted vCPU wait for an interrupt, and ends the run where none can come.
   *
   * @return how long that took, host ns
   */
  private long awaitInterrupt() {
    long start = System.nanoTime();
    machine.lock();
    console.flush();
    machine.unlock();
    recordConsole();
    halt.await();
    return System.nanoTime() - start;
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
    return halt.isIdle() || vcpu.isIdle();
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
    return exits() + events + entry.events() + (kernel == null ? 0 : kernel.events());
  }

  /** Adds this loop's exits to {@code to}, by reason code. */
  void addExits(long[] to) {
    for (ExitReason reason : ExitReason.values()) {
      to[reason.code()] += exitsByReason[reason.code()];
    }
    to[ExitReason.EPT_VIOLATION.code()] += faultsWritten();
  }
}
