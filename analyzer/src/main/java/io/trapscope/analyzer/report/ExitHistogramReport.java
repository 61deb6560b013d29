package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** {@code exit_histogram}: how many exits of each reason, and the time around them. */
public final class ExitHistogramReport implements Report {
  private static final TableSchema SCHEMA =
      new TableSchema(
          "exit_histogram",
          "Exits by reason",
          "the exits of one reason on one vCPU",
          List.of(
              ExitEvents.REASON,
              ExitEvents.SDM_REASON,
              ExitEvents.VCPU,
              Column.count("count", "number of exits"),
              Column.of(
                  "share",
                  ColumnType.FLOAT64,
                  Unit.RATIO,
                  "part of all exits of the trace, 0 to 1"),
              Column.duration(
                  "guest_ns", "guest time before these exits, added up: VM entry to exit"),
              Column.duration(
                  "handling_ns",
                  "time from these exits to the end of their handling, added up: loop, dispatch"
                      + " and device")));

  @Override
  public String name() {
    return "exit_histogram";
  }

  @Override
  public String meaning() {
    return "exits by reason: count, share, guest time, handling time";
  }

  @Override
  public Set<EventType> needs() {
    return ExitEvents.TYPES;
  }

  @Override
  public Optional<Accumulator> accumulator(TraceFacts facts) {
    return Optional.of(new Counts());
  }

  @Override
  public Optional<EventRows> rows(TraceFacts facts) {
    return Optional.empty();
  }

  /** Counts and time sums of one reason; a sum is null in the table if nothing was captured. */
  private static final class Bin {
    long count;
    long guest;
    long guestCaptured;
    long handling;
    long handlingCaptured;

    static void merge(Bin into, Bin from) {
      into.count += from.count;
      into.guest += from.guest;
      into.guestCaptured += from.guestCaptured;
      into.handling += from.handling;
      into.handlingCaptured += from.handlingCaptured;
    }
  }

  private static final class Counts implements Accumulator {
    private final ExitTally<Bin> bins = new ExitTally<>(Bin::new);

    @Override
    public void accept(EventReader event) {
      int reason = event.reasonCode();
      if (reason < 0) {
        return;
      }
      Bin bin = bins.at(event.vcpu(), reason);
      bin.count++;
      long guest = ExitEvents.duration(event, Field.GUEST_TIME);
      if (guest >= 0) {
        bin.guest += guest;
        bin.guestCaptured++;
      }
      for (Field stage : ExitEvents.HANDLING) {
        long nanos = ExitEvents.duration(event, stage);
        if (nanos >= 0) {
          bin.handling += nanos;
          bin.handlingCaptured++;
        }
      }
    }

    @Override
    public void merge(Accumulator other) {
      bins.merge(((Counts) other).bins, Bin::merge);
    }

    @Override
    public List<Table> tables() {
      return List.of(table(bins, true));
    }

    @Override
    public List<Table> summary() {
      return List.of(table(bins.overVcpus(Bin::merge), false));
    }

    private static Table table(ExitTally<Bin> bins, boolean byVcpu) {
      List<ExitTally.Entry<Bin>> entries = new ArrayList<>(bins.entries());
      long all = entries.stream().mapToLong(entry -> entry.value().count).sum();
      entries.sort(
          Comparator.comparingLong((ExitTally.Entry<Bin> entry) -> -entry.value().count)
              .thenComparingInt(ExitTally.Entry::reason)
              .thenComparingInt(ExitTally.Entry::vcpu));
      Table.Builder table = Table.builder(SCHEMA);
      for (ExitTally.Entry<Bin> entry : entries) {
        Bin bin = entry.value();
        ExitEvents.setReason(table, entry.reason());
        if (byVcpu) {
          table.number(2, entry.vcpu());
        }
        table.number(3, bin.count);
        table.real(4, (double) bin.count / all);
        if (bin.guestCaptured > 0) {
          table.number(5, bin.guest);
        }
        if (bin.handlingCaptured > 0) {
          table.number(6, bin.handling);
        }
        table.endRow();
      }
      return table.build();
    }
  }
}
