package io.trapscope.vmm.run;

import io.trapscope.vmm.device.InterruptSource;
import io.trapscope.vmm.device.Timers;
import io.trapscope.vmm.hypervisor.Vcpu;
import java.util.concurrent.TimeUnit;

/**
 * A halted vCPU: what it waits for, how guest time passes meanwhile, and when nothing can end the
 * wait any more, which ends the run.
 */
final class VcpuHalt {
  private static final int WAIT_MILLIS = 100;

  private final Machine machine;
  private final Vcpu vcpu;
  private final int index;
  private final RunState run;
  private final VcpuEntry entry;
  private final ConsoleInput input;
  private final Processors processors;
  private final InterruptSource interrupts;
  private final Timers timers;

  /** The vCPUs that share this thread, where they do; else null. */
  private Turns turns;

  /** Halted, or waiting to be started, as of its last turn. */
  private volatile boolean resting;

  private volatile boolean idle;

  VcpuHalt(Machine machine, Vcpu vcpu, RunState run, VcpuEntry entry) {
    this.machine = machine;
    this.vcpu = vcpu;
    this.index = vcpu.index();
    this.run = run;
    this.entry = entry;
    this.input = entry.input();
    this.processors = machine.processors();
    this.interrupts = machine.board().interrupts();
    this.timers = machine.timers();
  }

  /** The vCPU shares its thread with these, and rests for a turn instead of waiting. */
  void takeTurns(Turns with) {
    turns = with;
  }

  /** Whether it waits; for any thread. */
  boolean isIdle() {
    return idle || resting;
  }

  /** Lets the vCPU wait for an interrupt, or ends its turn; ends the run where none can come. */
  void await() {
    idle = true;
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
  }

  /** Waits a little for a start-up message, which another vCPU sends. */
  void awaitStart() {
    idle = true;
    run.await(WAIT_MILLIS);
    idle = false;
  }

  private void rest() {
    resting = true;
    if (!vcpu.interruptible()) {
      run.park(index, "halted with interrupts off");
    }
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

  /** Whether it rested when its last turn ended. */
  boolean isResting() {
    return resting;
  }

  private boolean isWoken() {
    return turns != null
        ? turns.anyWakes(null)
        : interrupts.pending(index) || processors.wakes(index);
  }

  /** Lets guest time pass until an interrupt has come, for this vCPU or one that rests with it. */
  void awaitInterrupt() {
    while (!run.ended()) {
      machine.lock();
      boolean awake = isWoken();
      long next = index == 0 ? timers.next() : Long.MAX_VALUE;
      boolean nobodyGoesOn = !awake && timers.next() == Long.MAX_VALUE && run.idle(index);
      machine.unlock();
      long typed = input == null ? Long.MAX_VALUE : input.wakesAt();
      if (awake) {
        run.unpark(index);
        return;
      }
      if (typed > vcpu.guestNanos()) {
        next = Math.min(next, typed);
      } else if (handInput() > 0) {
        continue;
      }
      if (next != Long.MAX_VALUE) {
        idleUntil(next);
        machine.lock();
        timers.advance(vcpu.guestNanos());
        machine.wakeOthers(index);
        machine.unlock();
      } else {
        Runnable end = turns != null || nobodyGoesOn ? machine.rest() : null;
        if (end != null) {
          end.run();
        }
        run.await(WAIT_MILLIS);
      }
    }
  }

  /** Only an interrupt ends a HLT: what is typed goes to the device, which may raise one. */
  private int handInput() {
    machine.lock();
    int taken = entry.deliverInput();
    machine.wakeOthers(index);
    machine.unlock();
    return taken;
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
}
