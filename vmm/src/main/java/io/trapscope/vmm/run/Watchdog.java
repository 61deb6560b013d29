package io.trapscope.vmm.run;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Ends the run of a guest that computes for too long without an exit, or that the back end does not
 * let go: a hypercall that KVM never finishes, say. A vCPU that is halted does not compute.
 */
final class Watchdog {
  private final long nanos;
  private final List<VcpuLoop> loops;
  private long exits = -1;
  private long since;

  /**
   * Makes one that has seen nothing yet.
   *
   * @param limit host time without an exit
   */
  Watchdog(Duration limit, List<VcpuLoop> loops) {
    this.nanos = limit.toNanos();
    this.loops = loops;
  }

  /** How long to wait between two looks. */
  long pauseNanos() {
    return Math.max(TimeUnit.MILLISECONDS.toNanos(1), nanos / 4);
  }

  /** Whether the limit is reached. */
  boolean isMet(long now) {
    long seen = loops.stream().mapToLong(VcpuLoop::guestsExits).sum();
    if (seen != exits || loops.stream().allMatch(VcpuLoop::isIdle)) {
      exits = seen;
      since = now;
    }
    return now - since >= nanos;
  }
}
