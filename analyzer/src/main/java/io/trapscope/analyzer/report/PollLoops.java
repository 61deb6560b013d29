package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.analyzer.tally.Accesses;
import io.trapscope.analyzer.tally.RunRows;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** {@code poll_loops}: registers that are read again and again, unchanged. */
final class PollLoops {
  private static final int COUNT = 5;

  private static final TableSchema SCHEMA =
      new TableSchema("poll_loops", "Poll loops", meaning(), columns());

  private PollLoops() {}

  private static String meaning() {
    return "the loops that read one register from one place, "
        + Accesses.SHORTEST_RUN
        + " times or more in a row with the same value and no other access between";
  }

  private static List<Column> columns() {
    List<Column> columns = new ArrayList<>(RegisterColumns.FIRST);
    columns.add(RegisterColumns.LOCATION);
    columns.add(Column.count("loops", "number of loops"));
    columns.add(Column.count("reads", "reads in all of them"));
    columns.add(Column.count("longest", "reads of the longest one"));
    columns.add(
        Column.duration("elapsed", "from the first read of each loop to the end of its last"));
    columns.add(Column.duration("longest_elapsed", "the same of the loop that took longest"));
    columns.add(Column.duration("handling_ns", "time of handling the reads: their cost"));
    columns.add(Column.duration("guest_ns", "guest time between the reads"));
    columns.add(
        Column.count("changed", "loops that ended because the next read found another value"));
    columns.add(
        Column.of(
            "value", ColumnType.UINT64, Unit.BITS, "what the last loop read, but for its end"));
    return columns;
  }

  /** The table's first rows, those that took longest first. */
  static Table table(Findings found, int most) {
    List<RunRows.Row> rows =
        new ArrayList<>(
            found.tally().accesses().runs().list().stream()
                .filter(row -> row.kind() == RunRows.Kind.POLL)
                .toList());
    rows.sort(
        Comparator.comparingLong((RunRows.Row row) -> -row.elapsed())
            .thenComparingLong(RunRows.Row::number)
            .thenComparingLong(RunRows.Row::index)
            .thenComparingLong(RunRows.Row::rip)
            .thenComparing(RunRows.Row::type)
            .thenComparingInt(RunRows.Row::size));
    Table.Builder table = Table.builder(SCHEMA);
    for (RunRows.Row row : rows.subList(0, Math.min(most, rows.size()))) {
      RegisterColumns.set(table, row.type(), row.number(), row.index(), row.size(), found.facts());
      if (row.hasRip()) {
        table.text(COUNT - 1, RegisterColumns.location(row.rip(), found.facts()));
      }
      table.number(COUNT, row.count());
      table.number(COUNT + 1, row.accesses());
      table.number(COUNT + 2, row.longest());
      table.number(COUNT + 3, row.elapsed());
      table.number(COUNT + 4, row.longestElapsed());
      table.number(COUNT + 5, row.handling());
      table.number(COUNT + 6, row.guest());
      table.number(COUNT + 7, row.changed());
      table.number(COUNT + 8, row.value());
      table.endRow();
    }
    noteRest(table, rows.size() - most, found.tally().accesses().runs().oneOf());
    return table.build();
  }

  /** Says what a table does not show. */
  static void noteRest(Table.Builder table, int left, int oneOf) {
    if (left > 0) {
      table.note(String.format(Locale.ROOT, "%,d rows more", left));
    }
    if (oneOf > 1) {
      table.note("a sample: of " + oneOf + " registers, one is here");
    }
  }
}
