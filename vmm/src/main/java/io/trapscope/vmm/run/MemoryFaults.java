package io.trapscope.vmm.run;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.recorder.tracepoint.FieldValues;
import io.trapscope.vmm.hypervisor.FaultHandler;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.MemoryRegion;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Faults on guest memory that the back end tells of while their vCPU stays inside the guest: each
 * is an event in its vCPU's stream. Those whose vCPU the host does not know wait here until
 * somebody has the device lock and writes them to the stream of everything else, in the order of
 * time: {@link #now}.
 */
final class MemoryFaults implements FaultHandler {
  /** A fault of an unknown vCPU, and its saved {@link FieldValues}. */
  private record Placeless(long nanos, ByteBuffer values) {}

  private final Vm vm;
  private final RunState run;
  private final List<MemoryRegion> regions;
  private final AtomicReferenceArray<ExitEncoder> encoders;
  private final Queue<Placeless> placeless = new ConcurrentLinkedQueue<>();
  private final ReentrantLock telling = new ReentrantLock();

  /** Used by the thread that tells. */
  private final FieldValues told = new FieldValues();

  // Guarded by the device lock.
  private final FieldValues written = new FieldValues();
  private ExitSink other = ExitSink.NONE;
  private long events;

  /**
   * @param regions the list of the trace header, for the REGION field
   */
  MemoryFaults(Vm vm, RunState run, List<MemoryRegion> regions) {
    this.vm = vm;
    this.run = run;
    this.regions = regions;
    this.encoders = new AtomicReferenceArray<>(vm.vcpus().size());
  }

  /** Faults of unknown vCPUs go there. */
  void recordTo(ExitSink sink) {
    other = sink;
  }

  /** From now on the vCPU's faults go to this encoder. */
  void recordTo(int vcpu, ExitEncoder encoder) {
    encoders.set(vcpu, encoder);
  }

  @Override
  public Lock telling() {
    return telling;
  }

  /** Whether faults may have been found that are not told yet. */
  boolean isTelling() {
    return telling.isLocked();
  }

  /** Waits until every fault is told in which the calling thread, a vCPU's, has been. */
  void awaitTold() {
    if (isTelling()) {
      telling.lock();
      telling.unlock();
    }
  }

  @Override
  public void fault(int vcpu, VmExit exit, long seen) {
    try {
      ExitEncoder encoder = vcpu < 0 ? null : encoders.get(vcpu);
      if (encoder != null) {
        encoder.fault(vm, exit, seen);
      } else {
        vm.resolveEptViolation(exit);
        ExitEncoder.describe(told, exit, regions);
        told.set(Field.TIME, exit.exitNanos);
        ByteBuffer values = ByteBuffer.allocate(told.savedBytes());
        told.save(values);
        placeless.add(new Placeless(exit.exitNanos, values));
      }
    } catch (HypervisorException e) {
      run.end(RunEnd.ERROR, 0, e.getMessage());
      throw e;
    } catch (RuntimeException | Error e) {
      run.fail(e);
      throw e;
    }
  }

  /** Whether {@link #now} would write something. */
  boolean hasPlaceless() {
    return !placeless.isEmpty();
  }

  /**
   * The time for the next event of no vCPU, host monotonic ns; faults that were before it are
   * written first. The caller has the device lock.
   */
  long now() {
    long nanos = System.nanoTime();
    awaitTold();
    Placeless next = placeless.peek();
    while (next != null && next.nanos <= nanos) {
      written.load(placeless.remove().values, 0);
      written.write(other, EventType.EPT_FAULT);
      events++;
      next = placeless.peek();
    }
    return nanos;
  }

  /** Events of unknown vCPUs so far. The caller has the device lock. */
  long events() {
    return events;
  }
}
