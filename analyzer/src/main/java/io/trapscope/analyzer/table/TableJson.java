package io.trapscope.analyzer.table;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/**
 * Writes a table as JSON, one object a row:
 *
 * <pre>
 * {"title": "...", "meaning": "...",
 *  "columns": [{"name": "count", "type": "uint64", "unit": "count", "meaning": "..."}, ...],
 *  "notes": ["..."],
 *  "rows": [{"reason": "CPUID", "count": 3, ...}, ...]}
 * </pre>
 *
 * <p>A null cell is {@code null}: every row has every column. Addresses and other numbers that
 * manuals print in hexadecimal are strings ("0x1000"), because JSON readers lose bits above 2^53;
 * timestamps are RFC 3339 strings with nine digits; durations are numbers in nanoseconds; bytes are
 * hexadecimal strings.
 */
public final class TableJson {
  private TableJson() {}

  /** Writes the table as one JSON object where {@code json} stands. */
  public static void write(Table table, JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("title", table.schema().title());
    json.writeStringField("meaning", table.schema().meaning());
    json.writeArrayFieldStart("columns");
    for (Column column : table.schema().columns()) {
      json.writeStartObject();
      json.writeStringField("name", column.name());
      json.writeStringField("type", column.type().label());
      json.writeStringField("unit", column.unit().label());
      json.writeStringField("meaning", column.meaning());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeArrayFieldStart("notes");
    for (String note : table.notes()) {
      json.writeString(note);
    }
    json.writeEndArray();
    json.writeArrayFieldStart("rows");
    for (int row = 0; row < table.rows(); row++) {
      json.writeStartObject();
      for (int column = 0; column < table.schema().columns().size(); column++) {
        json.writeFieldName(table.schema().columns().get(column).name());
        writeCell(table, row, column, json);
      }
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void writeCell(Table table, int row, int column, JsonGenerator json)
      throws IOException {
    if (table.isNull(row, column)) {
      json.writeNull();
      return;
    }
    Column described = table.schema().columns().get(column);
    switch (described.type()) {
      case BOOL -> json.writeBoolean(table.number(row, column) != 0);
      case UINT8, UINT16, UINT32, UINT64, INT64 ->
          writeInteger(table.number(row, column), described, json);
      case FLOAT64 -> json.writeNumber(table.real(row, column));
      case TEXT -> json.writeString(table.text(row, column));
      case BYTES -> json.writeString(hex(table.bytes(row, column)));
      case TIMESTAMP -> json.writeString(CellText.timestamp(table.number(row, column)));
      case DURATION -> json.writeNumber(table.number(row, column));
    }
  }

  private static void writeInteger(long value, Column column, JsonGenerator json)
      throws IOException {
    if (column.unit() == Unit.ADDRESS || column.unit() == Unit.BITS) {
      json.writeString("0x" + Long.toHexString(value));
    } else if (value < 0 && column.type() != ColumnType.INT64) {
      json.writeNumber(Long.toUnsignedString(value));
    } else {
      json.writeNumber(value);
    }
  }

  private static String hex(byte[] value) {
    StringBuilder text = new StringBuilder(value.length * 2);
    for (byte octet : value) {
      text.append(Character.forDigit((octet >> 4) & 0xf, 16));
      text.append(Character.forDigit(octet & 0xf, 16));
    }
    return text.toString();
  }
}
