package io.trapscope.vmm.kvm;

import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Stops vCPUs whose deadline has come: one thread a machine, started by the first deadline. A vCPU
 * that moves its deadline wakes the thread only where the new one is earlier than what the thread
 * waits for, so re-arming a periodic timer costs nothing.
 */
final class DeadlineTimer implements AutoCloseable {
  private final List<KvmVcpu> vcpus;
  private final LongClock clock;
  private volatile long waitingFor = Long.MIN_VALUE;
  private volatile boolean closed;
  private volatile Thread thread;

  /** Guest time in nanoseconds. */
  interface LongClock {
    long nanos();
  }

  DeadlineTimer(List<KvmVcpu> vcpus, LongClock clock) {
    this.vcpus = vcpus;
    this.clock = clock;
  }

  /** A vCPU has set this deadline, in guest nanoseconds, where {@code KvmVcpu} has it. */
  void deadlineSet(long guestNanos) {
    if (waitingFor == Long.MIN_VALUE) {
      start();
    } else if (guestNanos < waitingFor) {
      LockSupport.unpark(thread);
    }
  }

  private synchronized void start() {
    if (thread == null && !closed) {
      Thread started = new Thread(this::watch, "kvm-deadline");
      started.setDaemon(true);
      thread = started;
      // Until the thread's first look, every deadline is earlier than what it waits for.
      waitingFor = Long.MAX_VALUE;
      started.start();
    }
  }

  private void watch() {
    while (!closed) {
      // While this thread looks around, a new deadline must wake it: it may have been passed.
      waitingFor = Long.MAX_VALUE;
      long now = clock.nanos();
      long next = Long.MAX_VALUE;
      for (KvmVcpu vcpu : vcpus) {
        next = Math.min(next, vcpu.stopIfDue(now));
      }
      waitingFor = next;
      if (next == Long.MAX_VALUE) {
        LockSupport.park(this);
      } else {
        LockSupport.parkNanos(this, next - now);
      }
    }
  }

  @Override
  public void close() {
    Thread running;
    synchronized (this) {
      closed = true;
      running = thread;
    }
    if (running == null) {
      return;
    }
    LockSupport.unpark(running);
    Threads.awaitEnd(running);
  }
}
