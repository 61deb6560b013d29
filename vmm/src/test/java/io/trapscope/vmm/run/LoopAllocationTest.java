package io.trapscope.vmm.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import io.trapscope.recorder.event.EventLog;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.vmm.guests.Guests;
import io.trapscope.vmm.guests.HostKind;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.MemoryLayout;
import io.trapscope.vmm.soft.SoftHypervisor;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** Entering, handling and recording an exit allocates nothing. */
class LoopAllocationTest {
  private static final int CHUNK = 5_000;

  /** Keeps nothing, and notes what the vCPU's thread allocated from chunk to chunk of events. */
  private static final class Meter implements ExitSink {
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final EventLog log = new EventLog(0, 1 << 20);
    private int events;
    private long before;
    private long least = Long.MAX_VALUE;

    @Override
    public EventWriter claim(EventType type) {
      return log.claim(type);
    }

    @Override
    public void commit() {
      log.commit();
      if (++events % CHUNK == 0) {
        long now = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
        least = Math.min(least, now - before);
        log.clear();
        before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
      }
    }
  }

  private final Meter meter = new Meter();

  private void run(MachineConfig.Builder builder) {
    assumeTrue(
        ManagementFactory.getThreadMXBean() instanceof ThreadMXBean,
        "this JVM does not count a thread's allocations");
    try (Machine machine = new Machine(builder.timeout(Duration.ofSeconds(120)).build())) {
      machine.run(
          new Sinks() {
            @Override
            public ExitSink vcpu(int index) {
              return meter;
            }

            @Override
            public ExitSink other() {
              return new EventLog(EventReader.NO_VCPU, 1 << 16);
            }
          });
    }
    assertThat(meter.events).isGreaterThan(10 * CHUNK);
    // What the JVM does once lands in some chunk; an exit's own allocation would be in every one.
    assertThat(meter.least).as("bytes for %s events", CHUNK).isZero();
  }

  @Test
  void spinOnTheSoftwareProcessor() {
    run(
        MachineConfig.builder(new SoftHypervisor(), Guests.SPIN.boot("count=100000", HostKind.SOFT))
            .memory(16 << 20));
  }

  @Test
  void everyCommonKindOfExit() {
    FakeHypervisor fake = new FakeHypervisor();
    for (int i = 0; i < 10_000; i++) {
      fake.out(0x600, i);
      access(fake, ExitReason.IO_INSTRUCTION, 4, 8);
      access(fake, ExitReason.EPT_MISCONFIGURATION, 8, 1);
      access(fake, ExitReason.MMIO, 4, 1);
      fake.then(ExitReason.EPT_VIOLATION, exit -> exit.gpa = 0x3000);
      fake.then(ExitReason.CPUID, exit -> exit.leaf = 1);
      fake.then(ExitReason.CR_ACCESS, exit -> exit.index = 4);
      fake.then(ExitReason.EXCEPTION_OR_NMI, exit -> exit.index = 6);
    }
    run(MachineConfig.builder(fake, MachineTest.NOTHING).memory(4 << 20));
  }

  private static void access(FakeHypervisor fake, ExitReason reason, int size, int count) {
    fake.then(
        reason,
        exit -> {
          exit.port = 0x608;
          exit.gpa = MemoryLayout.TEST_MMIO;
          exit.captured |= VmExit.GPA;
          exit.size = size;
          exit.count = count;
        });
  }
}
