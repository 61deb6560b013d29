package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.analyzer.tally.Site;
import io.trapscope.analyzer.tally.Sums;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** {@code ept_faults}: EPT faults by region, access and page sizes. */
final class EptFaults {
  private static final TableSchema SCHEMA =
      new TableSchema(
          "ept_faults",
          "EPT faults by region and access",
          "the EPT faults of one kind of access to one memory region, pages of one size",
          List.of(
              Column.text("region", Field.REGION.meaning()),
              Column.text("access", Field.ACCESS.meaning()),
              MemoryTranslationReport.pageSize(
                  "guest_page_size", "page size of the guest's own tables at the GVA"),
              MemoryTranslationReport.pageSize("ept_page_size", "page size of the EPT at the GPA"),
              Column.count("count", "number of faults"),
              Column.count("first_touches", "those on a page that nothing had touched before"),
              Column.count("again", "those on a page that had been touched before"),
              Column.duration("handling_ns", "time of handling these faults"),
              Column.of(
                  "first_time", ColumnType.TIMESTAMP, Unit.NANOSECONDS, "time of the first one"),
              Column.of(
                  "last_time", ColumnType.TIMESTAMP, Unit.NANOSECONDS, "time of the last one")));

  /** What a row stands for; {@link Site#NONE} where it was not captured. */
  private record Key(int region, int access, int guestPage, int eptPage) {}

  private static final class Faults {
    Sums sums = Sums.ZERO;
    long firstTouches;
    long again;

    void add(Site site) {
      sums = sums.plus(site.sums());
      if (site.firstTouch() == 1) {
        firstTouches += site.sums().count();
      } else if (site.firstTouch() == 0) {
        again += site.sums().count();
      }
    }
  }

  private EptFaults() {}

  static Table table(Findings found) {
    Map<Key, Faults> faults = new HashMap<>();
    for (Site site : found.tally().sites().sites()) {
      if (site.type() == EventType.EPT_FAULT) {
        int guestPage = logarithm(site.guestPage());
        Key key = new Key(site.region(), site.faultAccess(), guestPage, logarithm(site.eptPage()));
        faults.computeIfAbsent(key, absent -> new Faults()).add(site);
      }
    }
    List<Key> keys = new ArrayList<>(faults.keySet());
    keys.sort(
        Comparator.comparingLong((Key key) -> -faults.get(key).sums.count())
            .thenComparing(Key::region, Integer::compareUnsigned)
            .thenComparing(Key::access, Integer::compareUnsigned)
            .thenComparing(Key::guestPage, Integer::compareUnsigned)
            .thenComparing(Key::eptPage, Integer::compareUnsigned));
    Table.Builder table = Table.builder(SCHEMA);
    keys.forEach(key -> appendRow(table, key, faults.get(key), found.facts()));
    return table.build();
  }

  /** A damaged trace has some that can be none: those were not captured. */
  private static int logarithm(int page) {
    return page < Long.SIZE ? page : Site.NONE;
  }

  private static void appendRow(Table.Builder table, Key key, Faults faults, TraceFacts facts) {
    if (key.region != Site.NONE) {
      table.text(0, facts.region(key.region));
    }
    if (key.access != Site.NONE) {
      table.text(1, Field.ACCESS.render(key.access));
    }
    if (key.guestPage != Site.NONE) {
      table.number(2, 1L << key.guestPage);
    }
    if (key.eptPage != Site.NONE) {
      table.number(3, 1L << key.eptPage);
    }
    table.number(4, faults.sums.count());
    if (faults.firstTouches + faults.again > 0) {
      table.number(5, faults.firstTouches);
      table.number(6, faults.again);
    }
    faults.sums.handling().ifPresent(nanos -> table.number(7, nanos));
    table.number(8, faults.sums.first() + facts.wallClockOffset());
    table.number(9, faults.sums.last() + facts.wallClockOffset());
    table.endRow();
  }
}
