package io.trapscope.analyzer.perfetto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.analyzer.notebooks.PythonEnvironment;
import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written is valid by Perfetto's own definitions and has what the trace has. */
class PerfettoTraceTest {
  private static final int STEPS = 500;
  private static final int STEP_NANOS = 10_000;

  @TempDir Path directory;

  /** Two vCPUs: port writes with a device's time, halts, EPT faults, interrupts, console, marks. */
  private static MemoryTrace source() {
    MemoryTrace trace = new MemoryTrace(2);
    byte[] text = "a line\r\n".getBytes(StandardCharsets.US_ASCII);
    byte[] name = "booted".getBytes(StandardCharsets.US_ASCII);
    for (int i = 1; i <= STEPS; i++) {
      long time = (long) i * STEP_NANOS;
      int number = i;
      trace.add(
          0,
          EventType.PIO,
          event ->
              event
                  .put(Field.TIME, time)
                  .put(Field.REASON, ExitReason.IO_INSTRUCTION.code())
                  .put(Field.GUEST_TIME, 4_000)
                  .put(Field.LOOP_TIME, 100)
                  .put(Field.DISPATCH_TIME, 200)
                  .put(Field.DEVICE_TIME, 300)
                  .put(Field.RIP, 0xffff_ffff_8100_0000L)
                  .put(Field.DIRECTION, 1)
                  .put(Field.PORT, 0x3f8)
                  .put(Field.VALUE, number));
      trace.add(
          1,
          number % 2 == 0 ? EventType.HLT : EventType.EPT_FAULT,
          event -> {
            event.put(Field.TIME, time + 500).put(Field.GUEST_TIME, 1_000);
            if (number % 2 == 0) {
              // Longer than the time to the next exit: the halt has to end there.
              event.put(Field.REASON, ExitReason.HLT.code()).put(Field.IDLE_TIME, 20_000);
            } else {
              event.put(Field.REASON, ExitReason.EPT_VIOLATION.code()).put(Field.REGION, 0);
              event.put(Field.FIRST_TOUCH, 1).put(Field.EPT_PAGE, number % 4 == 1 ? 12 : 21);
            }
          });
    }
    long end = (STEPS + 1L) * STEP_NANOS;
    trace.add(
        0,
        EventType.INJECTION,
        event ->
            event.put(Field.TIME, end).put(Field.VECTOR, 0x30).put(Field.INTERRUPTION_TYPE, 0));
    trace.add(
        EventReader.NO_VCPU,
        EventType.EPT_FAULT,
        event ->
            event
                .put(Field.TIME, end)
                .put(Field.REASON, ExitReason.EPT_VIOLATION.code())
                .put(Field.REGION, 1));
    // A reason alone makes no exit.
    trace.add(0, EventType.EOI, event -> event.put(Field.TIME, end).put(Field.REASON, 1));
    trace.add(
        0,
        EventType.CONSOLE_OUTPUT,
        event ->
            event
                .put(Field.TIME, end + 1)
                .put(Field.CHANNEL, 0)
                .putBytes(Field.DATA, text, 0, text.length));
    trace.add(
        0,
        EventType.MARK,
        event -> event.put(Field.TIME, end + 2).putBytes(Field.DATA, name, 0, name.length));
    return trace;
  }

  @Test
  void officialDefinitionsReadItAndCountsAgree() throws IOException, InterruptedException {
    Path python = PythonEnvironment.python();
    Path file = directory.resolve("trace.pftrace");
    long packets = PerfettoTrace.write(source(), file);
    String found =
        PythonEnvironment.run(
            120, python.toString(), "analyzer/src/test/python/check_perfetto.py", file.toString());
    assertThat(found)
        .contains("\"packets\": " + packets)
        .contains("\"3\": 500")
        .contains("\"1\": " + (MemoryTrace.EPOCH + 500))
        // vCPU 0: as many slices as the trace has exits, and their time to the nanosecond.
        .contains("{\"guest\": 500, \"exit\": 500}")
        .contains("{\"guest\": " + 500 * 4_000 + ", \"exit\": " + 500 * 600 + "}")
        .contains("{\"out 0x3f8\": 500}")
        .contains("{\"sequence\": 0, \"rip\": 18446744071578845184, \"value\": 1")
        // vCPU 1: halts fill the time between an exit and the next one's guest time, the last
        // one its own.
        .contains("\"halted\": 250")
        .contains("\"halted\": " + (249 * (STEP_NANOS - 1_000) + 20_000))
        .contains("{\"EPT fault in ram-low\": 250, \"hlt\": 250}")
        // A fault that the trace tells no vCPU of.
        .contains("\"vCPU not known\": [{\"categories\": {\"exit\": 1}")
        .contains("\"vector 48\"")
        .contains("\"a line\"")
        .contains("\"booted\"")
        // Counters: all exits, one interrupt, every page by its size.
        .contains("\"sum\": " + (2 * STEPS + 1))
        .contains("\"last\": " + (125L * (1 << 12) + 125L * (1 << 21)));
  }

  @Test
  void fileThatCannotBeMadeIsOneLine() {
    Path file = directory.resolve("absent").resolve("trace.pftrace");
    assertThatThrownBy(() -> PerfettoTrace.write(source(), file))
        .isInstanceOf(IOException.class)
        .hasMessage("cannot write " + file + ": no such folder");
    assertThat(Files.exists(file)).isFalse();
  }
}
