package io.trapscope.recorder.trace;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON as maps, lists, strings, {@code Long}, {@code Double} and {@code Boolean}. Numbers above
 * 2^63-1 are unsigned 64-bit values and become the {@code Long} of the same bits.
 */
final class Json {
  /** Fixed, so that the same trace has the same bytes everywhere. */
  private static final DefaultPrettyPrinter PRINTER =
      new DefaultPrettyPrinter().withObjectIndenter(new DefaultIndenter("  ", "\n"));

  private Json() {}

  /** The tree as text, indented, with a newline at the end. */
  static String write(Object tree) {
    StringWriter out = new StringWriter();
    try (JsonGenerator generator = new JsonFactory().createGenerator(out)) {
      generator.setPrettyPrinter(PRINTER.createInstance());
      value(generator, tree);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out + "\n";
  }

  private static void value(JsonGenerator out, Object value) throws IOException {
    if (value instanceof Map<?, ?> map) {
      out.writeStartObject();
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        out.writeFieldName(entry.getKey().toString());
        value(out, entry.getValue());
      }
      out.writeEndObject();
    } else if (value instanceof Iterable<?> list) {
      out.writeStartArray();
      for (Object item : list) {
        value(out, item);
      }
      out.writeEndArray();
    } else if (value instanceof Long || value instanceof Integer) {
      out.writeNumber(((Number) value).longValue());
    } else if (value instanceof Boolean flag) {
      out.writeBoolean(flag);
    } else {
      out.writeString(value.toString());
    }
  }

  /**
   * Parses an object.
   *
   * @throws IOException where the bytes are not one JSON object, nest too deeply, or are cut off
   */
  static Map<String, Object> parse(byte[] bytes) throws IOException {
    try (JsonParser parser = new JsonFactory().createParser(bytes)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new IOException("not a JSON object");
      }
      Map<String, Object> tree = object(parser);
      if (parser.nextToken() != null) {
        throw new IOException("more than one JSON object");
      }
      return tree;
    } catch (JsonProcessingException e) {
      // The library adds where an object began, and settings of its own.
      String what = e.getOriginalMessage().replaceFirst(" \\(start marker at .*", "");
      String where = e.getLocation() == null ? "" : " at line " + e.getLocation().getLineNr();
      throw new IOException("not JSON" + where + ": " + what, e);
    }
  }

  private static Map<String, Object> object(JsonParser parser) throws IOException {
    Map<String, Object> map = new LinkedHashMap<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      map.put(name, value(parser, parser.nextToken()));
    }
    return map;
  }

  private static Object value(JsonParser parser, JsonToken token) throws IOException {
    if (token == null) {
      throw new IOException("ends in the middle");
    }
    switch (token) {
      case START_OBJECT:
        return object(parser);
      case START_ARRAY:
        List<Object> list = new ArrayList<>();
        for (JsonToken next = parser.nextToken();
            next != JsonToken.END_ARRAY;
            next = parser.nextToken()) {
          list.add(value(parser, next));
        }
        return list;
      case VALUE_NUMBER_INT:
        BigInteger number = parser.getBigIntegerValue();
        if (number.bitLength() > 64) {
          throw new IOException("number out of range: " + parser.getText());
        }
        return number.longValue();
      case VALUE_NUMBER_FLOAT:
        return parser.getDoubleValue();
      case VALUE_TRUE:
        return Boolean.TRUE;
      case VALUE_FALSE:
        return Boolean.FALSE;
      case VALUE_STRING:
        return parser.getText();
      default:
        return "";
    }
  }

  /** Reads members of one object, each with its type checked. */
  static final class Reader {
    private final Map<?, ?> map;
    private final String where;

    Reader(Map<?, ?> map, String where) {
      this.map = map;
      this.where = where;
    }

    String text(String name) throws IOException {
      return of(name, String.class, "");
    }

    long number(String name) throws IOException {
      return of(name, Long.class, 0L);
    }

    /** A number that has to be there and lie in a range. */
    int number(String name, int min, int max) throws IOException {
      Object value = map.get(name);
      if (!(value instanceof Long number) || number < min || number > max) {
        throw new IOException(
            where + name + " should be a number from " + min + " to " + max + ", is " + value);
      }
      return number.intValue();
    }

    Reader object(String name) throws IOException {
      return new Reader(of(name, Map.class, Map.of()), where + name + ".");
    }

    List<Reader> objects(String name) throws IOException {
      List<Reader> readers = new ArrayList<>();
      for (Object item : of(name, List.class, List.of())) {
        if (!(item instanceof Map<?, ?> member)) {
          throw new IOException(where + name + " should hold objects");
        }
        readers.add(new Reader(member, where + name + "."));
      }
      return readers;
    }

    List<String> texts(String name) throws IOException {
      List<String> texts = new ArrayList<>();
      for (Object item : of(name, List.class, List.of())) {
        texts.add(String.valueOf(item));
      }
      return texts;
    }

    List<Long> numbers(String name) throws IOException {
      List<Long> numbers = new ArrayList<>();
      for (Object item : of(name, List.class, List.of())) {
        if (!(item instanceof Long number)) {
          throw new IOException(where + name + " should hold numbers");
        }
        numbers.add(number);
      }
      return numbers;
    }

    /** All members, as text. */
    Map<String, String> textMap() {
      Map<String, String> texts = new LinkedHashMap<>();
      map.forEach((key, value) -> texts.put(String.valueOf(key), String.valueOf(value)));
      return texts;
    }

    private <T> T of(String name, Class<T> type, T absent) throws IOException {
      Object value = map.get(name);
      if (value == null) {
        return absent;
      }
      if (!type.isInstance(value)) {
        throw new IOException(where + name + " is no " + type.getSimpleName());
      }
      return type.cast(value);
    }
  }
}
