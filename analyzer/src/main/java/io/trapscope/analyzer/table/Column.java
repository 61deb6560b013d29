package io.trapscope.analyzer.table;

import java.util.List;
import java.util.Objects;

/**
 * One column.
 *
 * @param name lower-case words joined by underscores; stable, readers select by it
 * @param type type of the cells
 * @param unit what its numbers count
 * @param meaning one sentence for the table reference and for Arrow field metadata
 * @param words for TEXT: the words that a cell's index selects, where they are known before the
 *     first row; empty where cells bring their own words
 */
public record Column(String name, ColumnType type, Unit unit, String meaning, List<String> words) {

  public Column {
    Objects.requireNonNull(type);
    Objects.requireNonNull(unit);
    words = List.copyOf(words);
    if (!name.matches("[a-z][a-z0-9_]*")) {
      throw new IllegalArgumentException("not a column name: " + name);
    }
    if (meaning.isBlank()) {
      throw new IllegalArgumentException("column " + name + " has no meaning");
    }
    if (!words.isEmpty() && type != ColumnType.TEXT) {
      throw new IllegalArgumentException("column " + name + " has words but is not text");
    }
  }

  /** A column of numbers, flags, bytes, or of text whose cells bring their own words. */
  public static Column of(String name, ColumnType type, Unit unit, String meaning) {
    return new Column(name, type, unit, meaning, List.of());
  }

  /** A column of text without a unit. */
  public static Column text(String name, String meaning) {
    return of(name, ColumnType.TEXT, Unit.NONE, meaning);
  }

  /** A column of text whose cells are indexes into {@code words}. */
  public static Column words(String name, List<String> words, String meaning) {
    return new Column(name, ColumnType.TEXT, Unit.NONE, meaning, words);
  }

  /** A column of whole numbers that count something: uint64. */
  public static Column count(String name, String meaning) {
    return of(name, ColumnType.UINT64, Unit.COUNT, meaning);
  }

  /** A column of durations in nanoseconds. */
  public static Column duration(String name, String meaning) {
    return of(name, ColumnType.DURATION, Unit.NANOSECONDS, meaning);
  }

  /** A column of addresses: uint64, shown in hexadecimal. */
  public static Column address(String name, String meaning) {
    return of(name, ColumnType.UINT64, Unit.ADDRESS, meaning);
  }
}
