package io.trapscope.analyzer.csv;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.PartFile;
import io.trapscope.analyzer.table.TableSchema;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;

/**
 * What a CSV file cannot say of itself, in a file beside it that W3C's "Metadata Vocabulary for
 * Tabular Data" (CSV on the Web) describes and whose name follows from the CSV file's: for each
 * column the datatype, the meaning as {@code dc:description}, the unit as {@code schema:unitText}
 * and the type of {@code TABLES.md} as {@code schema:additionalType}; and the trace's metadata as a
 * note.
 */
final class CsvDescription {
  private CsvDescription() {}

  /** Writes {@code NAME.csv-metadata.json}, to be committed with the CSV file. */
  static PartFile write(Path directory, TableSchema schema, Map<String, String> metadata)
      throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
      json.useDefaultPrettyPrinter();
      json.writeStartObject();
      json.writeStringField("@context", "http://www.w3.org/ns/csvw");
      json.writeStringField("url", schema.name() + ".csv");
      json.writeStringField("dc:title", schema.title());
      json.writeStringField("dc:description", "A row is " + schema.meaning() + ".");
      json.writeArrayFieldStart("notes");
      json.writeStartObject();
      for (Map.Entry<String, String> entry : metadata.entrySet()) {
        json.writeStringField(entry.getKey(), entry.getValue());
      }
      json.writeEndObject();
      json.writeEndArray();
      json.writeObjectFieldStart("tableSchema");
      json.writeArrayFieldStart("columns");
      for (Column column : schema.columns()) {
        writeColumn(json, column);
      }
      json.writeEndArray();
      json.writeEndObject();
      json.writeEndObject();
    }
    PartFile file = new PartFile(directory.resolve(schema.name() + ".csv-metadata.json"));
    try {
      file.write(ByteBuffer.wrap(bytes.toByteArray()));
    } catch (IOException e) {
      file.close();
      throw e;
    }
    return file;
  }

  private static void writeColumn(JsonGenerator json, Column column) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", column.name());
    json.writeStringField("titles", column.name());
    json.writeStringField("datatype", datatype(column.type()));
    json.writeStringField("dc:description", column.meaning());
    json.writeStringField("schema:unitText", column.unit().label());
    json.writeStringField("schema:additionalType", column.type().label());
    json.writeEndObject();
  }

  private static String datatype(ColumnType type) {
    return switch (type) {
      case BOOL -> "boolean";
      case UINT8 -> "unsignedByte";
      case UINT16 -> "unsignedShort";
      case UINT32 -> "unsignedInt";
      case UINT64 -> "unsignedLong";
      case INT64, DURATION -> "long";
      case FLOAT64 -> "double";
      case TEXT -> "string";
      case BYTES -> "hexBinary";
      case TIMESTAMP -> "dateTimeStamp";
    };
  }
}
