package io.trapscope.vmm.guests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.EventLog;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.InterruptionType;
import io.trapscope.recorder.tracepoint.EventSelection;
import io.trapscope.recorder.tracepoint.KvmTracepoint;
import io.trapscope.vmm.hypervisor.HostOptions;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.MemoryOptions;
import io.trapscope.vmm.kvm.KvmHypervisor;
import io.trapscope.vmm.kvm.KvmProbe;
import io.trapscope.vmm.perf.KernelTracing;
import io.trapscope.vmm.run.Machine;
import io.trapscope.vmm.run.MachineConfig;
import io.trapscope.vmm.run.RunResult;
import io.trapscope.vmm.run.Sinks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** KVM's tracepoints of a guest whose exits are known, joined with what user space saw of them. */
class KernelEventsTest {
  private final EventLog exits = new EventLog(0, 8 << 20);
  private final EventLog other = new EventLog(EventReader.NO_VCPU, 1 << 20);
  private final Map<String, Long> counters = new HashMap<>();
  private final KvmProbe probe = KvmProbe.probe();
  private final HostKind host = HostKind.of("kvm", probe.isParavirtual());

  private RunResult run(Guests guest, String commandLine, Set<KvmTracepoint> wanted, int ring) {
    return run(guest, commandLine, wanted, ring, MemoryOptions.DEFAULT);
  }

  private RunResult run(
      Guests guest, String commandLine, Set<KvmTracepoint> wanted, int ring, MemoryOptions memory) {
    assumeTrue(probe.usable(), probe::explanation);
    try (KernelTracing tracing = prepare(wanted, ring);
        KvmHypervisor kvm = new KvmHypervisor();
        Machine machine =
            new Machine(
                MachineConfig.builder(kvm, guest.boot(commandLine, host))
                    .memory(64 << 20)
                    .host(HostOptions.of(memory))
                    .timeout(Duration.ofSeconds(120))
                    .tracing(tracing)
                    .build())) {
      RunResult result = machine.run(Sinks.of(index -> exits, other));
      for (Counter counter : tracing.counters()) {
        counters.put(counter.of() + " " + counter.name(), counter.total());
      }
      assertThat(exits.lost()).isZero();
      assertThat(result.events()).isEqualTo(exits.size() + other.size());
      return result;
    } catch (HypervisorException e) {
      assumeFalse(e.getMessage().contains("not permitted"), "skipped: " + e.getMessage());
      throw e;
    }
  }

  private static KernelTracing prepare(Set<KvmTracepoint> wanted, int ring) {
    try {
      return KernelTracing.prepare(wanted, Set.of(), ring);
    } catch (HypervisorException e) {
      return abort("skipped: " + e.getMessage());
    }
  }

  private long count(EventType type) {
    long[] count = new long[1];
    exits.forEach(event -> count[0] += event.type() == type ? 1 : 0);
    return count[0];
  }

  private long hits(String tracepoint) {
    assertThat(counters)
        .containsEntry("tracepoint-read " + tracepoint, counters.get("tracepoint " + tracepoint));
    return counters.get("tracepoint " + tracepoint);
  }

  @Test
  void everyExitIsOneEventWithBothStages() throws Exception {
    run(Guests.EXITS, "", EventSelection.DEFAULT.tracepoints(), 1 << 20);
    GroundTruth truth = GroundTruth.load();
    // What user space sees is what the table says, and none of it is there twice.
    exits.forEach(
        event -> {
          if (event.has(Field.LOOP_TIME) || event.type() == EventType.INJECTION) {
            boolean ours = event.type() != EventType.INJECTION || !event.has(Field.REINJECTED);
            if (ours) {
              truth.accept(event);
            }
          }
        });
    assertThat(truth.differences(host)).isEmpty();
    assertThat(hits("kvm_pio")).isEqualTo(count(EventType.PIO));
    assertThat(count(EventType.CPUID)).isEqualTo(173);
    assertThat(hits("kvm_cpuid")).isEqualTo(173);
    assertThat(injectedExceptions()).isEqualTo(exceptionsOfTheTable());
    Map<EventType, long[]> staged = new EnumMap<>(EventType.class);
    exits.forEach(
        event -> {
          boolean both = event.has(Field.LOOP_TIME) && event.has(Field.KERNEL_TIME);
          staged.computeIfAbsent(event.type(), type -> new long[1])[0] += both ? 1 : 0;
        });
    for (EventType type : List.of(EventType.PIO, EventType.MMIO, EventType.HLT)) {
      assertThat(staged.get(type)[0]).as(type + " with both stages").isEqualTo(count(type));
    }
    assertThat(times()).isSorted();
    nothingIsLeftOpen();
  }

  /** How often KVM injected each exception: the guest causes them, KVM reflects them. */
  private Map<Integer, Long> injectedExceptions() {
    Map<Integer, Long> counts = new TreeMap<>();
    exits.forEach(
        event -> {
          boolean exception =
              event.type() == EventType.INJECTION
                  && event.get(Field.INTERRUPTION_TYPE) == InterruptionType.HARDWARE_EXCEPTION
                  // Again, because something came in between: not another one.
                  && event.get(Field.REINJECTED) == 0;
          if (exception) {
            counts.merge((int) event.get(Field.VECTOR), 1L, Long::sum);
          }
        });
    return counts;
  }

  /** What the same guest shows where every exception exits; sections that this host skips aside. */
  private Map<Integer, Long> exceptionsOfTheTable() {
    Map<Integer, Long> counts = new TreeMap<>();
    for (GroundTruth.Row row : GroundTruth.load().rows()) {
      if (row.type() == EventType.EXCEPTION && !row.cells().get(host).equals("skip")) {
        counts.put((int) row.first(), Long.parseLong(row.cells().get(HostKind.SOFT)));
      }
    }
    return counts;
  }

  private List<Long> times() {
    List<Long> times = new java.util.ArrayList<>();
    exits.forEach(event -> times.add(event.time()));
    return times;
  }

  private static void nothingIsLeftOpen() throws Exception {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      assertThat(files.filter(KernelEventsTest::isOurs)).isEmpty();
    }
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().equals("kvm-tracepoints"));
  }

  private static boolean isOurs(Path descriptor) {
    try {
      String target = Files.readSymbolicLink(descriptor).toString();
      return target.matches("anon_inode:.*(perf_event|kvm).*|/dev/kvm");
    } catch (java.io.IOException e) {
      return false; // closed in between
    }
  }

  @Test
  void whatIsReadAndWhatTheGapsSayAddUpToWhatTheKernelCounted() {
    // Each interpreted instruction, or where there is no interpreter each exit: more than fits.
    Set<KvmTracepoint> many =
        Set.of(KvmTracepoint.EMULATE, KvmTracepoint.EXIT, KvmTracepoint.USERSPACE_EXIT);
    run(Guests.EXITS, "", many, 64 << 10);
    long read =
        counters.entrySet().stream()
            .filter(e -> e.getKey().startsWith("tracepoint-read"))
            .mapToLong(Map.Entry::getValue)
            .sum();
    long hit =
        counters.entrySet().stream()
            .filter(e -> e.getKey().startsWith("tracepoint "))
            .mapToLong(Map.Entry::getValue)
            .sum();
    long[] lost = new long[1];
    exits.forEach(event -> lost[0] += event.type() == EventType.GAP ? event.get(Field.LOST) : 0);
    assertThat(read + lost[0]).isEqualTo(hit);
  }

  @Test
  void faultsOnMemoryAndTheKernelsEventsAreOneStreamInTheOrderOfTime() {
    MemoryOptions faults =
        new MemoryOptions(true, MemoryOptions.Dirty.NONE, false, MemoryOptions.Pages.DEFAULT);
    run(Guests.EXITS, "", EventSelection.DEFAULT.tracepoints(), 1 << 20, faults);
    assertThat(hits("kvm_pio")).isEqualTo(count(EventType.PIO));
    assertThat(count(EventType.EPT_FAULT)).isGreaterThan(100);
    assertThat(times()).isSorted();
  }

  @Test
  void aGuestThatStaysInTheKernelDoesNotOverflowTheRing() {
    run(Guests.SPIN, "quiet count=20000", EventSelection.DEFAULT.tracepoints(), 64 << 10);
    assertThat(count(EventType.GAP)).isZero();
    assertThat(count(EventType.PIO)).isEqualTo(20_001);
    assertThat(hits("kvm_pio")).isEqualTo(20_001);
  }
}
