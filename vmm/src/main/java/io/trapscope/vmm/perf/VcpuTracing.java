package io.trapscope.vmm.perf;

import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.tracepoint.ExitJoiner;
import io.trapscope.recorder.tracepoint.FieldValues;
import io.trapscope.recorder.tracepoint.Tracepoint;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;

/**
 * What the kernel tells of one vCPU's thread, on its way into the vCPU's stream.
 *
 * <p>The vCPU's thread and the one that looks after rings both empty the ring; whoever does holds
 * the lock, and so does the vCPU's thread whenever it writes to the stream.
 */
public final class VcpuTracing implements TracepointRing.Reader, AutoCloseable {
  private final ReentrantLock lock = new ReentrantLock();
  private final TracepointRing ring;
  private final ExitJoiner joiner;
  private final LongConsumer onLoss;
  private final BooleanSupplier faultsToTell;
  private final List<Counter> totals = new ArrayList<>();

  private long events;
  private long callers; // of these, what the caller counts
  private boolean open;
  private boolean closed;

  /**
   * @param ring of the vCPU's thread, enabled
   * @param sink of the vCPU's stream
   * @param onLoss told how many records were lost
   * @param faultsToTell whether somebody may have found the vCPU in a fault and not said {@link
   *     #faulted} yet
   */
  VcpuTracing(
      TracepointRing ring, ExitSink sink, LongConsumer onLoss, BooleanSupplier faultsToTell) {
    this.ring = ring;
    this.joiner =
        new ExitJoiner(
            new ExitSink() {
              @Override
              public EventWriter claim(EventType type) {
                return sink.claim(type);
              }

              @Override
              public void commit() {
                events++;
                sink.commit();
              }
            });
    this.onLoss = onLoss;
    this.faultsToTell = faultsToTell;
  }

  /** What whoever writes to the stream holds. */
  public Lock lock() {
    return lock;
  }

  /**
   * KVM_RUN has returned: writes every event up to there. The caller holds the lock.
   *
   * @param type of the event that the caller will write
   * @param called when it was called
   * @param nanos when it returned
   * @return whether the kernel has told of that exit: {@link #stage} has something to add
   */
  public boolean returned(EventType type, long called, long nanos) {
    joiner.running(called);
    ring.drain(this);
    open = joiner.returned(type, nanos);
    return open;
  }

  /** When the exit happened; where {@link #returned} said true. */
  public long time() {
    return joiner.time();
  }

  /** The processor's own reason where it is known, else {@code otherwise}. */
  public ExitReason reasonOr(ExitReason otherwise) {
    return joiner.reasonOr(otherwise);
  }

  /** Adds the kernel's stage to the caller's event; where {@link #returned} said true. */
  public void stage(EventWriter event) {
    joiner.putStage(event);
  }

  /** The caller's event was committed. */
  public void joined(EventType type, boolean read) {
    if (open) {
      joiner.joined(type, read);
      open = false;
    }
  }

  /** The caller has recorded that it injects this vector. */
  public void injected(int vector) {
    joiner.injected(vector);
  }

  /**
   * The vCPU waits in a fault on guest memory, which somebody else has seen. The caller holds the
   * lock.
   *
   * @param before just before it was seen
   * @param seen just after that
   * @return whether the kernel's tracepoints have told of it too: then {@link #resolved} adds to
   *     their event what the caller knows, else {@link #fault} makes one
   */
  public boolean faulted(long gpa, long before, long seen) {
    if (!closed) {
      ring.drain(this, seen);
    }
    return joiner.faulted(gpa, before);
  }

  /** The fault is resolved; where {@link #faulted} said true. */
  public void resolved(long hva, boolean firstTouch, long nanos) {
    joiner.resolved(hva, firstTouch, nanos);
  }

  /** The fault is resolved, and is no part of an event; as {@link ExitJoiner#fault} has it. */
  public void fault(FieldValues fault, long before, long start) {
    joiner.fault(fault, before, start);
    callers++;
  }

  /** Empties the ring unless somebody is at it, or what is in it may lie behind a fault. */
  void drainIfIdle() {
    long now = System.nanoTime();
    if (lock.tryLock()) {
      try {
        // A fault that is found after this question lies behind now.
        if (!closed && !faultsToTell.getAsBoolean()) {
          ring.drain(this, now);
        }
      } finally {
        lock.unlock();
      }
    }
  }

  @Override
  public void record(
      Tracepoint tracepoint, ByteBuffer raw, int at, int length, long nanos, int pid, int tid) {
    joiner.accept(tracepoint, raw, at, length, nanos);
  }

  @Override
  public void lost(long count, long nanos) {
    joiner.lost(count, nanos);
    onLoss.accept(count);
  }

  /** Events written so far, those of the caller not among them. */
  public long events() {
    lock.lock();
    try {
      return events - callers;
    } finally {
      lock.unlock();
    }
  }

  /** How often each tracepoint was hit, as the kernel counts it, and how often it was read. */
  List<Counter> totals() {
    return totals;
  }

  /** Takes the last records, and what was lost without a word. Called by the vCPU's thread. */
  @Override
  public void close() {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      ring.disable();
      ring.drain(this);
      joiner.finish();
      long missing = ring.unreported();
      if (missing > 0) {
        lost(missing, System.nanoTime());
      }
      for (int i = 0; i < ring.tracepoints().size(); i++) {
        String name = ring.tracepoints().get(i).format().name();
        totals.add(Counter.count(KernelTracing.COUNTED, name, ring.counted(i)));
        totals.add(Counter.count(KernelTracing.READ, name, ring.read(i)));
      }
    } finally {
      ring.close();
      lock.unlock();
    }
  }
}
