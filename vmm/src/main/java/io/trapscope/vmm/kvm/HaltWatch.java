package io.trapscope.vmm.kvm;

import io.trapscope.vmm.hypervisor.HypervisorException;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Notices that a machine will not go on by itself. With interrupt controllers in the kernel a HLT
 * does not exit, so a guest that halts with interrupts off, which is how guests end, would keep its
 * thread in KVM_RUN for ever; and so would one that waits for an interrupt that nothing can raise.
 *
 * <p>A thread looks whether all vCPUs sleep in KVM_RUN since the look before. If so, each is called
 * out to tell its state, without an exit that anybody else sees. Two such looks in a row that find
 * all of them halted with interrupts off, or waiting for a start-up message, settle it: between the
 * two nobody was awake who could have woken another. Where some wait for an interrupt and no timer
 * of KVM's is armed, more looks are taken, because vCPUs can wake one another between two of them.
 * A vCPU that a timer will wake makes the looks rarer, for as long as it sleeps.
 */
final class HaltWatch implements AutoCloseable {
  private static final long LOOK_NANOS = 20_000_000;
  private static final long LONGEST_NANOS = 640_000_000;
  private static final int LOOKS_STUCK = 2;
  private static final int LOOKS_IDLE = 6;

  private final List<KvmVcpu> vcpus;
  private final BooleanSupplier timerRuns;
  private final Consumer<Boolean> resting;
  private final long[] entries;
  private final Thread thread;
  private volatile boolean closed;

  /**
   * Begins to look.
   *
   * @param timerRuns whether a timer besides those of the vCPUs will raise an interrupt
   * @param resting called at each look that finds no vCPU able to go on by itself, with whether an
   *     interrupt could not wake one either
   */
  HaltWatch(List<KvmVcpu> vcpus, BooleanSupplier timerRuns, Consumer<Boolean> resting) {
    this.vcpus = vcpus;
    this.timerRuns = timerRuns;
    this.resting = resting;
    this.entries = new long[vcpus.size()];
    thread = new Thread(this::watch, "kvm-halts");
    thread.setDaemon(true);
    thread.start();
  }

  private void watch() {
    long pause = LOOK_NANOS;
    int looks = 0;
    KvmVcpu.Rest before = KvmVcpu.Rest.NONE;
    while (!closed) {
      LockSupport.parkNanos(this, pause);
      KvmVcpu.Rest found = allSleepSinceTheLastLook() ? look() : null;
      looks = found == before ? looks + 1 : 1;
      before = found;
      if (found == KvmVcpu.Rest.STUCK && looks >= LOOKS_STUCK) {
        resting.accept(true);
        return;
      }
      if (found == KvmVcpu.Rest.IDLE && looks >= LOOKS_IDLE) {
        resting.accept(false);
        pause = LONGEST_NANOS;
      } else {
        pause = found == KvmVcpu.Rest.NONE ? Math.min(2 * pause, LONGEST_NANOS) : LOOK_NANOS;
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

  /** What the vCPU that is nearest to going on waits for. */
  private KvmVcpu.Rest look() {
    KvmVcpu.Rest all = KvmVcpu.Rest.STUCK;
    for (KvmVcpu vcpu : vcpus) {
      KvmVcpu.Rest each = closed ? KvmVcpu.Rest.NONE : vcpu.askForRest();
      if (each == KvmVcpu.Rest.NONE) {
        return each;
      }
      all = each == KvmVcpu.Rest.IDLE ? each : all;
    }
    return all == KvmVcpu.Rest.IDLE && timerMayRun() ? KvmVcpu.Rest.NONE : all;
  }

  private boolean timerMayRun() {
    try {
      return timerRuns.getAsBoolean();
    } catch (HypervisorException e) {
      return true;
    }
  }

  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
    Threads.awaitEnd(thread);
  }
}
