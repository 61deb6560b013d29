package io.trapscope.analyzer.compare;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/**
 * One table of a comparison: a row a key that any recording has, with the change of each measure.
 * The rows that cost most on either side come first.
 */
final class Comparison {
  private static final double SIGNIFICANT = 0.05;

  /** What became of a number. */
  enum Verdict {
    /** No interval: one recording a side. */
    UNKNOWN,
    /** The change may be chance. */
    SAME,
    MORE,
    LESS,
    /** Only the second side has it. */
    NEW,
    /** Only the first side has it. */
    GONE
  }

  private final String name;
  private final String title;

  /** The columns of the key, as the tables of one trace have them. */
  private final List<Column> keys;

  private final List<Sums> before;
  private final List<Sums> after;
  private final boolean deterministic;

  /**
   * A comparison of tables by key.
   *
   * @param name the table's name, after {@code compare_}
   * @param keys names of the columns of the key
   * @param deterministic whether counts cannot differ between runs of one side
   */
  Comparison(
      String name,
      String title,
      List<String> keys,
      List<Table> before,
      List<Table> after,
      boolean deterministic) {
    this.name = name;
    this.title = title;
    TableSchema schema = before.get(0).schema();
    this.keys = keys.stream().map(key -> schema.columns().get(schema.indexOf(key))).toList();
    this.before = before.stream().map(table -> Sums.of(table, keys)).toList();
    this.after = after.stream().map(table -> Sums.of(table, keys)).toList();
    this.deterministic = deterministic;
  }

  /** All columns, for files and for programs. */
  Table table() {
    return table(true, Integer.MAX_VALUE);
  }

  /** Counts and handling only, the first {@code most} rows, for people. */
  Table summary(int most) {
    return table(false, most);
  }

  private Table table(boolean all, int most) {
    List<Measure> measures =
        all ? List.of(Measure.values()) : List.of(Measure.COUNT, Measure.HANDLING);
    List<List<Object>> rows = rows();
    Table.Builder table = Table.builder(schema(measures, all));
    List<double[]> adjusted = new ArrayList<>();
    for (Measure measure : measures) {
      adjusted.add(
          Change.holm(rows.stream().mapToDouble(key -> change(key, measure).p()).toArray()));
    }
    for (int row = 0; row < Math.min(most, rows.size()); row++) {
      for (int i = 0; i < keys.size(); i++) {
        Sums.set(table, i, rows.get(row).get(i));
      }
      int column = keys.size();
      for (int i = 0; i < measures.size(); i++) {
        Change change = change(rows.get(row), measures.get(i));
        double p = adjusted.get(i)[row];
        if (change.isTold()) {
          append(table, column, measures.get(i), change, p, all);
        }
        column += all ? ALL_COLUMNS : SUMMARY_COLUMNS;
      }
      table.endRow();
    }
    if (rows.size() > most) {
      table.note(rows.size() - most + " rows more are in the files");
    }
    return table.build();
  }

  private List<List<Object>> rows() {
    Set<List<Object>> all = new LinkedHashSet<>();
    Stream.concat(before.stream(), after.stream()).forEach(sums -> sums.keys().forEach(all::add));
    List<List<Object>> rows = new ArrayList<>(all);
    rows.sort(
        Comparator.comparingDouble(
            (List<Object> key) -> {
              Change change = change(key, Measure.COUNT);
              return -Math.max(change.before(), change.after());
            }));
    return rows;
  }

  private Change change(List<Object> key, Measure measure) {
    return Change.of(
        before.stream().mapToDouble(sums -> sums.get(key, measure)).toArray(),
        after.stream().mapToDouble(sums -> sums.get(key, measure)).toArray(),
        deterministic && measure == Measure.COUNT);
  }

  private static final int ALL_COLUMNS = 8;
  private static final int SUMMARY_COLUMNS = 4;

  private TableSchema schema(List<Measure> measures, boolean all) {
    List<Column> columns = new ArrayList<>(keys);
    for (Measure measure : measures) {
      String prefix = measure.prefix();
      columns.add(
          number(
              measure,
              prefix + "_a",
              measure.meaning
                  + ", mean of the first side; null, with all about it, where a recording that has the key does not tell"));
      columns.add(number(measure, prefix + "_b", "the same, mean of the second side"));
      columns.add(number(measure, prefix + "_change", "second side less first side"));
      if (all) {
        columns.add(
            number(
                measure,
                prefix + "_low",
                "lower end of the change's 95 % interval; null with one recording a side, unless"
                    + " runs cannot differ"));
        columns.add(number(measure, prefix + "_high", "its upper end"));
        columns.add(
            Column.of(
                prefix + "_ratio",
                ColumnType.FLOAT64,
                Unit.RATIO,
                "second side through first side; null where that is 0"));
        columns.add(
            Column.of(
                prefix + "_p",
                ColumnType.FLOAT64,
                Unit.NONE,
                "p-value of the change, by Welch's t-test, adjusted by Holm's method over all rows"));
      }
      columns.add(
          Column.words(
              prefix + "_verdict",
              verdicts(),
              "same, more or less, by whether p is below 0.05; unknown without p; new and gone"
                  + " where only one side has any"));
    }
    return new TableSchema(
        "compare_" + name, title, "what the recordings of either side have for one key", columns);
  }

  private static List<String> verdicts() {
    return Stream.of(Verdict.values())
        .map(verdict -> verdict.name().toLowerCase(Locale.ROOT))
        .toList();
  }

  private static Column number(Measure measure, String name, String meaning) {
    return measure == Measure.COUNT
        ? Column.of(name, ColumnType.FLOAT64, Unit.COUNT, meaning)
        : Column.duration(name, meaning);
  }

  private static void append(
      Table.Builder table, int first, Measure measure, Change change, double p, boolean all) {
    int column = first;
    set(table, column++, measure, change.before());
    set(table, column++, measure, change.after());
    set(table, column++, measure, change.difference());
    if (all) {
      if (change.hasInterval()) {
        set(table, column, measure, change.low());
        set(table, column + 1, measure, change.high());
      }
      column += 2;
      if (change.before() != 0) {
        table.real(column, change.after() / change.before());
      }
      column++;
      if (!Double.isNaN(p)) {
        table.real(column, p);
      }
      column++;
    }
    table.number(column, verdict(change, p).ordinal());
  }

  private static void set(Table.Builder table, int column, Measure measure, double value) {
    if (measure == Measure.COUNT) {
      table.real(column, value);
    } else {
      table.number(column, Math.round(value));
    }
  }

  private static Verdict verdict(Change change, double p) {
    if (change.before() == 0 && change.after() == 0) {
      return Verdict.SAME;
    }
    if (change.before() == 0) {
      return Verdict.NEW;
    }
    if (change.after() == 0) {
      return Verdict.GONE;
    }
    if (Double.isNaN(p)) {
      return Verdict.UNKNOWN;
    }
    if (p >= SIGNIFICANT) {
      return Verdict.SAME;
    }
    return change.difference() > 0 ? Verdict.MORE : Verdict.LESS;
  }
}
