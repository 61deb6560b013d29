package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.analyzer.tally.Part;
import io.trapscope.analyzer.tally.Site;
import io.trapscope.analyzer.tally.Stage;
import io.trapscope.analyzer.tally.Sums;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
                  "time of handling these exits, added up: all stages but the guest's")));

  @Override
  public String name() {
    return "exit_histogram";
  }

  @Override
  public String meaning() {
    return "exits by reason: count, share, guest time, handling time";
  }

  @Override
  public Set<Part> needs() {
    return EnumSet.of(Part.SITES);
  }

  /** Exits of one reason on one vCPU. */
  private record Key(int reason, int vcpu) {}

  @Override
  public List<Table> tables(Findings found) {
    return List.of(table(found, true));
  }

  @Override
  public List<Table> summary(Findings found) {
    return List.of(table(found, false));
  }

  private static Table table(Findings found, boolean byVcpu) {
    Map<Key, Sums> bins = new HashMap<>();
    long all = 0;
    for (Site site : found.tally().sites().sites()) {
      bins.merge(new Key(site.reason(), byVcpu ? site.vcpu() : 0), site.sums(), Sums::plus);
      all += site.sums().count();
    }
    List<Key> keys = new ArrayList<>(bins.keySet());
    keys.sort(
        Comparator.comparingLong((Key key) -> -bins.get(key).count())
            .thenComparingInt(Key::reason)
            .thenComparingInt(Key::vcpu));
    Table.Builder table = Table.builder(SCHEMA);
    for (Key key : keys) {
      Sums sums = bins.get(key);
      ExitEvents.setReason(table, key.reason);
      if (byVcpu) {
        ExitEvents.setVcpu(table, key.vcpu);
      }
      table.number(3, sums.count());
      table.real(4, (double) sums.count() / all);
      sums.time(Stage.GUEST).ifPresent(nanos -> table.number(5, nanos));
      sums.handling().ifPresent(nanos -> table.number(6, nanos));
      table.endRow();
    }
    return table.build();
  }
}
