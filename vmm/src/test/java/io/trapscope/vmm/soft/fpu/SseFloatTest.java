package io.trapscope.vmm.soft.fpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** The exact path and the quick path of SSE arithmetic against the JVM's IEEE 754 arithmetic. */
class SseFloatTest {
  private static final int DEFAULT = 0x1F80;

  /** PE unmasked: keeps off the quick path and changes no result. */
  private static final int EXACT_PATH = DEFAULT & ~(SoftFloat.PRECISION << SseFloat.MASK_SHIFT);

  private static final int ROUNDS = 200_000;

  private final SseFloat sse = new SseFloat();
  private final Random random = new Random(20260101);

  private double operand() {
    return switch (random.nextInt(4)) {
      case 0 -> Double.longBitsToDouble(random.nextLong());
      case 1 -> random.nextInt(2000) - 1000;
      case 2 -> Double.longBitsToDouble(random.nextLong() >>> random.nextInt(64));
      default -> (random.nextDouble() - 0.5) * Math.scalb(1, random.nextInt(200) - 100);
    };
  }

  private static void same(double expected, long actual, double a, double b) {
    if (!Double.isNaN(expected)) {
      assertThat(actual)
          .as("%s and %s", Double.toHexString(a), Double.toHexString(b))
          .isEqualTo(Double.doubleToRawLongBits(expected));
    }
  }

  private static void same(float expected, int actual, float a, float b) {
    if (!Float.isNaN(expected)) {
      assertThat(actual)
          .as("%s and %s", Float.toHexString(a), Float.toHexString(b))
          .isEqualTo(Float.floatToRawIntBits(expected));
    }
  }

  @Test
  void binary64AgreesWithTheJvm() {
    for (int i = 0; i < ROUNDS; i++) {
      double a = operand();
      double b = operand();
      long x = Double.doubleToRawLongBits(a);
      long y = Double.doubleToRawLongBits(b);
      sse.begin((i & 1) == 0 ? DEFAULT : EXACT_PATH);
      same(a + b, sse.add64(x, y), a, b);
      same(a - b, sse.sub64(x, y), a, b);
      same(a * b, sse.mul64(x, y), a, b);
      same(a / b, sse.div64(x, y), a, b);
      same(Math.sqrt(a), sse.sqrt64(x), a, a);
      same((float) a, sse.narrow(x), (float) a, 0);
    }
  }

  @Test
  void binary32AgreesWithTheJvm() {
    for (int i = 0; i < ROUNDS; i++) {
      float a = (i & 2) == 0 ? (float) operand() : Float.intBitsToFloat(random.nextInt());
      float b = (i & 4) == 0 ? (float) operand() : Float.intBitsToFloat(random.nextInt());
      int x = Float.floatToRawIntBits(a);
      int y = Float.floatToRawIntBits(b);
      sse.begin((i & 1) == 0 ? DEFAULT : EXACT_PATH);
      same(a + b, sse.add32(x, y), a, b);
      same(a - b, sse.sub32(x, y), a, b);
      same(a * b, sse.mul32(x, y), a, b);
      same(a / b, sse.div32(x, y), a, b);
      same((float) Math.sqrt(a), sse.sqrt32(x), a, a);
      same((double) a, sse.widen(x), a, a);
    }
  }

  @Test
  void quickAndExactPathRaiseTheSameFlags() {
    for (int i = 0; i < ROUNDS; i++) {
      long x = Double.doubleToRawLongBits(operand());
      long y = Double.doubleToRawLongBits(operand());
      int kind = random.nextInt(5);
      assertThat(flags64(DEFAULT, kind, x, y))
          .as("operation %d on %x, %x", kind, x, y)
          .isEqualTo(flags64(EXACT_PATH, kind, x, y));
    }
  }

  private int flags64(int mxcsr, int kind, long x, long y) {
    sse.begin(mxcsr);
    switch (kind) {
      case 0 -> sse.add64(x, y);
      case 1 -> sse.sub64(x, y);
      case 2 -> sse.mul64(x, y);
      case 3 -> sse.div64(x, y);
      default -> sse.sqrt64(x);
    }
    return sse.flags();
  }

  @Test
  void integersConvertAsTheJvmConvertsThem() {
    for (int i = 0; i < ROUNDS; i++) {
      long value = random.nextLong() >> random.nextInt(64);
      sse.begin(DEFAULT);
      assertThat(sse.fromInteger64(value)).isEqualTo(Double.doubleToRawLongBits((double) value));
      assertThat(sse.fromInteger32(value)).isEqualTo(Float.floatToRawIntBits((float) value));
      double a = operand();
      if (Math.abs(a) < 0x1p62) {
        long bits = Double.doubleToRawLongBits(a);
        assertThat(sse.toInteger64(bits, 64, true)).isEqualTo((long) a);
        assertThat(sse.toInteger64(bits, 64, false)).isEqualTo((long) Math.rint(a));
        assertThat(sse.round64(bits, SoftFloat.DOWN, true))
            .isEqualTo(Double.doubleToRawLongBits(Math.floor(a)));
      }
    }
  }

  @Test
  void roundingModesBracketTheExactResult() {
    long third = Double.doubleToRawLongBits(3);
    long one = Double.doubleToRawLongBits(1);
    sse.begin(DEFAULT | SoftFloat.DOWN << SseFloat.ROUND_SHIFT);
    long below = sse.div64(one, third);
    assertThat(sse.flags()).isEqualTo(SoftFloat.PRECISION);
    sse.begin(DEFAULT | SoftFloat.UP << SseFloat.ROUND_SHIFT);
    assertThat(sse.div64(one, third)).isEqualTo(below + 1);
  }
}
