package io.trapscope.analyzer.arrow;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.Unit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.types.FloatingPointPrecision;
import org.apache.arrow.vector.types.TimeUnit;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;

/** The Arrow type and field of each column. */
final class ArrowTypes {
  /** Keys of a field's metadata. */
  static final String UNIT = "unit";

  static final String MEANING = "meaning";

  private ArrowTypes() {}

  /**
   * Type of the stored values; for text the type of the dictionary's index, as narrow as the known
   * words allow.
   */
  static ArrowType stored(Column column) {
    return switch (column.type()) {
      case BOOL -> ArrowType.Bool.INSTANCE;
      case UINT8 -> new ArrowType.Int(8, false);
      case UINT16 -> new ArrowType.Int(16, false);
      case UINT32 -> new ArrowType.Int(32, false);
      case UINT64 -> new ArrowType.Int(64, false);
      case INT64 -> new ArrowType.Int(64, true);
      case FLOAT64 -> new ArrowType.FloatingPoint(FloatingPointPrecision.DOUBLE);
      case TEXT -> index(column.words().size());
      case BYTES -> ArrowType.Binary.INSTANCE;
      case TIMESTAMP -> new ArrowType.Timestamp(TimeUnit.NANOSECOND, "UTC");
      case DURATION -> new ArrowType.Duration(TimeUnit.NANOSECOND);
    };
  }

  private static ArrowType.Int index(int words) {
    if (words == 0 || words > Short.MAX_VALUE) {
      return new ArrowType.Int(32, true);
    }
    return new ArrowType.Int(words > Byte.MAX_VALUE ? 16 : 8, true);
  }

  /** Bits a stored value takes in its buffer; 0 where the width varies. */
  static int bits(Column column) {
    return switch (column.type()) {
      case BOOL -> 1;
      case UINT8 -> 8;
      case UINT16 -> 16;
      case UINT32 -> 32;
      case UINT64, INT64, FLOAT64, TIMESTAMP, DURATION -> 64;
      case TEXT -> index(column.words().size()).getBitWidth();
      case BYTES -> 0;
    };
  }

  /**
   * The field: nullable, with the unit and the meaning in its metadata; text is dictionary-encoded
   * with the column's position as the dictionary's id.
   */
  static Field field(Column column, int position) {
    DictionaryEncoding dictionary =
        switch (column.type()) {
          case TEXT -> new DictionaryEncoding(position, false, (ArrowType.Int) stored(column));
          case BOOL, UINT8, UINT16, UINT32, UINT64, INT64, FLOAT64, BYTES, TIMESTAMP, DURATION ->
              null;
        };
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put(MEANING, column.meaning());
    if (column.unit() != Unit.NONE) {
      metadata.put(UNIT, column.unit().label());
    }
    return new Field(
        column.name(), new FieldType(true, stored(column), dictionary, metadata), List.of());
  }
}
