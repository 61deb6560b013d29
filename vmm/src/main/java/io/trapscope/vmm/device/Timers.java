package io.trapscope.vmm.device;

import java.util.ArrayList;
import java.util.List;

/**
 * Timers on guest time, in nanoseconds since the machine was made. The loop sets the guest's
 * deadline to {@link #next()} and calls {@link #advance} when guest time has reached it. Timers due
 * at the same time fire in the order they were made.
 */
public final class Timers {

  /** A timer of one device. Armed for one time; re-arming replaces it. */
  public final class Timer {
    private final Runnable action;
    private long due = Long.MAX_VALUE;

    private Timer(Runnable action) {
      this.action = action;
    }

    /**
     * Fires once at {@code guestNanos}, or on the next {@link Timers#advance} where that lies in
     * the past.
     */
    public void arm(long guestNanos) {
      due = guestNanos;
      findNext();
    }

    public void cancel() {
      arm(Long.MAX_VALUE);
    }

    /** When the timer fires, in guest ns; {@code Long.MAX_VALUE} where it is not armed. */
    public long due() {
      return due;
    }
  }

  private final List<Timer> all = new ArrayList<>();
  private long now;
  private long next = Long.MAX_VALUE;

  /**
   * A new timer, not armed. Its action runs with {@link #now()} at or after the time it was armed
   * for.
   */
  public Timer create(Runnable action) {
    Timer timer = new Timer(action);
    all.add(timer);
    return timer;
  }

  /** Guest time in ns as of the exit being handled. */
  public long now() {
    return now;
  }

  /** The earliest time an armed timer is due, or {@code Long.MAX_VALUE}. */
  public long next() {
    return next;
  }

  /**
   * Moves guest time forward and fires what is due, earliest first; a timer that re-arms itself
   * into the past fires again.
   */
  public void advance(long guestNanos) {
    now = Math.max(now, guestNanos);
    while (next <= now) {
      for (Timer timer : all) {
        if (timer.due == next) {
          timer.due = Long.MAX_VALUE;
          timer.action.run();
          break;
        }
      }
      findNext();
    }
  }

  private void findNext() {
    long earliest = Long.MAX_VALUE;
    for (Timer timer : all) {
      earliest = Math.min(earliest, timer.due);
    }
    next = earliest;
  }
}
