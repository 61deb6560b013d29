package io.trapscope.vmm.pc;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.vmm.run.RunResult;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a guest does to the devices, the machine runs on or ends as its guest asked for. */
class DeviceFuzzTest {
  private static final long ACCESSES = 20_000;

  static long[] seeds() {
    return new long[] {3, System.nanoTime()};
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void anyAccessIsAnswered(long seed) {
    long exits = 0;
    for (int guest = 0; exits < ACCESSES; guest++) {
      RunResult result = DeviceFuzz.run(seed + guest, ACCESSES);
      exits += result.exits();
      assertThat(result.isNormal()).as("seed %d: %s", seed + guest, result.text()).isTrue();
    }
  }
}
