package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.Wire;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The column of each field of the event schema: name, type, unit and meaning are the field's. A
 * memory region is shown by its name, which the trace's header holds.
 */
final class EventColumns {
  private EventColumns() {}

  /** The column that holds this field's values. */
  static Column of(Field field) {
    return switch (field.kind()) {
      case CODE -> Column.words(field.column(), words(field), field.meaning());
      case FLAG -> column(field, ColumnType.BOOL, Unit.NONE);
      case TIMESTAMP ->
          Column.of(
              field.column(),
              ColumnType.TIMESTAMP,
              Unit.NANOSECONDS,
              field.meaning() + ", turned into wall-clock time by the trace's header");
      case DURATION -> column(field, ColumnType.DURATION, Unit.NANOSECONDS);
      case DATA -> column(field, ColumnType.BYTES, Unit.BYTES);
      case COUNT -> column(field, integer(field), Unit.COUNT);
      case INSTRUCTIONS -> column(field, integer(field), Unit.INSTRUCTIONS);
      case SIZE -> column(field, integer(field), Unit.BYTES);
      case ADDRESS -> column(field, integer(field), Unit.ADDRESS);
      case BITS -> column(field, integer(field), Unit.BITS);
      case INDEX ->
          field == Field.REGION
              ? Column.text(field.column(), field.meaning())
              : column(field, integer(field), Unit.NONE);
    };
  }

  private static Column column(Field field, ColumnType type, Unit unit) {
    return Column.of(field.column(), type, unit, field.meaning());
  }

  private static ColumnType integer(Field field) {
    if (field == Field.VCPU) {
      return ColumnType.UINT16; // streams are numbered in 16 bits: Field.STREAM
    }
    return switch (field.wire()) {
      case NIBBLE, U8 -> ColumnType.UINT8;
      case U16 -> ColumnType.UINT16;
      case U32 -> ColumnType.UINT32;
      case U64, SINCE_BASE, DERIVED -> ColumnType.UINT64;
      case BYTES -> ColumnType.BYTES;
    };
  }

  /**
   * The words of a field of kind CODE: first each name, in the order of the codes, then the number
   * of each code that has no name. A code that only newer versions name is thus shown as a number.
   */
  private static List<String> words(Field field) {
    Map<String, Integer> words = new LinkedHashMap<>();
    int codes = codes(field);
    for (int code = 0; code < codes; code++) {
      String label = field.label(code);
      if (label != null) {
        words.putIfAbsent(label, words.size());
      }
    }
    for (int code = 0; code < codes; code++) {
      if (field.label(code) == null) {
        words.put(Integer.toString(code), words.size());
      }
    }
    return new ArrayList<>(words.keySet());
  }

  /** For each code of a field of kind CODE the index of its word in the field's column. */
  static int[] wordIndexes(Field field) {
    List<String> words = words(field);
    int[] indexes = new int[codes(field)];
    for (int code = 0; code < indexes.length; code++) {
      String label = field.label(code);
      indexes[code] = words.indexOf(label == null ? Integer.toString(code) : label);
    }
    return indexes;
  }

  private static int codes(Field field) {
    Wire wire = field.wire();
    // A derived code (the access of a fault) takes bits of another field: three of them.
    return wire == Wire.DERIVED ? 1 << 3 : 1 << wire.bits();
  }
}
