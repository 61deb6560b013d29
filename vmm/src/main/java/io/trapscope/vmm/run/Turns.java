package io.trapscope.vmm.run;

import java.util.List;

/**
 * The vCPUs of a machine whose clock counts instructions, on one thread, one after another. So
 * their order is the same in every run, every instruction is atomic, and one clock serves all: what
 * one vCPU takes of guest time passes for the others too, as on a host that has one processor for
 * them.
 *
 * <p>A turn ends when its time is over, when the vCPU halts, or when it has woken another one.
 */
final class Turns implements Runnable {
  /** Guest time of a turn. Short, because a vCPU may spin until another one has done something. */
  private static final long TURN_NANOS = 20_000;

  private final List<VcpuLoop> loops;
  private final RunState run;

  Turns(List<VcpuLoop> loops, RunState run) {
    this.loops = loops;
    this.run = run;
    loops.forEach(loop -> loop.takeTurns(this));
  }

  @Override
  public void run() {
    try {
      takeTurns();
    } catch (RuntimeException | Error e) {
      run.fail(e);
    }
  }

  private void takeTurns() {
    long now = 0;
    int last = loops.size() - 1;
    while (!run.ended()) {
      int next = nextAwake(last);
      if (next >= 0) {
        loops.get(next).turn(this, now, TURN_NANOS);
        now = loops.get(next).guestNanos();
        last = next;
      } else {
        loops.get(0).restTogether(now);
        now = loops.get(0).guestNanos();
      }
    }
  }

  /** The first vCPU after {@code last} that has something to do, or -1. */
  private int nextAwake(int last) {
    for (int i = 1; i <= loops.size(); i++) {
      int index = (last + i) % loops.size();
      if (loops.get(index).isAwake()) {
        return index;
      }
    }
    return -1;
  }

  /** Whether a vCPU other than {@code self} rested and does not any more. */
  boolean anyWakes(VcpuLoop self) {
    for (VcpuLoop loop : loops) {
      if (loop != self && loop.isResting() && loop.isAwake()) {
        return true;
      }
    }
    return false;
  }
}
