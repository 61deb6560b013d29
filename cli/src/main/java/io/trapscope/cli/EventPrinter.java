package io.trapscope.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.Kind;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Prints single events, as text or as JSON. Which fields an event has comes from the schema table;
 * a field that was not captured is left out, so that it differs from 0.
 */
final class EventPrinter {
  private static final long NANOS_A_SECOND = 1_000_000_000L;

  /** No line was printed yet. */
  private static final long NONE = Long.MIN_VALUE;

  private long firstTime = NONE;
  private final long wallClockOffset;
  private final Map<EventType, List<Field>> fields = new EnumMap<>(EventType.class);

  /**
   * @param wallClockOffset ns to add to a time of the trace to get ns since 1970, UTC
   */
  EventPrinter(long wallClockOffset) {
    this.wallClockOffset = wallClockOffset;
    for (EventType type : EventType.values()) {
      List<Field> own = new ArrayList<>(EventType.COMMON);
      own.addAll(type.details());
      own.removeAll(List.of(Field.TIME, Field.SEQUENCE, Field.VCPU));
      fields.put(type, List.copyOf(own));
    }
  }

  /** One line: time since the first line's, stream, number, type, then each captured field. */
  String text(EventReader event) {
    if (firstTime == NONE) {
      firstTime = event.time();
    }
    long time = event.time() - firstTime;
    StringBuilder line = new StringBuilder(160);
    line.append(
        String.format(
            Locale.ROOT, "%d.%09d", time / NANOS_A_SECOND, Math.floorMod(time, NANOS_A_SECOND)));
    line.append(' ').append(event.has(Field.VCPU) ? "vcpu" + event.vcpu() : "other");
    line.append(" #").append(event.sequence()).append(' ').append(event.type());
    for (Field field : fields.get(event.type())) {
      if (!event.has(field)) {
        continue;
      }
      line.append(' ').append(field.column()).append('=');
      if (field.kind() == Kind.DATA) {
        line.append(quoted(event.getBytes(field)));
      } else {
        line.append(field.render(event.get(field)));
      }
    }
    return line.toString();
  }

  /** One object, with the same conventions as the tables of {@code analyze --json}. */
  void json(EventReader event, JsonGenerator json) throws IOException {
    json.writeStartObject();
    json.writeStringField("type", event.type().name());
    if (event.has(Field.VCPU)) {
      json.writeNumberField(Field.VCPU.column(), event.vcpu());
    }
    json.writeNumberField(Field.SEQUENCE.column(), event.sequence());
    json.writeStringField(Field.TIME.column(), wallClock(event.time()));
    for (Field field : fields.get(event.type())) {
      if (event.has(field)) {
        json.writeFieldName(field.column());
        value(event, field, json);
      }
    }
    json.writeEndObject();
  }

  private static void value(EventReader event, Field field, JsonGenerator json) throws IOException {
    switch (field.kind()) {
      case DATA -> json.writeString(HexFormat.of().formatHex(event.getBytes(field)));
      case ADDRESS, BITS, CODE -> json.writeString(field.render(event.get(field)));
      case FLAG -> json.writeBoolean(event.get(field) != 0);
      case COUNT, INSTRUCTIONS, TIMESTAMP, DURATION, SIZE, INDEX ->
          json.writeNumber(Long.toUnsignedString(event.get(field)));
    }
  }

  private String wallClock(long time) {
    long nanos = time + wallClockOffset;
    long fraction = Math.floorMod(nanos, NANOS_A_SECOND);
    String second = Instant.ofEpochSecond(Math.floorDiv(nanos, NANOS_A_SECOND)).toString();
    return second.substring(0, second.length() - 1)
        + String.format(Locale.ROOT, ".%09dZ", fraction);
  }

  /** Bytes as text where they are text, and otherwise in hexadecimal. */
  private static String quoted(byte[] bytes) {
    StringBuilder text = new StringBuilder("\"");
    for (byte b : bytes) {
      switch (b) {
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        case 0x1b -> text.append("\\e");
        case '"', '\\' -> text.append('\\').append((char) b);
        default -> {
          if (b < 0x20 || b == 0x7f) {
            return "0x" + HexFormat.of().formatHex(bytes);
          }
          text.append((char) b);
        }
      }
    }
    return text.append('"').toString();
  }
}
