package io.trapscope.analyzer.table;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Name and columns of a table.
 *
 * @param name lower-case words joined by underscores; also the name of its file
 * @param title for people, a few words
 * @param meaning what one row stands for
 * @param columns in order
 */
public record TableSchema(String name, String title, String meaning, List<Column> columns) {

  public TableSchema {
    columns = List.copyOf(columns);
    Set<String> seen = new HashSet<>();
    for (Column column : columns) {
      if (!seen.add(column.name())) {
        throw new IllegalArgumentException(name + " has two columns " + column.name());
      }
    }
  }

  /** Position of the column with this name; throws IllegalArgumentException where none has it. */
  public int indexOf(String columnName) {
    for (int i = 0; i < columns.size(); i++) {
      if (columns.get(i).name().equals(columnName)) {
        return i;
      }
    }
    throw new IllegalArgumentException("table " + name + " has no column " + columnName);
  }
}
