package io.trapscope.vmm.run;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.vmm.hypervisor.DirtyPages;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.memory.MemoryRegion;
import java.util.List;

/**
 * Which pages of RAM the guest writes, as events: a look every tenth of a second of guest time, and
 * one at the end. Used by the loop of the vCPU whose writes they are, or, where the back end does
 * not tell vCPUs apart, by that of vCPU 0; under the device lock.
 */
final class DirtyWatch implements DirtyPages {
  private static final long INTERVAL_NANOS = 100_000_000;

  private final Vm vm;
  private final List<MemoryRegion> regions;
  private final int vcpu;
  private long due = INTERVAL_NANOS;

  // Of the look at hand.
  private ExitSink sink;
  private long nanos;
  private int events;

  DirtyWatch(Vm vm, List<MemoryRegion> regions, int vcpu) {
    this.vm = vm;
    this.regions = regions;
    this.vcpu = vcpu;
  }

  /** Guest time of the next look. */
  long due() {
    return due;
  }

  /**
   * Looks, and writes what there is.
   *
   * @param to takes the events: the vCPU's stream where they are its own, else the other one
   * @param now the time of the events, host monotonic ns
   * @param guestNanos guest time
   * @return how many events that took
   */
  int look(ExitSink to, long now, long guestNanos) {
    due = guestNanos + INTERVAL_NANOS;
    sink = to;
    nanos = now;
    events = 0;
    vm.dirtyPages(vcpu, this);
    return events;
  }

  @Override
  public void range(long gpa, long pages) {
    EventWriter event = sink.claim(EventType.DIRTY);
    event.put(Field.TIME, nanos).put(Field.GPA, gpa).put(Field.PAGES, pages);
    for (int i = 0; i < regions.size(); i++) {
      if (regions.get(i).contains(gpa, 1)) {
        event.put(Field.REGION, i);
      }
    }
    sink.commit();
    events++;
  }
}
