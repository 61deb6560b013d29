package io.trapscope.analyzer.report;

import io.trapscope.analyzer.platform.Role;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.tally.RunRows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** {@code combinable_accesses}: sequences of accesses that could be fewer. */
final class CombinableAccesses {
  private static final int KIND = 4;

  private static final TableSchema SCHEMA =
      new TableSchema(
          "combinable_accesses",
          "Sequences that could be fewer accesses",
          "the sequences of one kind at one register from one place",
          columns());

  private CombinableAccesses() {}

  private static List<Column> columns() {
    List<Column> columns = new ArrayList<>(RegisterColumns.FIRST);
    columns.add(
        Column.words(
            "kind",
            Arrays.stream(RunRows.Kind.values()).map(Enum::name).toList(),
            "PAIR: an index register written, then its data register accessed, where memory-mapped"
                + " registers take one access; STRING: a register accessed item by item, where one"
                + " string instruction would do; ASCENDING: neighbouring addresses, where wider"
                + " accesses would do"));
    columns.add(RegisterColumns.DIRECTION);
    columns.add(RegisterColumns.LOCATION);
    columns.add(Column.count("sequences", "number of sequences"));
    columns.add(Column.count("accesses", "accesses in all of them"));
    columns.add(Column.count("could_be", "accesses that would do"));
    columns.add(Column.duration("handling_ns", "time of handling the accesses"));
    columns.add(
        Column.duration(
            "saved_ns", "the part of it that fewer accesses would save, if all cost the same"));
    return columns;
  }

  /** The table's first rows, those that would save most first. */
  static Table table(Findings found, int most) {
    List<RunRows.Row> rows =
        new ArrayList<>(
            found.tally().accesses().runs().list().stream()
                .filter(row -> row.kind() != RunRows.Kind.POLL)
                .filter(row -> canCombine(row, found))
                .toList());
    rows.sort(
        Comparator.comparingLong((RunRows.Row row) -> -saved(row))
            .thenComparing(RunRows.Row::kind)
            .thenComparing(RunRows.Row::type)
            .thenComparingLong(RunRows.Row::number)
            .thenComparingLong(RunRows.Row::rip)
            .thenComparingInt(RunRows.Row::size)
            .thenComparing(RunRows.Row::write));
    Table.Builder table = Table.builder(SCHEMA);
    for (RunRows.Row row : rows.subList(0, Math.min(most, rows.size()))) {
      RegisterColumns.set(table, row.type(), row.number(), row.index(), row.size(), found.facts());
      table.number(KIND, row.kind().ordinal());
      table.text(KIND + 1, row.write() ? "WRITE" : "READ");
      if (row.hasRip()) {
        table.text(KIND + 2, RegisterColumns.location(row.rip(), found.facts()));
      }
      table.number(KIND + 3, row.count());
      table.number(KIND + 4, row.accesses());
      table.number(KIND + 5, row.couldBe());
      table.number(KIND + 6, row.handling());
      table.number(KIND + 7, saved(row));
      table.endRow();
    }
    PollLoops.noteRest(table, rows.size() - most, found.tally().accesses().runs().oneOf());
    return table.build();
  }

  private static long saved(RunRows.Row row) {
    double part = (double) (row.accesses() - row.couldBe()) / row.accesses();
    return Math.round(row.handling() * part);
  }

  /** A command is given each time for its own sake, and a status is looked at anew. */
  private static boolean canCombine(RunRows.Row row, Findings found) {
    Role role = found.facts().platform().role(row.type(), row.number());
    return switch (role) {
      case DATA, STATE, UNKNOWN -> true;
      case STATUS, COMMAND, INDEX, DELAY -> row.kind() == RunRows.Kind.PAIR;
    };
  }
}
