package io.trapscope.recorder.tracepoint;

import io.trapscope.recorder.event.EventLog;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * A kernel whose tracepoints a test fires: makes records by the formats of a version of Linux and
 * hands them to a joiner.
 */
final class Kernel {
  static final List<String> VERSIONS = List.of("4.8", "5.2", "5.10", "6.18");

  private final Map<String, Tracepoint> tracepoints = new HashMap<>();
  private final EventLog log = new EventLog(3, 1 << 20);
  final ExitJoiner joiner = new ExitJoiner(log);

  Kernel(String version) {
    for (TracepointFormat format : formats(version).values()) {
      tracepoints.put(format.name(), new Tracepoint(KvmTracepoint.named(format.name()), format));
    }
  }

  /** The formats of a version, by name of the tracepoint. */
  static Map<String, TracepointFormat> formats(String version) {
    try (InputStream in = Kernel.class.getResourceAsStream(version + ".txt")) {
      String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
      Map<String, TracepointFormat> formats = new HashMap<>();
      for (String part : text.split("(?m)(?=^name:)")) {
        TracepointFormat format = TracepointFormat.parse(part);
        formats.put(format.name(), format);
      }
      return formats;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Fires a tracepoint.
   *
   * @param values names of fields and their values; fields that this version has not are left out
   */
  Kernel fire(long nanos, String name, Object... values) {
    Tracepoint tracepoint = tracepoints.get(name);
    int at = 24; // records lie anywhere
    ByteBuffer raw = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
    raw.putShort(at, (short) tracepoint.format().id());
    for (int i = 0; i < values.length; i += 2) {
      TracepointFormat.Field field = tracepoint.format().field((String) values[i]);
      if (field != null) {
        put(raw, at, field, values[i + 1]);
      }
    }
    int length =
        tracepoint.format().fields().stream().mapToInt(TracepointFormat.Field::end).max().orElse(8);
    joiner.accept(tracepoint, raw, at, (length + 7) / 8 * 8, nanos);
    return this;
  }

  private static void put(ByteBuffer raw, int at, TracepointFormat.Field field, Object value) {
    if (value instanceof byte[] bytes) {
      raw.put(at + field.offset(), bytes);
      return;
    }
    long number = ((Number) value).longValue();
    for (int i = 0; i < field.size(); i++) {
      raw.put(at + field.offset() + i, (byte) (number >>> 8 * i));
    }
  }

  /** The events so far, a line each: type, time, then each captured field that is not common. */
  List<String> events() {
    List<String> lines = new ArrayList<>();
    log.forEach(event -> lines.add(line(event)));
    log.clear();
    return lines;
  }

  private static String line(EventReader event) {
    StringBuilder line = new StringBuilder(event.type() + "@" + event.time());
    List<Field> fields = new ArrayList<>(EventType.COMMON);
    fields.addAll(event.type().details());
    fields.removeAll(List.of(Field.TIME, Field.SEQUENCE, Field.VCPU, Field.ACCESS));
    for (Field field : fields) {
      if (event.has(field)) {
        line.append(' ').append(field.column()).append('=');
        line.append(
            field.kind() == Kind.DATA
                ? HexFormat.of().formatHex(event.getBytes(field))
                : field.render(event.get(field)));
      }
    }
    return line.toString();
  }
}
