package io.trapscope.vmm.soft.differential;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Software processor against the processor of the host: a quick run of what {@code differential}
 * does.
 */
class DifferentialTest {
  private static final long CASES = 12_000;

  /** Fewer, because a class is made for nearly each. */
  private static final long GENERATED_CASES = 2_400;

  /** Fixed, so that a build says the same each time; {@code vmm/differential} takes new ones. */
  static long[] seeds() {
    return new long[] {20260101, 20260102};
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void agreesWithTheHost(long seed) throws Exception {
    compare(new SoftRunner(), CASES, seed);
  }

  @Test
  void generatedCodeAgreesWithTheHost() throws Exception {
    SoftRunner soft = SoftRunner.generated();
    compare(soft, GENERATED_CASES, 20260103);
    assertThat(soft.generatedRegions()).isGreaterThan(GENERATED_CASES / 2);
  }

  private static void compare(SoftRunner soft, long total, long seed) throws Exception {
    String missing = Oracle.missing();
    assumeTrue(missing == null, missing);
    ByteArrayOutputStream report = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(report, true, StandardCharsets.UTF_8);
    long mismatches;
    long cases;
    try (Oracle oracle = Oracle.start()) {
      DifferentialRun run = new DifferentialRun(oracle, soft, seed, out);
      mismatches = run.run(total, "");
      run.report();
      run.summary();
      cases = run.counts().values().stream().mapToLong(c -> c.cases).sum();
    }
    assertThat(mismatches)
        .as("seed %d: %s", seed, report.toString(StandardCharsets.UTF_8))
        .isZero();
    assertThat(cases).isGreaterThanOrEqualTo(total);
  }
}
