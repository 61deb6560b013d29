package io.trapscope.analyzer.table;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Renders a table for a terminal: a title, a line of column names, a line a row; words to the left,
 * numbers to the right, units scaled for people. Plain text, no escape sequences.
 *
 * <p>Where lines would be longer than the terminal is wide, columns are left out and a last line
 * names them: first those that tell least, so that of a wide table counts and places stay, then
 * those to the right; one always stays. A column without any value is left out too, silently: it
 * would show nothing.
 */
public final class TableText {
  private static final String GAP = "  ";
  private static final int UNLIMITED = Integer.MAX_VALUE;

  /**
   * A column that a narrow terminal need not show.
   *
   * @param name of the column
   * @param beside only beside this column, which tells about the same; null for anywhere
   */
  private record Dispensable(String name, String beside) {
    boolean isIn(List<TextColumn> columns) {
      return beside == null || columns.stream().anyMatch(column -> column.name.equals(beside));
    }
  }

  /** In the order in which they go. */
  private static final List<Dispensable> DISPENSABLE =
      List.of(
          new Dispensable("first_time", null),
          new Dispensable("last_time", null),
          new Dispensable("time", "since_start"),
          new Dispensable("bucket_ns", null),
          new Dispensable("sdm_reason", null),
          new Dispensable("min", null),
          new Dispensable("longest", null),
          new Dispensable("changed", null),
          new Dispensable("value", null),
          new Dispensable("loop_ns", null),
          new Dispensable("dispatch_ns", null),
          new Dispensable("user_ns", null),
          new Dispensable("vcpu", null),
          new Dispensable("p99_9", null),
          new Dispensable("idle_ns", null),
          new Dispensable("p90", null),
          new Dispensable("mean", null),
          new Dispensable("device", "target"),
          new Dispensable("register", "target"),
          new Dispensable("handling_ns", "unchanged_ns"),
          new Dispensable("handling_ns", "saved_ns"),
          new Dispensable("share", "unchanged"),
          new Dispensable("longest_elapsed", null),
          new Dispensable("guest_ns", null),
          new Dispensable("again", null),
          new Dispensable("size", null),
          new Dispensable("kernel_ns", null),
          new Dispensable("device_ns", null));

  private final int width;
  private final int maxRows;

  /**
   * @param width characters a line, 0 for no limit
   * @param maxRows rows shown, 0 for all; a last line says how many more there are
   */
  public TableText(int width, int maxRows) {
    this.width = width <= 0 ? UNLIMITED : width;
    this.maxRows = maxRows <= 0 ? UNLIMITED : maxRows;
  }

  /** The table as lines, each ended by a newline. */
  public String render(Table table) {
    StringBuilder out = new StringBuilder(table.schema().title()).append('\n');
    if (table.rows() == 0) {
      return out.append("  (none)\n").toString();
    }
    int shownRows = Math.min(table.rows(), maxRows);
    List<TextColumn> columns = columns(table, shownRows);
    List<TextColumn> shown = fitting(columns);
    out.append(line(shown, TextColumn::heading));
    for (int row = 0; row < shownRows; row++) {
      int at = row;
      out.append(line(shown, column -> column.cell(at)));
    }
    if (shownRows < table.rows()) {
      out.append("  ... ").append(CellText.unsigned(table.rows() - shownRows)).append(" more\n");
    }
    if (shown.size() < columns.size()) {
      String names =
          columns.stream()
              .filter(column -> !shown.contains(column))
              .map(column -> column.readable)
              .collect(Collectors.joining(", "));
      out.append("  not shown here: ").append(names).append('\n');
    }
    for (String note : table.notes()) {
      out.append("  ").append(note).append('\n');
    }
    return out.toString();
  }

  private static List<TextColumn> columns(Table table, int rows) {
    List<TextColumn> columns = new ArrayList<>();
    for (int i = 0; i < table.schema().columns().size(); i++) {
      TextColumn column = new TextColumn(table, i, rows);
      if (column.hasValues) {
        columns.add(column);
      }
    }
    return columns;
  }

  private List<TextColumn> fitting(List<TextColumn> columns) {
    List<TextColumn> shown = new ArrayList<>(columns);
    Deque<TextColumn> dropped = new ArrayDeque<>();
    for (Dispensable next : DISPENSABLE) {
      for (TextColumn column : columns) {
        boolean stays = next.beside == null && column == columns.get(0);
        if (!fits(shown) && column.name.equals(next.name) && next.isIn(columns) && !stays) {
          shown.remove(column);
          dropped.push(column);
        }
      }
    }
    while (!fits(shown) && shown.size() > 1) {
      dropped.push(shown.remove(shown.size() - 1));
    }
    // A wide column that went late may have made room for narrow ones.
    for (TextColumn column : dropped) {
      List<TextColumn> more =
          columns.stream().filter(each -> each == column || shown.contains(each)).toList();
      if (fits(more)) {
        shown.clear();
        shown.addAll(more);
      }
    }
    return shown;
  }

  private boolean fits(List<TextColumn> columns) {
    return columns.stream().mapToInt(column -> GAP.length() + column.width).sum() <= width;
  }

  private interface CellOf {
    String of(TextColumn column);
  }

  private static String line(List<TextColumn> columns, CellOf cell) {
    StringBuilder line = new StringBuilder();
    for (TextColumn column : columns) {
      line.append(GAP).append(column.pad(cell.of(column)));
    }
    return line.toString().stripTrailing() + "\n";
  }

  /** One column as text, as wide as its widest cell. */
  private static final class TextColumn {
    final String name;
    final String readable;
    final boolean hasValues;
    final int width;
    private final boolean left;
    private final String[] cells;

    TextColumn(Table table, int index, int rows) {
      Column described = table.schema().columns().get(index);
      name = described.name();
      // p99_9 is p99.9: a column's name cannot hold a point.
      readable = name.replaceAll("(?<=\\d)_(?=\\d)", ".").replace('_', ' ');
      left = described.type() == ColumnType.TEXT || described.type() == ColumnType.BYTES;
      cells = new String[rows];
      Arrays.setAll(cells, row -> CellText.of(table, row, index));
      hasValues = Arrays.stream(cells).anyMatch(cell -> !cell.isEmpty());
      width =
          Math.max(
              readable.length(), Arrays.stream(cells).mapToInt(String::length).max().orElse(0));
    }

    String heading() {
      return readable;
    }

    String cell(int row) {
      return cells[row];
    }

    String pad(String text) {
      String spaces = " ".repeat(width - text.length());
      return left ? text + spaces : spaces + text;
    }
  }
}
