package io.trapscope.analyzer.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BudgetTest {
  @TempDir Path directory;

  /** On two vCPUs: 6 CPUID exits of 100 ns each, 4 HLT exits; a phase "later" from 6 us on. */
  private static Results results(boolean timed) {
    MemoryTrace trace = new MemoryTrace(2);
    for (int i = 0; i < 10; i++) {
      long time = 1000L * (i + 1);
      boolean cpuid = i % 5 < 3;
      trace.add(
          i % 2,
          cpuid ? EventType.CPUID : EventType.HLT,
          event -> {
            event
                .put(Field.TIME, time)
                .put(Field.REASON, (cpuid ? ExitReason.CPUID : ExitReason.HLT).code());
            if (timed) {
              event.put(Field.GUEST_TIME, 50).put(Field.DEVICE_TIME, cpuid ? 100 : 0);
            }
          });
    }
    byte[] name = "later".getBytes(StandardCharsets.UTF_8);
    trace.add(
        0,
        EventType.MARK,
        event -> event.put(Field.TIME, 6000).putBytes(Field.DATA, name, 0, name.length));
    return Analysis.run(
        trace, List.of(Reports.named("exit_histogram"), Reports.named("phases")), 1);
  }

  private List<String> broken(String text) throws IOException {
    return broken(text, true);
  }

  private List<String> broken(String text, boolean timed) throws IOException {
    Path file = Files.writeString(directory.resolve("budget.json"), text);
    return Budget.read(file).broken(results(timed));
  }

  @Test
  void aTimeThatTheTraceDoesNotTellKeepsToNothing() throws IOException {
    assertThat(
            broken(
                """
                {"budget": [
                  {"max_exits": 10, "max_guest_ns": 1000000},
                  {"phase": "later", "reason": "CPUID", "max_handling_ns": 1000000}
                ]}
                """,
                false))
        .containsExactly(
            "all exits: the trace does not tell guest time",
            "later: CPUID: the trace does not tell handling times");
  }

  @Test
  void whatKeepsToItBreaksNothing() throws IOException {
    assertThat(
            broken(
                """
                {"budget": [
                  {"max_exits": 10}, // all of them
                  {"reason": "CPUID", "max_exits": 6, "max_handling_ns": 600, "max_guest_ns": 300},
                  {"reason": "RDMSR", "max_exits": 0} /* there is none */
                ]}
                """))
        .isEmpty();
  }

  @Test
  void eachBrokenLimitIsNamed() throws IOException {
    assertThat(
            broken(
                """
                {"budget": [
                  {"max_exits": 9, "max_guest_ns": 499},
                  {"reason": "CPUID", "max_exits": 5, "max_handling_ns": 599},
                  {"reason": "hlt", "max_exits": 4}
                ]}
                """))
        .containsExactly(
            "all exits: 10 exits, 9 allowed",
            "all exits: 500 ns of guest time, 499 ns allowed",
            "CPUID: 6 exits, 5 allowed",
            "CPUID: 600 ns of handling, 599 ns allowed");
  }

  @Test
  void limitsOnAPhase() throws IOException {
    assertThat(
            broken(
                """
                {"budget": [
                  {"phase": "run", "max_exits": 5},
                  {"phase": "later", "max_exits": 4, "max_handling_ns": 300},
                  {"phase": "later", "reason": "CPUID", "max_exits": 2, "max_handling_ns": 299},
                  {"phase": "run", "reason": "RDMSR", "max_exits": 0},
                  {"phase": "late", "max_exits": 100}
                ]}
                """))
        .containsExactly(
            "later: all exits: 5 exits, 4 allowed",
            "later: CPUID: 3 exits, 2 allowed",
            "later: CPUID: 300 ns of handling, 299 ns allowed",
            "late: the run has no such phase");
    Path plain =
        Files.writeString(directory.resolve("plain.json"), "{\"budget\": [{\"max_exits\": 1}]}");
    assertThat(Budget.read(plain).reports()).containsExactly("exit_histogram");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[] | expected an object",
        "{} | expected \"budget\"",
        "{\"limits\": []} | the only member",
        "{\"budget\": []} | empty",
        "{\"budget\": [{}]} | needs max_exits",
        "{\"budget\": [{\"reason\": \"CPUIDD\", \"max_exits\": 1}]} | no exit reason \"CPUIDD\"",
        "{\"budget\": [{\"max_exit\": 1}]} | there is no \"max_exit\"",
        "{\"budget\": [{\"max_exits\": -1}]} | whole number",
        "{\"budget\": [{\"max_exits\": 1.5}]} | whole number",
        "{\"budget\": [{\"max_exits\": 1, \"max_exits\": 2}]} | Duplicate",
        "{\"budget\": [{\"max_exits\": 1} | line 1",
        "{\"budget\": [{\"max_exits\": 1}], \"more\": 1} | the only member",
      })
  void whatIsWrongIsSaid(String text, String message) {
    assertThatThrownBy(() -> broken(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message)
        .hasMessageContaining("line 1");
  }
}
