package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.analyzer.tally.Part;
import io.trapscope.analyzer.tally.Tally;
import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * {@code coverage}: what was recorded of each kind of exit beside what the host's own counters say
 * there was. Only of a trace that has such counters.
 */
public final class CoverageReport implements Report {
  /** {@link Counter#of} of a tracepoint's hits, and of the records that were read of them. */
  private static final String TRACEPOINT = "tracepoint";

  private static final String TRACEPOINT_READ = "tracepoint-read";

  private static final TableSchema SCHEMA =
      new TableSchema(
          "coverage",
          "Recorded and counted",
          "a kind of exit or event that the host counts too",
          List.of(
              Column.text("kind", "what was counted"),
              Column.count("recorded", "events of that kind in the trace, or records read"),
              Column.text("counter", "the host's counter, as it names it"),
              Column.count("counted", "what that counter gained from the run's begin to its end"),
              Column.of(
                  "share",
                  ColumnType.FLOAT64,
                  Unit.RATIO,
                  "recorded divided by counted; null where this host does not keep the counter,"
                      + " which then shows 0")));

  /**
   * A kind with its counter. The counters are those of KVM's that one event of ours stands for each
   * (arch/x86/kvm/x86.c, vcpu stats).
   *
   * @param type events of this type; null for any
   * @param reason exits for this reason; null for any
   */
  private record Kind(String name, String counter, EventType type, ExitReason reason) {
    static Kind of(String name, String counter, EventType type) {
      return new Kind(name, counter, type, null);
    }

    static Kind of(String name, String counter, ExitReason reason) {
      return new Kind(name, counter, null, reason);
    }
  }

  private static final List<Kind> KINDS =
      List.of(
          new Kind("all exits", "exits", null, null),
          Kind.of("port I/O", "io_exits", EventType.PIO),
          Kind.of("memory-mapped I/O", "mmio_exits", EventType.MMIO),
          Kind.of("page fault", "pf_taken", EventType.EPT_FAULT),
          Kind.of("hypercall", "hypercalls", EventType.HYPERCALL),
          Kind.of("halt", "halt_exits", EventType.HLT),
          Kind.of("external interrupt", "irq_exits", ExitReason.EXTERNAL_INTERRUPT),
          Kind.of("interrupt window", "irq_window_exits", ExitReason.INTERRUPT_WINDOW),
          Kind.of("NMI window", "nmi_window_exits", ExitReason.NMI_WINDOW),
          Kind.of("interrupt injection", "irq_injections", EventType.INJECTION));

  @Override
  public String name() {
    return "coverage";
  }

  @Override
  public String meaning() {
    return "events recorded beside what the host's own counters say there were";
  }

  @Override
  public Set<Part> needs() {
    return EnumSet.of(Part.SITES, Part.OTHERS);
  }

  @Override
  public List<Table> tables(Findings found) {
    List<Counter> counters = found.facts().counters();
    if (counters.isEmpty()) {
      return List.of();
    }
    Table.Builder table = Table.builder(SCHEMA);
    for (Kind kind : KINDS) {
      List<Counter> its =
          counters.stream().filter(counter -> counter.name().equals(kind.counter)).toList();
      // KVM's counters of another VMM's guest cannot be read.
      if (!its.isEmpty()) {
        long counted = its.stream().mapToLong(Counter::total).sum(); // a vCPU has one each
        row(table, kind.name, recorded(kind, found.tally()), kind.counter, counted);
      }
    }
    for (Counter counter : counters) {
      if (counter.of().equals(TRACEPOINT)) {
        long read =
            counters.stream()
                .filter(other -> other.of().equals(TRACEPOINT_READ))
                .filter(other -> other.name().equals(counter.name()))
                .mapToLong(Counter::total)
                .sum();
        row(table, "record of " + counter.name(), read, "its hits", counter.total());
      }
    }
    return List.of(table.build());
  }

  private static void row(
      Table.Builder table, String kind, long recorded, String counter, long counted) {
    if (recorded > 0 || counted > 0) {
      table.text(0, kind);
      table.number(1, recorded);
      table.text(2, counter);
      table.number(3, counted);
      if (counted > 0) {
        table.real(4, (double) recorded / counted);
      }
      table.endRow();
    }
  }

  private static long recorded(Kind kind, Tally tally) {
    long exits =
        tally.sites().sites().stream()
            .filter(site -> kind.type == null || site.type() == kind.type)
            .filter(site -> kind.reason == null || site.reason() == kind.reason.code())
            .mapToLong(site -> site.sums().count())
            .sum();
    return exits + (kind.type == null ? 0 : tally.others().count(kind.type));
  }
}
