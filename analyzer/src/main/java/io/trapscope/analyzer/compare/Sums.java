package io.trapscope.analyzer.compare;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.RowSink;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.tally.Stage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What one recording has for each key: counts and times, rows that share the key (other vCPUs)
 * added up. A table without a column for handling has it in the columns of its stages.
 */
final class Sums {
  /** By the cells of the key: text, or a number of any type; null where the cell is null. */
  private final Map<List<Object>, double[]> byKey = new LinkedHashMap<>();

  private Sums() {}

  /**
   * The sums of a table.
   *
   * @param keys columns of the table that make the key
   */
  static Sums of(Table table, List<String> keys) {
    Sums sums = new Sums();
    for (int row = 0; row < table.rows(); row++) {
      List<Object> key = new ArrayList<>();
      for (String name : keys) {
        key.add(cell(table, row, table.schema().indexOf(name)));
      }
      double[] values = sums.byKey.computeIfAbsent(key, absent -> untold());
      for (Measure measure : Measure.values()) {
        int at = measure.ordinal();
        values[at] = sum(values[at], value(table, row, measure));
      }
    }
    return sums;
  }

  private static double[] untold() {
    double[] values = new double[Measure.values().length];
    Arrays.fill(values, Double.NaN);
    return values;
  }

  /** What is not told, NaN, adds nothing. */
  private static double sum(double sum, double value) {
    return Double.isNaN(sum) ? value : Double.isNaN(value) ? sum : sum + value;
  }

  private static Object cell(Table table, int row, int column) {
    if (table.isNull(row, column)) {
      return null;
    }
    Column described = table.schema().columns().get(column);
    boolean text = described.type() == ColumnType.TEXT && described.words().isEmpty();
    return text ? (Object) table.text(row, column) : (Object) table.number(row, column);
  }

  /** Sets a cell that is in a key, in a column like the one that it is from. */
  static void set(RowSink row, int column, Object cell) {
    if (cell instanceof String text) {
      row.text(column, text);
    } else if (cell != null) {
      row.number(column, (Long) cell);
    }
  }

  private static double value(Table table, int row, Measure measure) {
    if (measure != Measure.HANDLING || hasColumn(table.schema(), measure.column)) {
      return value(table, row, measure.column);
    }
    double sum = Double.NaN;
    for (Stage stage : Stage.HANDLING) {
      sum = sum(sum, value(table, row, stage.column()));
    }
    return sum;
  }

  private static double value(Table table, int row, String name) {
    int column = table.schema().indexOf(name);
    return table.isNull(row, column) ? Double.NaN : table.number(row, column);
  }

  private static boolean hasColumn(TableSchema schema, String name) {
    return schema.columns().stream().anyMatch(column -> column.name().equals(name));
  }

  /** Every key, in the table's order. */
  Iterable<List<Object>> keys() {
    return byKey.keySet();
  }

  /** Whether the recording has a row for a key. */
  boolean has(List<Object> key) {
    return byKey.containsKey(key);
  }

  /** The sum for a key; 0 where the recording has none, NaN where it does not tell. */
  double get(List<Object> key, Measure measure) {
    double[] values = byKey.get(key);
    return values == null ? 0 : values[measure.ordinal()];
  }

  /** The sum over all keys; NaN where there are some and none tells. */
  double total(Measure measure) {
    return byKey.values().stream()
        .mapToDouble(values -> values[measure.ordinal()])
        .reduce(Sums::sum)
        .orElse(0);
  }
}
