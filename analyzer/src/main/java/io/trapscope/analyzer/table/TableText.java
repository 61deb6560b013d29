package io.trapscope.analyzer.table;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Renders a table for a terminal: a title, a line of column names, a line a row; words to the left,
 * numbers to the right, units scaled for people. Plain text, no escape sequences.
 *
 * <p>Columns that would make lines longer than the terminal is wide are left out from the right,
 * and a last line names them; the first column always stays. A column without any value is left out
 * too, silently: it would show nothing.
 */
public final class TableText {
  private static final String GAP = "  ";
  private static final int UNLIMITED = Integer.MAX_VALUE;

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
              .skip(shown.size())
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
    int used = 0;
    for (int i = 0; i < columns.size(); i++) {
      used += GAP.length() + columns.get(i).width;
      if (used > width && i > 0) {
        return columns.subList(0, i);
      }
    }
    return columns;
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
    final String readable;
    final boolean hasValues;
    final int width;
    private final boolean left;
    private final String[] cells;

    TextColumn(Table table, int index, int rows) {
      Column described = table.schema().columns().get(index);
      // p99_9 is p99.9: a column's name cannot hold a point.
      readable = described.name().replaceAll("(?<=\\d)_(?=\\d)", ".").replace('_', ' ');
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
