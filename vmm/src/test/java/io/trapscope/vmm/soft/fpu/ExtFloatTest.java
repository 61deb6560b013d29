package io.trapscope.vmm.soft.fpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** 80-bit arithmetic against exact decimal arithmetic, and transcendentals against the JVM's. */
class ExtFloatTest {
  private static final int ROUNDS = 3_000;

  private final ExtFloat ext = new ExtFloat();
  private final Random random = new Random(20260102);

  private static BigDecimal value(int se, long mant) {
    BigDecimal sig = new BigDecimal(Long.toUnsignedString(mant));
    int power = (se & 0x7FFF) - ExtFloat.BIAS - 63;
    BigDecimal scale = BigDecimal.valueOf(2).pow(Math.abs(power));
    BigDecimal magnitude =
        power >= 0 ? sig.multiply(scale) : sig.divide(scale, MathContext.UNLIMITED);
    return (se & 0x8000) != 0 ? magnitude.negate() : magnitude;
  }

  private int exponent() {
    return (random.nextBoolean() ? 0x8000 : 0) | ExtFloat.BIAS + random.nextInt(140) - 70;
  }

  private long significand() {
    long bits = random.nextLong() | Long.MIN_VALUE;
    return random.nextBoolean() ? bits : bits & -1L << random.nextInt(63);
  }

  /** The result must be within half a unit of the last place: that is round to nearest. */
  private void isNearest(BigDecimal exact) {
    BigDecimal unit = value(ext.se & 0x7FFF, 1);
    BigDecimal error = value(ext.se, ext.mant).subtract(exact).abs();
    assertThat(error.multiply(BigDecimal.valueOf(2))).isLessThanOrEqualTo(unit);
    boolean inexact = (ext.soft.flags & SoftFloat.PRECISION) != 0;
    assertThat(inexact).isEqualTo(error.signum() != 0);
  }

  @Test
  void sumsAndProductsAreNearestWithExactFlags() {
    for (int i = 0; i < ROUNDS; i++) {
      int aSe = exponent();
      int bSe = exponent();
      long a = significand();
      long b = significand();
      ext.soft.flags = 0;
      ext.add(aSe, a, bSe, b);
      isNearest(value(aSe, a).add(value(bSe, b)));
      ext.soft.flags = 0;
      ext.mul(aSe, a, bSe, b);
      isNearest(value(aSe, a).multiply(value(bSe, b)));
    }
  }

  @Test
  void quotientsAndRootsAreNearest() {
    MathContext digits = new MathContext(80);
    for (int i = 0; i < ROUNDS; i++) {
      int aSe = exponent();
      int bSe = exponent();
      long a = significand();
      long b = significand();
      ext.soft.flags = 0;
      ext.div(aSe, a, bSe, b);
      BigDecimal unit = value(ext.se & 0x7FFF, 1);
      BigDecimal exact = value(aSe, a).divide(value(bSe, b), digits);
      BigDecimal half = unit.divide(BigDecimal.valueOf(2), digits);
      assertThat(value(ext.se, ext.mant).subtract(exact, digits).abs().round(new MathContext(30)))
          .isLessThanOrEqualTo(half.round(new MathContext(30)));
      ext.sqrt(aSe & 0x7FFF, a);
      BigDecimal root = value(aSe & 0x7FFF, a).sqrt(digits);
      BigDecimal rootHalf = value(ext.se, 1).divide(BigDecimal.valueOf(2), digits);
      assertThat(value(ext.se, ext.mant).subtract(root, digits).abs().round(new MathContext(30)))
          .isLessThanOrEqualTo(rootHalf.round(new MathContext(30)));
    }
  }

  @Test
  void remainderIsExact() {
    for (int i = 0; i < ROUNDS; i++) {
      int aSe = exponent() & 0x7FFF;
      int bSe = aSe - random.nextInt(62) + 2;
      long a = significand();
      long b = significand();
      ext.remainder(aSe, a, bSe, b, false);
      assertThat(ext.partial).isFalse();
      BigDecimal[] parts = value(aSe, a).divideAndRemainder(value(bSe, b));
      BigDecimal actual = ext.mant == 0 ? BigDecimal.ZERO : value(ext.se, ext.mant);
      assertThat(actual).isEqualByComparingTo(parts[1]);
      assertThat(ext.quotient).isEqualTo(parts[0].toBigInteger().intValue() & 7);
    }
  }

  private double rounded() {
    return Double.longBitsToDouble(ext.toFloat64(ext.se, ext.mant));
  }

  private void isClose(double expected) {
    assertThat(Math.abs(rounded() - expected)).isLessThanOrEqualTo(2 * Math.ulp(expected));
  }

  private void load(double value) {
    ext.operand64(Double.doubleToRawLongBits(value));
  }

  @Test
  void transcendentalsAgreeWithTheJvm() {
    ExtTranscendental function = new ExtTranscendental(ext);
    for (int i = 0; i < 2000; i++) {
      double x = (random.nextDouble() - 0.5) * Math.scalb(1, 2 - random.nextInt(30));
      load(x);
      int se = ext.se;
      long mant = ext.mant;
      function.angle(ExtTranscendental.Angle.SIN, se, mant);
      isClose(Math.sin(x));
      function.angle(ExtTranscendental.Angle.COS, se, mant);
      isClose(Math.cos(x));
      function.angle(ExtTranscendental.Angle.TAN, se, mant);
      isClose(Math.tan(x));
      if (Math.abs(x) < 1) {
        function.exp2Minus1(se, mant);
        isClose(Math.expm1(x * Math.log(2)));
        function.yLog2Plus1(se, mant, ExtFloat.BIAS, ExtFloat.ONE);
        isClose(Math.log1p(x) / Math.log(2));
      }
      double y = random.nextGaussian();
      load(y);
      int ySe = ext.se;
      long yMant = ext.mant;
      function.atan(ySe, yMant, se, mant);
      isClose(Math.atan2(y, x));
      function.yLog2(ySe & 0x7FFF, yMant, ExtFloat.BIAS, ExtFloat.ONE);
      double log = Math.log(Math.abs(y)) / Math.log(2);
      double slack = 1e-15 + 4 * Math.ulp(log);
      assertThat(Math.abs(rounded() - log)).isLessThanOrEqualTo(slack);
    }
  }

  @Test
  void packedDecimalGoesThereAndBack() {
    for (int i = 0; i < ROUNDS; i++) {
      long value = random.nextLong() % 1_000_000_000_000_000_000L;
      ext.fromInteger(value);
      long digits = ext.toBcd(ext.se, ext.mant);
      assertThat(Long.toHexString(digits)).matches("[0-9]+");
      ext.fromBcd(digits, ext.bcdHigh);
      assertThat(ext.toInteger(ext.se, ext.mant, 64, false)).isEqualTo(value);
    }
  }
}
