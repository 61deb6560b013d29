package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.trapscope.recorder.event.EventLog;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.vmm.guests.Guests;
import io.trapscope.vmm.guests.HostKind;
import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.HostOptions;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.IrqChip;
import io.trapscope.vmm.hypervisor.MemoryOptions;
import io.trapscope.vmm.run.Machine;
import io.trapscope.vmm.run.MachineConfig;
import io.trapscope.vmm.run.RunResult;
import io.trapscope.vmm.run.Sinks;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Every call of a whole run, but KVM_RUN itself, fails once: the run cannot be made, or ends with
 * the host's reason, or does without; and nothing is left of it: no thread, file or mapping.
 */
class KvmRunFailureTest {
  private static final int PAGES = 5;

  private static RunResult run(KvmHypervisor.Ioctl ioctl) {
    MemoryOptions memory =
        new MemoryOptions(true, MemoryOptions.Dirty.LOG, false, MemoryOptions.Pages.DEFAULT);
    HostOptions host = new HostOptions(memory, IrqChip.KERNEL, 0, Map.of(0, 0));
    EventLog exits = new EventLog(0, 1 << 20);
    EventLog other = new EventLog(EventReader.NO_VCPU, 1 << 20);
    try (KvmHypervisor kvm = new KvmHypervisor(ioctl);
        Machine machine =
            new Machine(
                MachineConfig.builder(kvm, Guests.TOUCH.boot("pages=" + PAGES, HostKind.KVM_PVM))
                    .memory(32 << 20)
                    .host(host)
                    .timeout(Duration.ofSeconds(30))
                    .build())) {
      return machine.run(Sinks.of(index -> exits, other));
    }
  }

  @Test
  void nothingIsLeftWhicheverCallFails() throws Exception {
    KvmGuest.assumeKvm();
    assumeFalse(!LibC.mayUse(0), "skipped: CPU 0 may not be used");
    AtomicInteger all = new AtomicInteger();
    try {
      RunResult whole =
          run(
              (fd, request, argument) -> {
                all.incrementAndGet();
                return LibC.ioctl(fd, request, argument);
              });
      assertThat(whole.end()).as(whole.text()).isEqualTo(RunEnd.DEBUG_EXIT);
    } catch (HypervisorException e) {
      assumeFalse(e.getMessage().contains("not permitted"), "skipped: " + e.getMessage());
      throw e;
    }
    long files = KvmStopTest.openFiles();
    long mappings = KvmStopTest.kvmMappings();
    for (int refused = 0; refused < all.get(); refused++) {
      AtomicInteger calls = new AtomicInteger();
      int step = refused;
      String how;
      try {
        RunResult result =
            run(
                (fd, request, argument) ->
                    calls.getAndIncrement() == step
                        ? -LibC.EBUSY
                        : LibC.ioctl(fd, request, argument));
        how = result.end() + " " + result.text();
        assertThat(result.end()).as(how).isIn(RunEnd.DEBUG_EXIT, RunEnd.ERROR);
      } catch (HypervisorException e) {
        how = e.getMessage();
        assertThat(how).contains("(errno 16)").doesNotContain("\n");
      }
      String after = "after call " + step + ": " + how;
      assertThat(KvmStopTest.openFiles()).as(after).isEqualTo(files);
      assertThat(KvmStopTest.kvmMappings()).as(after).isEqualTo(mappings);
      assertThat(threads()).as(after).isEmpty();
    }
  }

  private static List<String> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("kvm-") || name.startsWith("vcpu"))
        .toList();
  }
}
