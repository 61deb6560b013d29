package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * {@code coverage}: what was recorded of each kind of exit beside what the host's own counters say
 * there was. Only of a trace that has such counters.
 */
public final class CoverageReport implements Report {
  private static final TableSchema SCHEMA =
      new TableSchema(
          "coverage",
          "Recorded and counted",
          "a kind of exit or event that the host counts too",
          List.of(
              Column.text("kind", "what was counted"),
              Column.count("recorded", "events of that kind in the trace"),
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
  public Set<EventType> needs() {
    return Set.of(EventType.values());
  }

  @Override
  public Optional<Accumulator> accumulator(TraceFacts facts) {
    return facts.counters().isEmpty() ? Optional.empty() : Optional.of(new Tally(facts.counters()));
  }

  @Override
  public Optional<EventRows> rows(TraceFacts facts) {
    return Optional.empty();
  }

  private static final class Tally implements Accumulator {
    private final List<Counter> counters;
    private final long[] byType = new long[EventType.values().length];
    private final long[] byReason = new long[ExitEvents.REASONS];

    Tally(List<Counter> counters) {
      this.counters = counters;
    }

    @Override
    public void accept(EventReader event) {
      byType[event.type().ordinal()]++;
      int reason = event.reasonCode();
      if (reason >= 0) {
        byReason[reason]++;
      }
    }

    @Override
    public void merge(Accumulator other) {
      Tally from = (Tally) other;
      for (int i = 0; i < byType.length; i++) {
        byType[i] += from.byType[i];
      }
      for (int i = 0; i < byReason.length; i++) {
        byReason[i] += from.byReason[i];
      }
    }

    private long recorded(Kind kind) {
      if (kind.type != null) {
        return byType[kind.type.ordinal()];
      }
      if (kind.reason != null) {
        return byReason[kind.reason.code()];
      }
      long all = 0;
      for (long count : byReason) {
        all += count;
      }
      return all;
    }

    /** What all counters of this name have gained; a vCPU has one each. */
    private long counted(String name) {
      return counters.stream()
          .filter(counter -> counter.name().equals(name))
          .mapToLong(Counter::total)
          .sum();
    }

    @Override
    public List<Table> tables() {
      Table.Builder table = Table.builder(SCHEMA);
      for (Kind kind : KINDS) {
        long recorded = recorded(kind);
        long counted = counted(kind.counter);
        if (recorded > 0 || counted > 0) {
          table.text(0, kind.name);
          table.number(1, recorded);
          table.text(2, kind.counter);
          table.number(3, counted);
          if (counted > 0) {
            table.real(4, (double) recorded / counted);
          }
          table.endRow();
        }
      }
      return List.of(table.build());
    }
  }
}
