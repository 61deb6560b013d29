package io.trapscope.vmm.run;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.vmm.hypervisor.FaultHandler;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmExit;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Faults on guest memory that the back end tells of while their vCPU stays inside the guest: each
 * is an event in its vCPU's stream. Those whose vCPU the host does not know wait here until a
 * vCPU's loop writes them to the stream of everything else.
 */
final class MemoryFaults implements FaultHandler {
  /** A fault of an unknown vCPU. */
  private record Placeless(long nanos, long gpa, long hva, long qualification, boolean first) {}

  private final Vm vm;
  private final RunState run;
  private final AtomicReferenceArray<ExitEncoder> encoders;
  private final Queue<Placeless> placeless = new ConcurrentLinkedQueue<>();
  private final ReentrantLock telling = new ReentrantLock();

  MemoryFaults(Vm vm, RunState run) {
    this.vm = vm;
    this.run = run;
    this.encoders = new AtomicReferenceArray<>(vm.vcpus().size());
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
        placeless.add(
            new Placeless(exit.exitNanos, exit.gpa, exit.hva, exit.qualification, exit.firstTouch));
      }
    } catch (HypervisorException e) {
      run.end(RunEnd.ERROR, 0, e.getMessage());
      throw e;
    } catch (RuntimeException | Error e) {
      run.fail(e);
      throw e;
    }
  }

  /** Whether {@link #write} has something to write. */
  boolean hasPlaceless() {
    return !placeless.isEmpty();
  }

  /** Writes the faults of unknown vCPUs; returns how many. */
  int write(ExitSink other) {
    int events = 0;
    for (Placeless fault = placeless.poll(); fault != null; fault = placeless.poll()) {
      EventWriter event = other.claim(EventType.EPT_FAULT);
      event
          .put(Field.TIME, fault.nanos)
          .put(Field.REASON, ExitReason.EPT_VIOLATION.code())
          .put(Field.FIRST_TOUCH, fault.first)
          .put(Field.GPA, fault.gpa)
          .put(Field.HVA, fault.hva)
          .put(Field.QUALIFICATION, fault.qualification);
      other.commit();
      events++;
    }
    return events;
  }
}
