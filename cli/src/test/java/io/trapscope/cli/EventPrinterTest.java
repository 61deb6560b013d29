package io.trapscope.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.trapscope.analyzer.table.AsciiText;
import io.trapscope.recorder.event.EventLog;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class EventPrinterTest {
  private static final long START = 5_000_000_000L;

  /** 2026-01-01T00:00:00Z where the trace's clock shows {@link #START}. */
  private static final long OFFSET = 1_767_225_600_000_000_000L - START;

  private final EventLog log = new EventLog(3, 4096);
  private final EventLog other = new EventLog(EventReader.NO_VCPU, 4096);
  private final EventPrinter printer = new EventPrinter(OFFSET);

  @Test
  void textLeavesOutWhatWasNotCaptured() {
    log.claim(EventType.HLT).put(Field.TIME, START);
    log.commit();
    log.claim(EventType.PIO)
        .put(Field.TIME, START + 1_000_000_042L)
        .put(Field.REASON, ExitReason.IO_INSTRUCTION.code())
        .put(Field.DIRECTION, 1)
        .put(Field.SIZE, 1)
        .put(Field.PORT, 0x3f8)
        .put(Field.VALUE, 0);
    log.commit();
    assertThat(lines(log))
        .containsExactly(
            "0.000000000 vcpu3 #0 HLT",
            "1.000000042 vcpu3 #1 PIO reason=IO_INSTRUCTION direction=WRITE size=1 port=0x3f8"
                + " value=0x0");
  }

  @Test
  void textShowsBytesAsTextWhereTheyAre() {
    console("Hi \"you\"\n".getBytes(StandardCharsets.UTF_8));
    console(new byte[] {0, (byte) 0xff});
    assertThat(lines(other))
        .containsExactly(
            "0.000000000 other #0 CONSOLE_OUTPUT channel=0 data=\"Hi \\\"you\\\"\\n\"",
            "0.000000000 other #1 CONSOLE_OUTPUT channel=0 data=0x00ff");
  }

  @Test
  void jsonKeepsAllBitsOfAnAddress() {
    log.claim(EventType.MMIO)
        .put(Field.TIME, START)
        .put(Field.GPA, 0xffff_ffff_ffff_f000L)
        .put(Field.GUEST_TIME, 17);
    log.commit();
    assertThat(json(log))
        .isEqualTo(
            "{\"type\":\"MMIO\",\"vcpu\":3,\"sequence\":0,"
                + "\"time\":\"2026-01-01T00:00:00.000000000Z\",\"guest_ns\":17,"
                + "\"gpa\":\"0xfffffffffffff000\"}");
  }

  private void console(byte[] bytes) {
    EventWriter event =
        other.claim(EventType.CONSOLE_OUTPUT).put(Field.TIME, START).put(Field.CHANNEL, 0);
    event.putBytes(Field.DATA, bytes, 0, bytes.length);
    other.commit();
  }

  private List<String> lines(EventLog events) {
    AsciiText lines = new AsciiText(1);
    events.forEach(event -> printer.text(event, lines));
    return StandardCharsets.US_ASCII.decode(lines.drain()).toString().lines().toList();
  }

  private String json(EventLog events) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      events.forEach(
          event -> {
            try {
              printer.json(event, json);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString(StandardCharsets.UTF_8);
  }
}
