package io.trapscope.analyzer.parquet;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.TableSchema;
import java.util.ArrayList;
import java.util.List;
import org.apache.parquet.format.ConvertedType;
import org.apache.parquet.format.FieldRepetitionType;
import org.apache.parquet.format.IntType;
import org.apache.parquet.format.LogicalType;
import org.apache.parquet.format.NanoSeconds;
import org.apache.parquet.format.SchemaElement;
import org.apache.parquet.format.StringType;
import org.apache.parquet.format.TimeUnit;
import org.apache.parquet.format.TimestampType;
import org.apache.parquet.format.Type;

/**
 * The Parquet type of each column. Every column is optional. Parquet has no duration: one is an
 * INT64 of nanoseconds, which the file's Arrow schema turns into a duration again.
 */
final class ParquetTypes {
  private static final int BITS_8 = 8;
  private static final int BITS_16 = 16;
  private static final int BITS_32 = 32;
  private static final int BITS_64 = 64;

  private ParquetTypes() {}

  /** How values are stored. */
  static Type physical(Column column) {
    return switch (column.type()) {
      case BOOL -> Type.BOOLEAN;
      case UINT8, UINT16, UINT32 -> Type.INT32;
      case UINT64, INT64, TIMESTAMP, DURATION -> Type.INT64;
      case FLOAT64 -> Type.DOUBLE;
      case TEXT, BYTES -> Type.BYTE_ARRAY;
    };
  }

  /** The schema: a group of all columns. */
  static List<SchemaElement> schema(TableSchema schema) {
    List<SchemaElement> elements = new ArrayList<>();
    elements.add(new SchemaElement(schema.name()).setNum_children(schema.columns().size()));
    for (Column column : schema.columns()) {
      SchemaElement element = new SchemaElement(column.name());
      element.setType(physical(column));
      element.setRepetition_type(FieldRepetitionType.OPTIONAL);
      setLogical(column, element);
      elements.add(element);
    }
    return elements;
  }

  private static void setLogical(Column column, SchemaElement element) {
    switch (column.type()) {
      case UINT8 -> setUnsigned(element, BITS_8, ConvertedType.UINT_8);
      case UINT16 -> setUnsigned(element, BITS_16, ConvertedType.UINT_16);
      case UINT32 -> setUnsigned(element, BITS_32, ConvertedType.UINT_32);
      case UINT64 -> setUnsigned(element, BITS_64, ConvertedType.UINT_64);
      case TEXT -> {
        element.setLogicalType(LogicalType.STRING(new StringType()));
        element.setConverted_type(ConvertedType.UTF8);
      }
      case TIMESTAMP ->
          element.setLogicalType(
              LogicalType.TIMESTAMP(new TimestampType(true, TimeUnit.NANOS(new NanoSeconds()))));
      case BOOL, INT64, FLOAT64, BYTES, DURATION -> {
        // The physical type says it all.
      }
    }
  }

  private static void setUnsigned(SchemaElement element, int bits, ConvertedType converted) {
    element.setLogicalType(LogicalType.INTEGER(new IntType((byte) bits, false)));
    element.setConverted_type(converted);
  }
}
