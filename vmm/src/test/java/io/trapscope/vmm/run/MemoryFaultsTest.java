package io.trapscope.vmm.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.EventLog;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import io.trapscope.vmm.hypervisor.FaultHandler;
import io.trapscope.vmm.hypervisor.HostOptions;
import io.trapscope.vmm.hypervisor.MemoryOptions;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.pc.SimpleBoard;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Faults that another thread tells of, in the stream of a vCPU that does not wait for it. */
class MemoryFaultsTest {
  private static final long TRIES = 2_000;

  private final FakeHypervisor fake = new FakeHypervisor();
  private final EventLog exits = new EventLog(0, 1 << 16);
  private final EventLog other = new EventLog(EventReader.NO_VCPU, 1 << 16);

  /** What the thread that watches memory does with a fault of the vCPU that is called out of it. */
  private void tell(Thread vcpu, CountDownLatch found) {
    FaultHandler handler = fake.faults;
    handler.telling().lock();
    try {
      VmExit fault = new VmExit();
      fault.reset();
      fault.reason = ExitReason.EPT_VIOLATION;
      fault.gpa = 0x5000;
      fault.exitNanos = System.nanoTime();
      long seen = System.nanoTime();
      found.countDown();
      for (int i = 0; i < TRIES && vcpu.getState() != Thread.State.WAITING; i++) {
        sleep(1);
      }
      handler.fault(0, fault, seen);
    } finally {
      handler.telling().unlock();
    }
  }

  private static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private RunResult run() {
    MemoryOptions faults =
        new MemoryOptions(true, MemoryOptions.Dirty.NONE, false, MemoryOptions.Pages.DEFAULT);
    MachineConfig config =
        MachineConfig.builder(fake, MachineTest.NOTHING)
            .memory(4 << 20)
            .board(SimpleBoard::new)
            .host(HostOptions.of(faults))
            .timeout(Duration.ofSeconds(30))
            .build();
    try (Machine machine = new Machine(config)) {
      return machine.run(Sinks.of(vcpu -> exits, other));
    }
  }

  /** The guest writes a line while the page for somebody unknown is brought. */
  @Test
  void faultsOfUnknownVcpusAreInTheOrderOfTimeToo() {
    fake.then(
        ExitReason.IO_INSTRUCTION,
        exit -> {
          tellOfUnknown(0x5000);
          exit.port = 0x3f8;
          exit.size = 1;
          exit.write = true;
          exit.value = '\n';
          exit.captured |= VmExit.VALUE;
        });
    fake.then(ExitReason.INTERRUPTED, exit -> tellOfUnknown(0x6000));
    RunResult result = run();
    List<String> types = new ArrayList<>();
    List<Long> times = new ArrayList<>();
    other.forEach(
        event -> {
          types.add(event.type().name());
          times.add(event.get(Field.TIME));
        });
    assertThat(types).containsExactly("INPUT", "EPT_FAULT", "CONSOLE_OUTPUT", "EPT_FAULT", "END");
    assertThat(times).isSorted();
    assertThat(result.events()).isEqualTo(exits.size() + other.size());
    other.forEach(
        event -> {
          if (event.type() == EventType.EPT_FAULT) {
            assertThat(event.get(Field.REGION)).isZero();
            assertThat(event.get(Field.FIRST_TOUCH)).isEqualTo(1);
          }
        });
  }

  private void tellOfUnknown(long gpa) {
    VmExit fault = new VmExit();
    fault.reset();
    fault.reason = ExitReason.EPT_VIOLATION;
    fault.gpa = gpa;
    fault.firstTouch = true;
    fault.captured = VmExit.GPA | VmExit.FIRST_TOUCH;
    fault.exitNanos = System.nanoTime();
    fake.faults.fault(-1, fault, fault.exitNanos);
  }

  @Test
  void whatAVcpuDoesAfterAFaultComesBehindItHoweverLateItIsTold() throws InterruptedException {
    List<Thread> watching = new ArrayList<>();
    fake.out(0x600, 1);
    fake.then(
        ExitReason.INTERRUPTED,
        exit -> {
          CountDownLatch found = new CountDownLatch(1);
          Thread vcpu = Thread.currentThread();
          watching.add(new Thread(() -> tell(vcpu, found)));
          watching.get(0).start();
          try {
            found.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    fake.out(0x600, 2);
    RunResult result = run();
    watching.get(0).join();
    List<String> types = new ArrayList<>();
    List<Long> times = new ArrayList<>();
    exits.forEach(
        event -> {
          types.add(event.type().name());
          times.add(event.get(Field.TIME));
        });
    assertThat(types).containsExactly("PIO", "EPT_FAULT", "EXIT", "PIO", "EXIT");
    assertThat(times).isSorted();
    assertThat(result.exits(ExitReason.EPT_VIOLATION)).isEqualTo(1);
    assertThat(result.events()).isEqualTo(exits.size() + other.size());
  }
}
