package io.trapscope.analyzer.arrow;

import io.trapscope.analyzer.table.TableSchema;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.apache.arrow.vector.types.pojo.Schema;

/** Arrow schemas for formats that keep one beside their own. */
public final class ArrowSchemas {
  private ArrowSchemas() {}

  /**
   * The table's schema as an encapsulated IPC message. Text is a dictionary of string, as in the
   * Arrow files; the units and meanings are in the fields' metadata.
   */
  public static byte[] message(TableSchema schema, Map<String, String> metadata) {
    List<Field> fields = new ArrayList<>();
    for (int i = 0; i < schema.columns().size(); i++) {
      Field field = ArrowTypes.field(schema.columns().get(i), i);
      // A file's field has the index's type; a message's has the words'.
      ArrowType type = field.getDictionary() == null ? field.getType() : ArrowType.Utf8.INSTANCE;
      fields.add(
          new Field(
              field.getName(),
              new FieldType(true, type, field.getDictionary(), field.getMetadata()),
              List.of()));
    }
    return new Schema(fields, metadata).serializeAsMessage();
  }
}
