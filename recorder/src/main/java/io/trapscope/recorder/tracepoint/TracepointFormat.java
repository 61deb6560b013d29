package io.trapscope.recorder.tracepoint;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The layout of a tracepoint's records, as the kernel states it in the tracepoint's {@code format}
 * file (Documentation/trace/events.rst, section 3).
 *
 * @param name the tracepoint's name
 * @param id its number in this kernel: the first two bytes of each record
 * @param fields its fields, those that all tracepoints have first
 */
public record TracepointFormat(String name, int id, List<Field> fields) {
  private static final Pattern FIELD =
      Pattern.compile(
          "\\s*field:(.*);\\s*offset:(\\d+);\\s*size:(\\d+);(?:\\s*signed:(\\d+);)?\\s*");
  private static final Pattern DECLARATION =
      Pattern.compile("(.*?)\\s*\\b(\\w+)\\s*(?:\\[(\\w*)\\])?");

  /** Largest record that perf hands out; offsets beyond are no offsets. */
  private static final int MAX_RECORD = 0xffff;

  /**
   * One field.
   *
   * @param type as declared in C, without the name
   * @param offset bytes from the record's start
   * @param size bytes
   * @param signed whether a number is signed
   * @param elements number of elements of an array; 1 where it is none, 0 where the kernel does not
   *     say
   */
  public record Field(
      String name, String type, int offset, int size, boolean signed, int elements) {

    /** Whether the field is one number. */
    public boolean isNumber() {
      return elements == 1 && (size == 1 || size == 2 || size == 4 || size == 8);
    }

    /** The number in a record that begins at {@code at}. */
    public long number(ByteBuffer raw, int at) {
      return TracepointFormat.number(raw, at + offset, size, signed);
    }

    int end() {
      return offset + size;
    }
  }

  /** Copies the fields. */
  public TracepointFormat {
    fields = List.copyOf(fields);
  }

  /**
   * Parses the text of a {@code format} file.
   *
   * @throws IllegalArgumentException with the reason in one line, where it is none
   */
  public static TracepointFormat parse(String text) {
    String name = null;
    int id = -1;
    List<Field> fields = new ArrayList<>();
    for (String line : text.lines().toList()) {
      Matcher field = FIELD.matcher(line);
      if (line.startsWith("name:")) {
        name = line.substring("name:".length()).strip();
      } else if (line.startsWith("ID:")) {
        id = Integer.parseInt(line.substring("ID:".length()).strip());
      } else if (field.matches()) {
        fields.add(field(field));
      }
    }
    if (name == null || id < 0 || id > 0xffff || fields.isEmpty()) {
      throw new IllegalArgumentException("no format of a tracepoint: name, ID or fields missing");
    }
    return new TracepointFormat(name, id, fields);
  }

  private static Field field(Matcher line) {
    Matcher declaration = DECLARATION.matcher(line.group(1));
    int offset = Integer.parseInt(line.group(2));
    int size = Integer.parseInt(line.group(3));
    if (!declaration.matches() || offset + size > MAX_RECORD) {
      throw new IllegalArgumentException("no field of a tracepoint: " + line.group(1));
    }
    String elements = declaration.group(3);
    return new Field(
        declaration.group(2),
        declaration.group(1),
        offset,
        size,
        "1".equals(line.group(4)),
        elements == null ? 1 : elements.matches("\\d+") ? Integer.parseInt(elements) : 0);
  }

  /** The field with this name, or null. */
  public Field field(String wanted) {
    for (Field field : fields) {
      if (field.name.equals(wanted)) {
        return field;
      }
    }
    return null;
  }

  static long number(ByteBuffer raw, int at, int size, boolean signed) {
    switch (size) {
      case 1:
        return signed ? raw.get(at) : raw.get(at) & 0xffL;
      case 2:
        return signed ? raw.getShort(at) : raw.getShort(at) & 0xffffL;
      case 4:
        return signed ? raw.getInt(at) : raw.getInt(at) & 0xffff_ffffL;
      case 8:
        return raw.getLong(at);
      default:
        throw new IllegalArgumentException("a number of " + size + " bytes");
    }
  }

  /**
   * A record as text: {@code name field=value ...}, without the fields that every tracepoint has;
   * numbers of 8 bytes in hexadecimal, arrays as bytes.
   */
  public String text(ByteBuffer raw, int at, int length) {
    StringBuilder out = new StringBuilder(name);
    for (Field field : fields) {
      if (field.name.startsWith("common_") || field.end() > length) {
        continue;
      }
      out.append(' ').append(field.name).append('=');
      if (field.type.startsWith("__data_loc")) {
        dynamic(raw, at, length, field, out);
      } else if (!field.isNumber()) {
        bytes(raw, at + field.offset, field.size, out);
      } else if (field.size == 8) {
        out.append("0x").append(Long.toHexString(field.number(raw, at)));
      } else {
        out.append(field.number(raw, at));
      }
    }
    return out.toString();
  }

  /** A field whose bytes lie elsewhere: its word holds where (low half) and how many. */
  private static void dynamic(ByteBuffer raw, int at, int length, Field field, StringBuilder out) {
    int word = raw.getInt(at + field.offset);
    int start = word & 0xffff;
    int count = Math.max(0, Math.min(word >>> 16, length - start));
    if (!field.type.contains("char")) {
      bytes(raw, at + start, count, out);
      return;
    }
    for (int i = 0; i < count && raw.get(at + start + i) != 0; i++) {
      out.append((char) (raw.get(at + start + i) & 0xff));
    }
  }

  private static void bytes(ByteBuffer raw, int at, int count, StringBuilder out) {
    for (int i = 0; i < count; i++) {
      out.append(Character.forDigit(raw.get(at + i) >> 4 & 0xf, 16));
      out.append(Character.forDigit(raw.get(at + i) & 0xf, 16));
    }
  }
}
