package io.trapscope.vmm.soft.fpu;

/**
 * RCPSS and RSQRTSS on one binary32: the exact value cut to 12 bits after rounding, within the
 * relative error of 1.5 * 2^-12 that the SDM allows. Processors differ in the bits they give.
 */
final class Approximation {
  private static final int SIGN = 0x8000_0000;
  private static final int INFINITY = 0x7F80_0000;
  private static final int SMALLEST = 0x0080_0000;
  private static final int QUIET = 0x0040_0000;
  private static final int INDEFINITE = 0xFFC0_0000;

  /** Bits below the 12 that are kept. */
  private static final int DROPPED = 12;

  private Approximation() {}

  /** 1 / x, or 1 / sqrt(x) for {@code root}. Denormals count as zero. */
  static int of(int x, boolean root) {
    int magnitude = x & ~SIGN;
    if (magnitude > INFINITY) {
      return x | QUIET;
    }
    if (magnitude < SMALLEST) {
      return x & SIGN | INFINITY;
    }
    if (root && x < 0) {
      return INDEFINITE;
    }
    if (magnitude == INFINITY) {
      return x & SIGN;
    }
    double value = Float.intBitsToFloat(x);
    float exact = (float) (root ? 1 / Math.sqrt(value) : 1 / value);
    int bits = Float.floatToRawIntBits(exact);
    if ((bits & ~SIGN) <= SMALLEST) {
      // Hardware flushes even the reciprocal of 2^126, which would just be normal.
      return bits & SIGN;
    }
    int half = 1 << (DROPPED - 1);
    return bits + half & -1 << DROPPED;
  }
}
