package io.trapscope.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.SerializedString;
import io.trapscope.analyzer.table.AsciiText;
import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Prints single events, as text or as JSON. Which fields an event has comes from the schema table;
 * a field that was not captured is left out, so that it differs from 0. One thread at a time.
 */
final class EventPrinter {
  private static final long NANOS_A_SECOND = 1_000_000_000L;
  private static final byte[] VCPU = AsciiText.bytes(" vcpu");
  private static final byte[] OTHER = AsciiText.bytes(" other");
  private static final byte[] NUMBER = AsciiText.bytes(" #");
  private static final byte[] HEX = AsciiText.bytes("0x");
  private static final SerializableString TYPE = new SerializedString("type");

  /** No line was printed yet. */
  private static final long NONE = Long.MIN_VALUE;

  /** A type as lines show it, and its fields behind those that all lines begin with. */
  private static final class Row {
    final byte[] title;
    final SerializableString name;
    final Column[] columns;

    Row(EventType type) {
      List<Field> own = new ArrayList<>(EventType.COMMON);
      own.addAll(type.details());
      own.removeAll(List.of(Field.TIME, Field.SEQUENCE, Field.VCPU));
      title = AsciiText.bytes(' ' + type.name());
      name = new SerializedString(type.name());
      columns = own.stream().map(field -> new Column(type, field)).toArray(Column[]::new);
    }
  }

  /** A field as lines show it. */
  private static final class Column {
    /** Codes below are spelled once. */
    private static final int CODES = 256;

    final Field field;
    final Kind kind;

    /** Its presence bit; 0 where it has none, and the event has to be asked. */
    final int captured;

    final byte[] title;
    final SerializableString key;
    private final byte[][] codes;

    Column(EventType type, Field field) {
      int bit = EventLayout.of(type).presenceBit(field);
      this.field = field;
      this.captured = bit < 0 ? 0 : 1 << bit;
      this.kind = field.kind();
      this.title = AsciiText.bytes(' ' + field.column() + '=');
      this.key = new SerializedString(field.column());
      this.codes = new byte[kind == Kind.CODE ? CODES : 0][];
    }

    boolean isIn(EventReader event) {
      return captured == 0 ? event.has(field) : (event.captured() & captured) != 0;
    }

    byte[] code(long value) {
      if (value < 0 || value >= CODES) {
        return AsciiText.bytes(field.render(value));
      }
      byte[] known = codes[(int) value];
      if (known == null) {
        known = AsciiText.bytes(field.render(value));
        codes[(int) value] = known;
      }
      return known;
    }
  }

  /** By type. */
  private final Row[] rows = Arrays.stream(EventType.values()).map(Row::new).toArray(Row[]::new);

  private final AsciiText word = new AsciiText(64);
  private final long wallClockOffset;
  private long firstTime = NONE;

  /**
   * @param wallClockOffset ns to add to a time of the trace to get ns since 1970, UTC
   */
  EventPrinter(long wallClockOffset) {
    this.wallClockOffset = wallClockOffset;
  }

  /** One line: time since the first line's, stream, number, type, then each captured field. */
  void text(EventReader event, AsciiText line) {
    if (firstTime == NONE) {
      firstTime = event.time();
    }
    long time = event.time() - firstTime;
    line.signed(time / NANOS_A_SECOND);
    line.put('.');
    line.fraction(time);
    if (event.vcpu() == EventReader.NO_VCPU) {
      line.put(OTHER);
    } else {
      line.put(VCPU);
      line.unsigned(event.vcpu());
    }
    line.put(NUMBER);
    line.unsigned(event.sequence());
    Row row = rows[event.type().ordinal()];
    line.put(row.title);
    for (Column column : row.columns) {
      if (column.isIn(event)) {
        line.put(column.title);
        value(event, column, line);
      }
    }
    line.put('\n');
  }

  private static void value(EventReader event, Column column, AsciiText line) {
    switch (column.kind) {
      case DATA -> quoted(event.getBytes(column.field), line);
      case ADDRESS, BITS -> {
        line.put(HEX);
        line.hexadecimal(event.get(column.field));
      }
      case CODE -> line.put(column.code(event.get(column.field)));
      case FLAG -> line.flag(event.get(column.field) != 0);
      case COUNT, INSTRUCTIONS, TIMESTAMP, DURATION, SIZE, INDEX ->
          line.unsigned(event.get(column.field));
    }
  }

  /** One object, with the same conventions as the tables of {@code analyze --json}. */
  void json(EventReader event, JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeFieldName(TYPE);
    json.writeString(rows[event.type().ordinal()].name);
    if (event.vcpu() != EventReader.NO_VCPU) {
      json.writeNumberField(Field.VCPU.column(), event.vcpu());
    }
    json.writeNumberField(Field.SEQUENCE.column(), event.sequence());
    json.writeFieldName(Field.TIME.column());
    word.timestamp(event.time() + wallClockOffset);
    writeWord(json);
    for (Column column : rows[event.type().ordinal()].columns) {
      if (column.isIn(event)) {
        json.writeFieldName(column.key);
        value(event, column, json);
      }
    }
    json.writeEndObject();
  }

  private void value(EventReader event, Column column, JsonGenerator json) throws IOException {
    switch (column.kind) {
      case DATA -> {
        byte[] data = event.getBytes(column.field);
        word.hexadecimal(data, data.length);
        writeWord(json);
      }
      case ADDRESS, BITS, CODE -> {
        value(event, column, word);
        writeWord(json);
      }
      case FLAG -> json.writeBoolean(event.get(column.field) != 0);
      case COUNT, INSTRUCTIONS, TIMESTAMP, DURATION, SIZE, INDEX -> {
        long value = event.get(column.field);
        if (value < 0) {
          json.writeNumber(Long.toUnsignedString(value));
        } else {
          json.writeNumber(value);
        }
      }
    }
  }

  /** Digits and names of codes, nothing in which JSON would escape. */
  private void writeWord(JsonGenerator json) throws IOException {
    json.writeRawUTF8String(word.array(), 0, word.length());
    word.clear();
  }

  /** Bytes as text where they are text, and otherwise in hexadecimal. */
  private static void quoted(byte[] bytes, AsciiText line) {
    for (byte b : bytes) {
      if ((b < 0x20 || b == 0x7f) && "\n\r\t\033".indexOf(b) < 0) {
        line.put(HEX);
        line.hexadecimal(bytes, bytes.length);
        return;
      }
    }
    line.put('"');
    for (byte b : bytes) {
      escaped((char) b, line);
    }
    line.put('"');
  }

  private static void escaped(char c, AsciiText line) {
    char letter =
        switch (c) {
          case '\n' -> 'n';
          case '\r' -> 'r';
          case '\t' -> 't';
          case '\033' -> 'e';
          case '"', '\\' -> c;
          default -> 0;
        };
    if (letter != 0) {
      line.put('\\');
    }
    line.put(letter == 0 ? c : letter);
  }
}
