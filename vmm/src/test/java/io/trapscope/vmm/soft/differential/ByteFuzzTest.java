package io.trapscope.vmm.soft.differential;

import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random bytes as guest code never raise a host exception, and every run of them ends. */
class ByteFuzzTest {
  private static final int SEQUENCES = 20_000;

  static long[] seeds() {
    return new long[] {1, System.nanoTime()};
  }

  @ParameterizedTest(name = "seeds from {0}")
  @MethodSource("seeds")
  @Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void anyBytesAreCode(long first) {
    try (FuzzRunner fuzz =
        new FuzzRunner(seed -> System.err.println("seed " + seed + " does not end"))) {
      for (int i = 0; i < SEQUENCES; i++) {
        long seed = first + i;
        assertThatCode(() -> fuzz.run(seed)).as("seed %d", seed).doesNotThrowAnyException();
      }
    }
  }
}
