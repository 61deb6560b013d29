package io.trapscope.vmm.soft.differential;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every difference from real hardware that was ever found, as a small case with the state that
 * hardware ends in (an Intel processor of family 6, model 167). Runs everywhere.
 */
class RecordedCasesTest {
  private final SoftRunner soft = new SoftRunner();

  static List<String> cases() throws IOException {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                RecordedCasesTest.class.getResourceAsStream("cases.txt"),
                StandardCharsets.UTF_8))) {
      return reader.lines().filter(line -> !line.isBlank() && !line.startsWith("#")).toList();
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void endsAsHardwareDoes(String line) {
    CaseText.Recorded recorded = CaseText.parse(line);
    TestResult actual = soft.run(recorded.test());
    // The line does not tell these.
    recorded.expected().rest = actual.rest;
    System.arraycopy(actual.fx, 8, recorded.expected().fx, 8, 16);
    assertThat(Comparison.of(recorded.test(), recorded.expected(), actual, true)).isEmpty();
  }

  @Test
  void aWrongExpectationIsNoticed() throws IOException {
    CaseText.Recorded recorded = CaseText.parse(cases().get(0));
    recorded.expected().gpr[0] ^= 1;
    TestResult actual = soft.run(recorded.test());
    assertThat(Comparison.of(recorded.test(), recorded.expected(), actual, true))
        .anyMatch(difference -> difference.startsWith("rax:"));
  }
}
