package io.trapscope.analyzer.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableText;
import io.trapscope.analyzer.tally.SpanReader;
import io.trapscope.analyzer.tally.Tallies;
import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CoverageReportTest {
  private final MemoryTrace trace = new MemoryTrace(2);

  private void add(int vcpu, EventType type, ExitReason reason) {
    trace.add(
        vcpu,
        type,
        event -> {
          event.put(Field.TIME, 1);
          if (reason != null) {
            event.put(Field.REASON, reason.code());
          }
        });
  }

  private Findings found(TraceFacts facts) {
    return new Findings(Tallies.of(trace), facts, new SpanReader(trace), Map.of());
  }

  @Test
  void eachKindIsSetBesideTheHostsCounter() {
    add(0, EventType.PIO, ExitReason.IO_INSTRUCTION);
    add(1, EventType.PIO, ExitReason.IO_INSTRUCTION);
    add(1, EventType.MMIO, ExitReason.MMIO);
    add(0, EventType.EXIT, ExitReason.INTERRUPT_WINDOW);
    add(0, EventType.INJECTION, null);
    add(0, EventType.HYPERCALL, ExitReason.VMCALL);
    add(0, EventType.EPT_FAULT, ExitReason.EPT_VIOLATION); // this host has no counter for it
    List<Counter> counters =
        List.of(
            Counter.count("vm", "pages_4k", 77),
            Counter.count("vcpu-0", "exits", 5),
            Counter.count("vcpu-1", "exits", 3),
            Counter.count("vcpu-0", "io_exits", 0),
            Counter.count("vcpu-0", "mmio_exits", 0),
            Counter.count("vcpu-1", "mmio_exits", 2),
            Counter.count("vcpu-0", "irq_window_exits", 1),
            Counter.count("vcpu-0", "halt_exits", 0),
            Counter.count("vcpu-1", "hypercalls", 4),
            Counter.count("vcpu-0", "irq_injections", 1),
            Counter.count("tracepoint", "kvm_pio", 200),
            Counter.count("tracepoint-read", "kvm_pio", 199),
            Counter.count("tracepoint", "kvm_msr", 0),
            Counter.count("tracepoint-read", "kvm_msr", 0));
    TraceFacts facts = TraceFacts.of(trace).withCounters(counters);
    Table table = new CoverageReport().tables(found(facts)).get(0);
    assertThat(new TableText(0, 0).render(table).lines().map(String::strip))
        .containsExactly(
            "Recorded and counted",
            "kind                 recorded  counter           counted    share",
            "all exits                   6  exits                   8   75.0 %",
            "port I/O                    2  io_exits                0",
            "memory-mapped I/O           1  mmio_exits              2   50.0 %",
            "hypercall                   1  hypercalls              4   25.0 %",
            "interrupt window            1  irq_window_exits        1  100.0 %",
            "interrupt injection         1  irq_injections          1  100.0 %",
            "record of kvm_pio         199  its hits              200   99.5 %");
  }

  @Test
  void aTraceWithoutCountersHasNoSuchTable() {
    assertThat(new CoverageReport().tables(found(TraceFacts.of(trace)))).isEmpty();
  }
}
