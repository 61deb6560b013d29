package io.trapscope.vmm.kvm;

import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Notices that a machine will never go on. With interrupt controllers in the kernel a HLT does not
 * exit, so a guest that halts with interrupts off, which is how guests end, would keep its thread
 * in KVM_RUN for ever.
 *
 * <p>A thread looks whether all vCPUs sleep in KVM_RUN since the look before. If so, each is called
 * out to tell its state, without an exit that anybody else sees. Two such looks in a row that find
 * all of them halted with interrupts off, or waiting for a start-up message, settle it: between the
 * two nobody was awake who could have woken another. A vCPU that waits for an interrupt makes the
 * looks rarer, for as long as it sleeps.
 */
final class HaltWatch implements AutoCloseable {
  private static final long LOOK_NANOS = 20_000_000;
  private static final long LONGEST_NANOS = 640_000_000;

  private final List<KvmVcpu> vcpus;
  private final Runnable stuck;
  private final long[] entries;
  private final Thread thread;
  private volatile boolean closed;

  /**
   * Begins to look.
   *
   * @param stuck called once, when no vCPU can go on
   */
  HaltWatch(List<KvmVcpu> vcpus, Runnable stuck) {
    this.vcpus = vcpus;
    this.stuck = stuck;
    this.entries = new long[vcpus.size()];
    thread = new Thread(this::watch, "kvm-halts");
    thread.setDaemon(true);
    thread.start();
  }

  private void watch() {
    long pause = LOOK_NANOS;
    int found = 0;
    while (!closed) {
      LockSupport.parkNanos(this, pause);
      if (!allSleepSinceTheLastLook()) {
        pause = LOOK_NANOS;
        found = 0;
      } else if (!allAreStuck()) {
        pause = Math.min(2 * pause, LONGEST_NANOS);
        found = 0;
      } else if (++found == 2) {
        stuck.run();
        return;
      }
    }
  }

  private boolean allSleepSinceTheLastLook() {
    boolean all = true;
    for (int i = 0; i < entries.length; i++) {
      long now = vcpus.get(i).entries();
      all &= now == entries[i] && vcpus.get(i).isIdle();
      entries[i] = now;
    }
    return all;
  }

  private boolean allAreStuck() {
    for (KvmVcpu vcpu : vcpus) {
      if (closed || !vcpu.askWhetherStuck()) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    Threads.awaitEnd(thread);
  }
}
