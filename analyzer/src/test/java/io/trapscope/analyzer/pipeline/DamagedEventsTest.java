package io.trapscope.analyzer.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.report.Reports;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.Kind;
import io.trapscope.recorder.event.Wire;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Events whose fields hold any bits at all: what a reader may salvage from a damaged trace. */
class DamagedEventsTest {
  private static final int EVENTS = 20_000;

  @TempDir Path directory;

  @Test
  void anyBitsInAnyFieldGiveTables() throws IOException {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    MemoryTrace trace = new MemoryTrace(2);
    EventType[] types = EventType.values();
    for (int i = 0; i < EVENTS; i++) {
      EventType type = types[random.nextInt(types.length)];
      trace.add(
          random.nextInt(2),
          type,
          event -> {
            event.put(Field.TIME, random.nextInt() & 0xffff_ffffL);
            List<Field> fields = new ArrayList<>(EventType.COMMON);
            fields.addAll(type.details());
            byte[] bytes = new byte[random.nextInt(40)];
            random.nextBytes(bytes);
            for (Field field : fields) {
              if (field.kind() == Kind.DATA) {
                event.putBytes(field, bytes, 0, bytes.length);
              } else if (field.wire() != Wire.DERIVED
                  && field != Field.TIME
                  && field != Field.INSTRUCTIONS
                  && random.nextInt(8) != 0) {
                event.put(field, random.nextLong());
              }
            }
          });
    }
    Results results = Analysis.run(trace, Reports.all(), 2);
    assertThat(results.info().events()).as("seed " + seed).isEqualTo(EVENTS);
    StringWriter text = new StringWriter();
    results.writeText(text, 100);
    results.writeJson(text);
    assertThat(text.toString()).contains("exit_histogram");
    // Most random 64-bit guest times are no durations.
    assertThat(text.toString()).containsPattern("\\d+ durations of more than 104 days left out");
    int rowTables = 2; // exits, memory_translation
    assertThat(results.write(directory, TableFormat.ARROW))
        .hasSize(results.tables().size() + rowTables);
  }
}
