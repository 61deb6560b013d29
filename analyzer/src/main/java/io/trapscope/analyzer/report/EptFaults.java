package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.Field;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code ept_faults}: EPT faults by region, access and page sizes. Bounded by the regions of the
 * machine: accesses and page sizes are a handful.
 */
final class EptFaults implements Accumulator {
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
              Column.duration("handling_ns", "loop, dispatch and device time of these faults"),
              Column.of(
                  "first_time", ColumnType.TIMESTAMP, Unit.NANOSECONDS, "time of the first one"),
              Column.of(
                  "last_time", ColumnType.TIMESTAMP, Unit.NANOSECONDS, "time of the last one")));

  private static final long NONE = 0xffff;

  /** What a row stands for; NONE where it was not captured. */
  private record Key(long region, long access, long guestPage, long eptPage) {}

  private static final class Sums {
    long count;
    long firstTouch;
    long again;
    long handling;
    long handlingCaptured;
    long firstTime = Long.MAX_VALUE;
    long lastTime = Long.MIN_VALUE;

    void merge(Sums other) {
      count += other.count;
      firstTouch += other.firstTouch;
      again += other.again;
      handling += other.handling;
      handlingCaptured += other.handlingCaptured;
      firstTime = Math.min(firstTime, other.firstTime);
      lastTime = Math.max(lastTime, other.lastTime);
    }
  }

  private final TraceFacts facts;
  private final Map<Key, Sums> faults = new HashMap<>();

  EptFaults(TraceFacts facts) {
    this.facts = facts;
  }

  @Override
  public void accept(EventReader event) {
    Key key =
        new Key(
            event.get(Field.REGION, NONE),
            event.get(Field.ACCESS, NONE),
            event.get(Field.GUEST_PAGE, NONE),
            event.get(Field.EPT_PAGE, NONE));
    Sums sums = faults.computeIfAbsent(key, absent -> new Sums());
    sums.count++;
    if (event.has(Field.FIRST_TOUCH)) {
      if (event.get(Field.FIRST_TOUCH) != 0) {
        sums.firstTouch++;
      } else {
        sums.again++;
      }
    }
    for (Field stage : ExitEvents.HANDLING) {
      long nanos = ExitEvents.duration(event, stage);
      if (nanos >= 0) {
        sums.handling += nanos;
        sums.handlingCaptured++;
      }
    }
    sums.firstTime = Math.min(sums.firstTime, event.time());
    sums.lastTime = Math.max(sums.lastTime, event.time());
  }

  @Override
  public void merge(Accumulator other) {
    ((EptFaults) other)
        .faults.forEach(
            (key, sums) -> faults.computeIfAbsent(key, absent -> new Sums()).merge(sums));
  }

  @Override
  public List<Table> tables() {
    List<Key> keys = new ArrayList<>(faults.keySet());
    keys.sort(
        Comparator.comparingLong((Key key) -> -faults.get(key).count)
            .thenComparingLong(Key::region)
            .thenComparingLong(Key::access)
            .thenComparingLong(Key::guestPage)
            .thenComparingLong(Key::eptPage));
    Table.Builder table = Table.builder(SCHEMA);
    keys.forEach(key -> appendRow(table, key, faults.get(key)));
    return List.of(table.build());
  }

  private void appendRow(Table.Builder table, Key key, Sums sums) {
    if (key.region != NONE) {
      table.text(0, facts.region((int) key.region));
    }
    if (key.access != NONE) {
      table.text(1, Field.ACCESS.render(key.access));
    }
    if (key.guestPage != NONE) {
      table.number(2, 1L << key.guestPage);
    }
    if (key.eptPage != NONE) {
      table.number(3, 1L << key.eptPage);
    }
    table.number(4, sums.count);
    if (sums.firstTouch + sums.again > 0) {
      table.number(5, sums.firstTouch);
      table.number(6, sums.again);
    }
    if (sums.handlingCaptured > 0) {
      table.number(7, sums.handling);
    }
    table.number(8, sums.firstTime + facts.wallClockOffset());
    table.number(9, sums.lastTime + facts.wallClockOffset());
    table.endRow();
  }
}
