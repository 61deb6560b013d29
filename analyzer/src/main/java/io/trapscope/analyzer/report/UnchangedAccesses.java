package io.trapscope.analyzer.report;

import io.trapscope.analyzer.platform.Role;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.analyzer.tally.Registers;
import io.trapscope.analyzer.tally.Site;
import io.trapscope.recorder.event.EventType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code unchanged_accesses}: registers that are read although their value is known, or written
 * with what they hold.
 */
final class UnchangedAccesses {
  private static final int COUNT = 6;

  private static final TableSchema SCHEMA =
      new TableSchema(
          "unchanged_accesses",
          "Accesses that change nothing",
          "the accesses to one register in one direction, some of them with the value that this"
              + " vCPU's access before it had",
          columns());

  /** What an unchanged access means, by what accesses to the register do. */
  private enum Verdict {
    REDUNDANT,
    POLLED,
    ACTS,
    UNKNOWN;

    static Verdict of(boolean write, Role role) {
      return switch (role) {
        case STATE, INDEX -> REDUNDANT;
        case STATUS -> write ? ACTS : POLLED;
        case COMMAND -> write ? ACTS : POLLED;
        case DATA, DELAY -> ACTS;
        case UNKNOWN -> UNKNOWN;
      };
    }

    /** Whether people are shown it: to act is what such registers are for. */
    boolean isFinding() {
      return this != ACTS;
    }
  }

  private UnchangedAccesses() {}

  private static List<Column> columns() {
    List<Column> columns = new ArrayList<>(RegisterColumns.FIRST);
    columns.add(RegisterColumns.DIRECTION);
    columns.add(
        Column.text(
            "verdict",
            "REDUNDANT: the register holds what was written; POLLED: it changes by itself; ACTS:"
                + " every access does something; UNKNOWN: nobody has said"));
    columns.add(Column.count("count", "number of accesses"));
    columns.add(Column.count("unchanged", "those with the value of the access before"));
    columns.add(Column.of("share", ColumnType.FLOAT64, Unit.RATIO, "unchanged through count"));
    columns.add(Column.duration("handling_ns", "time of handling all accesses"));
    columns.add(Column.duration("unchanged_ns", "time of handling the unchanged ones: their cost"));
    columns.add(Column.text("location", "place in the guest with most accesses of this kind"));
    return columns;
  }

  private record Key(EventType type, long number, long index, int size, boolean write) {}

  private static final class Sums {
    long count;
    long nanos;
    long unchanged;
    long unchangedNanos;

    void add(Registers.Row row) {
      count += row.count();
      nanos += row.nanos();
      unchanged += row.unchanged();
      unchangedNanos += row.unchangedNanos();
    }
  }

  /** The table's first rows, the most costly first; for people only what can be a finding. */
  static Table table(Findings found, int most) {
    Registers registers = found.tally().accesses().registers();
    Map<Key, Sums> sums = new HashMap<>();
    for (Registers.Row row : registers.list()) {
      Key key = new Key(row.type(), row.number(), row.index(), row.size(), row.write());
      sums.computeIfAbsent(key, absent -> new Sums()).add(row);
    }
    List<Key> keys = new ArrayList<>(sums.keySet());
    keys.removeIf(
        key ->
            sums.get(key).unchanged == 0
                || most < Integer.MAX_VALUE && !verdict(key, found).isFinding());
    keys.sort(
        Comparator.comparingLong((Key key) -> -sums.get(key).unchangedNanos)
            .thenComparing(Key::type)
            .thenComparingLong(Key::number)
            .thenComparingLong(Key::index)
            .thenComparingInt(Key::size)
            .thenComparing(Key::write));
    Map<Key, Busy> places = places(found.tally().sites().sites());
    Table.Builder table = Table.builder(SCHEMA);
    for (Key key : keys.subList(0, Math.min(most, keys.size()))) {
      RegisterColumns.set(table, key.type, key.number, key.index, key.size, found.facts());
      append(table, key, sums.get(key), verdict(key, found));
      Busy place = places.get(new Key(key.type, key.number, 0, key.size, key.write));
      if (place != null) {
        table.text(COUNT + 5, RegisterColumns.location(place.rip, found.facts()));
      }
      table.endRow();
    }
    PollLoops.noteRest(table, keys.size() - most, registers.oneOf());
    return table.build();
  }

  private static Verdict verdict(Key key, Findings found) {
    return Verdict.of(key.write, found.facts().platform().role(key.type, key.number));
  }

  private static void append(Table.Builder table, Key key, Sums sums, Verdict verdict) {
    table.text(COUNT - 2, key.write ? "WRITE" : "READ");
    table.text(COUNT - 1, verdict.name());
    table.number(COUNT, sums.count);
    table.number(COUNT + 1, sums.unchanged);
    table.real(COUNT + 2, (double) sums.unchanged / sums.count);
    table.number(COUNT + 3, sums.nanos);
    table.number(COUNT + 4, sums.unchangedNanos);
  }

  /** Of a place in the guest, the accesses to one register from there. */
  private record Busy(long rip, long count) {
    /** The busier one; of two alike that with the lower address. */
    static Busy busier(Busy a, Busy b) {
      int order = Long.compare(a.count, b.count);
      return order > 0 || order == 0 && Long.compareUnsigned(a.rip, b.rip) < 0 ? a : b;
    }
  }

  private record KeyAt(Key key, long rip) {}

  /** For each register and direction the place with most accesses, of all vCPUs and modes. */
  private static Map<Key, Busy> places(List<Site> sites) {
    Map<KeyAt, Long> counts = new HashMap<>();
    for (Site site : sites) {
      if (site.hasRip() && site.hasRegister() && site.direction() != 0) {
        boolean write = site.direction() == 2;
        int size = Math.max(0, site.size());
        Key key = new Key(site.type(), site.register(), 0, size, write);
        counts.merge(new KeyAt(key, site.rip()), site.sums().count(), Long::sum);
      }
    }
    Map<Key, Busy> places = new HashMap<>();
    counts.forEach((at, count) -> places.merge(at.key, new Busy(at.rip, count), Busy::busier));
    return places;
  }
}
