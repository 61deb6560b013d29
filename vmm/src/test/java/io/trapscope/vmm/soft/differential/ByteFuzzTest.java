package io.trapscope.vmm.soft.differential;

import static org.assertj.core.api.Assertions.assertThatCode;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random bytes as guest code never raise a host exception. */
class ByteFuzzTest {
  private static final int SEQUENCES = 20_000;

  static long[] seeds() {
    return new long[] {1, System.nanoTime()};
  }

  @ParameterizedTest(name = "seeds from {0}")
  @MethodSource("seeds")
  void anyBytesAreCode(long first) {
    FuzzRunner fuzz = new FuzzRunner();
    for (int i = 0; i < SEQUENCES; i++) {
      long seed = first + i;
      assertThatCode(() -> fuzz.run(seed)).as("seed %d", seed).doesNotThrowAnyException();
    }
  }
}
