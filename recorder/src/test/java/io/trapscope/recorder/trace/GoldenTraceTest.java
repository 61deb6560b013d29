package io.trapscope.recorder.trace;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.recorder.event.Wire;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * The trace of format 1 that holds every event type, once with all its fields and once with none,
 * stays readable for ever. A newer format gets a golden trace beside it; this one is never made
 * anew.
 */
class GoldenTraceTest {
  private static final Path GOLDEN = Path.of("..", "traces", "format-1", "every-field");
  private static final Path EXPECTED = GOLDEN.resolveSibling("every-field.txt");

  @Test
  void everyFieldOfFormatOneIsReadAsItWasWritten() throws Exception {
    assertThat(render(TraceReader.open(GOLDEN))).isEqualTo(Files.readString(EXPECTED));
  }

  private static String render(TraceReader trace) {
    StringBuilder out = new StringBuilder();
    EventCursor cursor = trace.merged();
    while (cursor.next()) {
      EventReader event = cursor.event();
      out.append(event.type());
      // By column name, not by the layout's order, which a newer version may extend.
      for (Field field : Field.values()) {
        if (!event.has(field)) {
          continue;
        }
        out.append(' ').append(field.column()).append('=');
        out.append(
            field.wire() == Wire.BYTES
                ? HexFormat.of().formatHex(event.getBytes(field))
                // Not rendered: a code may get a name later.
                : Long.toUnsignedString(event.get(field)));
      }
      out.append('\n');
    }
    out.append(cursor.anomalies()).append('\n').append(trace.end().orElseThrow().how());
    return out.append('\n').append(trace.header().toJson()).toString();
  }

  /** How the golden trace was made: {@code -Dtrapscope.golden=write}, for a new format only. */
  @Test
  @EnabledIfSystemProperty(
      named = "trapscope.golden",
      matches = "write",
      disabledReason = "makes a golden trace: only for a new format version")
  void write() throws Exception {
    try (TraceWriter writer = TraceWriter.create(GOLDEN, false, TestTraces.header(1))) {
      long n = 1;
      for (EventType type : EventType.values()) {
        ExitSink sink = n % 2 == 0 ? writer.vcpu(0) : writer.other();
        EventWriter event = sink.claim(type);
        for (Field field : EventLayout.of(type).fields()) {
          put(event, field, n++);
        }
        sink.commit();
        sink.claim(type).put(Field.TIME, TestTraces.BASE_TIME + n++);
        sink.commit();
      }
      writer.finish(RunEnd.DEBUG_EXIT, 3, "golden");
    }
    Files.writeString(EXPECTED, render(TraceReader.open(GOLDEN)));
  }

  private static void put(EventWriter event, Field field, long n) {
    switch (field.wire()) {
      case NIBBLE:
        event.put(field, n % 16);
        break;
      case U8:
      case U16:
      case U32:
      case U64:
        event.put(field, n * 0x9e37_79b9_7f4a_7c15L >>> 64 - field.wire().bits());
        break;
      case SINCE_BASE:
        event.put(field, TestTraces.BASE_TIME + n);
        break;
      case BYTES:
        event.putBytes(field, new byte[] {(byte) n, 0, (byte) 0xff, 7, 8}, 0, (int) (n % 6));
        break;
      case DERIVED:
        break;
    }
  }
}
