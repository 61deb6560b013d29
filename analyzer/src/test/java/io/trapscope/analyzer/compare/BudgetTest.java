package io.trapscope.analyzer.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.analyzer.table.Table;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BudgetTest {
  @TempDir Path directory;

  /** On two vCPUs: 6 CPUID exits of 100 ns each, 4 HLT exits. */
  private static Table histogram() {
    MemoryTrace trace = new MemoryTrace(2);
    for (int i = 0; i < 10; i++) {
      long time = 1000L * (i + 1);
      boolean cpuid = i % 5 < 3;
      trace.add(
          i % 2,
          cpuid ? EventType.CPUID : EventType.HLT,
          event ->
              event
                  .put(Field.TIME, time)
                  .put(Field.REASON, (cpuid ? ExitReason.CPUID : ExitReason.HLT).code())
                  .put(Field.GUEST_TIME, 50)
                  .put(Field.DEVICE_TIME, cpuid ? 100 : 0));
    }
    return Analysis.run(trace, List.of(Reports.named("exit_histogram")), 1)
        .table("exit_histogram")
        .orElseThrow();
  }

  private List<String> broken(String text) throws IOException {
    return Budget.read(Files.writeString(directory.resolve("budget.json"), text))
        .broken(histogram());
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
