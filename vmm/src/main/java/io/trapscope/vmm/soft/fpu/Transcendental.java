package io.trapscope.vmm.soft.fpu;

import java.math.BigInteger;

/**
 * The x87's transcendental instructions on finite, nonzero operands, each computed in fixed point
 * to about 70 bits beyond what is kept and then rounded once.
 *
 * <p>So results are correctly rounded but in the rarest of cases; the SDM promises less than 1 ulp
 * for hardware (volume 1, section 8.3.10), whose results can differ from these in the last place.
 * Trigonometric arguments are reduced with hardware's 66-bit value of pi (section 8.3.8), so that
 * they agree near its multiples too. Special operands are the business of {@link
 * ExtTranscendental}.
 */
final class Transcendental {
  /** Fraction bits beyond a result's own 64. */
  private static final int GUARD = 76;

  /**
   * Below this exponent, a function is its first Taylor term to 64 bits and a rounding direction.
   */
  private static final int TINY = -68;

  private static final BigInteger ONE = BigInteger.ONE;
  private static final int CONSTANT_BITS = 400;

  /** Hardware's pi: 66 bits, C90FDAA2 2168C234 C * 2^-66 * 4 (SDM volume 1, section 8.3.8). */
  private static final BigInteger PI_66 = new BigInteger("C90FDAA22168C234C", 16);

  /** PI_66 = pi * 2^PI_SHIFT. */
  private static final int PI_SHIFT = 66;

  private static final BigInteger LN2 = lnRatio(ONE.shiftLeft(1), ONE, CONSTANT_BITS);
  private static final BigInteger PI = machinPi(CONSTANT_BITS);

  private final SoftFloat soft;

  Transcendental(SoftFloat soft) {
    this.soft = soft;
  }

  // ---- fixed point ---------------------------------------------------------------------------

  /** sig * 2^(exp - 63) with {@code bits} fraction bits, magnitude only. */
  private static BigInteger fixed(int exp, long sig, int bits) {
    return unsigned(sig).shiftLeft(exp - 63 + bits);
  }

  private static BigInteger unsigned(long value) {
    BigInteger low = BigInteger.valueOf(value & Long.MAX_VALUE);
    return value < 0 ? low.setBit(63) : low;
  }

  /** Makes a fixed-point number, known to be inexact, the working number. */
  private void set(boolean sign, BigInteger magnitude, int bits) {
    int length = magnitude.bitLength();
    BigInteger top = magnitude.shiftRight(length - 128);
    soft.set(sign, length - 1 - bits, top.shiftRight(64).longValue(), top.longValue() | 1);
  }

  /**
   * A result next to x but below. The smallest normal number stays itself, as on hardware: no
   * underflow.
   */
  private void setBelow(boolean sign, int exp, long sig) {
    if (exp == -16382 && sig == Long.MIN_VALUE) {
      soft.set(sign, exp, sig, 0);
      soft.flags |= SoftFloat.PRECISION;
    } else {
      setNear(sign, exp, sig, false);
    }
  }

  /**
   * The working number one step of a 128-bit significand away from a number: inexact, that side.
   */
  private void setNear(boolean sign, int exp, long sig, boolean above) {
    if (above) {
      soft.set(sign, exp, sig, 1);
    } else if (sig == Long.MIN_VALUE) {
      soft.set(sign, exp - 1, -1L, -1L);
    } else {
      soft.set(sign, exp, sig - 1, -1L);
    }
  }

  /** ln(n / d) for a ratio between 1/2 and 2: twice the series of artanh((n - d) / (n + d)). */
  private static BigInteger lnRatio(BigInteger n, BigInteger d, int bits) {
    BigInteger z = n.subtract(d).shiftLeft(bits).divide(n.add(d));
    BigInteger square = z.multiply(z).shiftRight(bits);
    BigInteger sum = BigInteger.ZERO;
    BigInteger power = z;
    for (int k = 1; power.bitLength() > 1; k += 2) {
      sum = sum.add(power.divide(BigInteger.valueOf(k)));
      power = power.multiply(square).shiftRight(bits);
    }
    return sum.shiftLeft(1);
  }

  /** Series of arctan for a small fixed-point argument. */
  private static BigInteger atanSeries(BigInteger x, int bits) {
    BigInteger square = x.multiply(x).shiftRight(bits);
    BigInteger sum = BigInteger.ZERO;
    BigInteger power = x;
    for (int k = 1; power.bitLength() > 1; k += 2) {
      BigInteger term = power.divide(BigInteger.valueOf(k));
      sum = (k & 2) == 0 ? sum.add(term) : sum.subtract(term);
      power = power.multiply(square).shiftRight(bits);
    }
    return sum;
  }

  private static BigInteger machinPi(int bits) {
    BigInteger one = ONE.shiftLeft(bits);
    BigInteger fifth = atanSeries(one.divide(BigInteger.valueOf(5)), bits);
    BigInteger small = atanSeries(one.divide(BigInteger.valueOf(239)), bits);
    return fifth.shiftLeft(2).subtract(small).shiftLeft(2);
  }

  // ---- exponential and logarithm -------------------------------------------------------------

  /** 2^x - 1 for |x| below or at 1. */
  void exp2Minus1(boolean sign, int exp, long sig) {
    if (exp < TINY) {
      timesLn2(sign, exp, sig);
      return;
    }
    int bits = 64 + GUARD - exp;
    BigInteger ln2 = LN2.shiftRight(CONSTANT_BITS - bits);
    BigInteger x = fixed(exp, sig, bits).multiply(ln2).shiftRight(bits);
    x = sign ? x.negate() : x;
    BigInteger sum = BigInteger.ZERO;
    BigInteger term = x;
    for (int k = 2; term.bitLength() > 1; k++) {
      sum = sum.add(term);
      term = term.multiply(x).shiftRight(bits).divide(BigInteger.valueOf(k));
    }
    set(sign, sum.abs(), bits);
  }

  private void timesLn2(boolean sign, int exp, long sig) {
    BigInteger product = unsigned(sig).multiply(LN2.shiftRight(CONSTANT_BITS - 160));
    set(sign, product, 160 + 63 - exp);
  }

  /** y * log2(x) for positive x other than 1. Exact where x is a power of two. */
  void yLog2(int xExp, long xSig, boolean ySign, int yExp, long ySig) {
    if (xSig == Long.MIN_VALUE) {
      soft.setInteger(xExp);
      soft.mulFinite(soft.sign, soft.exp, soft.sig, ySign, yExp, ySig);
      return;
    }
    timesY(log2(xExp, unsigned(xSig), 63), LOG_BITS, ySign, yExp, ySig);
  }

  /** Fraction bits of {@link #log2}: enough for a result of 2^-64, near x = 1. */
  private static final int LOG_BITS = 128 + GUARD;

  /** log2 of x = sig / 2^top * 2^exp, where sig has top + 1 bits. */
  private static BigInteger log2(int exp, BigInteger sig, int top) {
    // Mantissa between 3/4 and 3/2, so that the logarithm keeps its bits near x = 1.
    boolean high = sig.testBit(top - 1);
    int whole = high ? exp + 1 : exp;
    BigInteger log = lnRatio(sig, ONE.shiftLeft(high ? top + 1 : top), LOG_BITS);
    log = log.shiftLeft(LOG_BITS).divide(LN2.shiftRight(CONSTANT_BITS - LOG_BITS));
    return log.add(BigInteger.valueOf(whole).shiftLeft(LOG_BITS));
  }

  /** y * log2(1 + x) for x above -1; the SDM defines it for |x| below 1 - sqrt(1/2) only. */
  void yLog2Plus1(boolean xSign, int xExp, long xSig, boolean ySign, int yExp, long ySig) {
    BigInteger log;
    int bits;
    if (xExp > 100) {
      yLog2(xExp, xSig, ySign, yExp, ySig);
      return;
    }
    if (xExp >= -2) {
      BigInteger x = unsigned(xSig).shiftLeft(xExp + 2);
      BigInteger one = ONE.shiftLeft(65);
      BigInteger sum = xSign ? one.subtract(x) : one.add(x);
      bits = LOG_BITS;
      int top = sum.bitLength() - 1;
      log = log2(top - 65, sum, top);
    } else if (xExp < TINY) {
      bits = 160 + 63 - xExp;
      BigInteger inverse = ONE.shiftLeft(2 * 160).divide(LN2.shiftRight(CONSTANT_BITS - 160));
      log = unsigned(xSig).multiply(inverse);
      log = xSign ? log.negate() : log;
    } else {
      bits = 64 + GUARD - xExp;
      BigInteger one = ONE.shiftLeft(bits);
      BigInteger x = fixed(xExp, xSig, bits);
      log = lnRatio(xSign ? one.subtract(x) : one.add(x), one, bits);
      log = log.shiftLeft(bits).divide(LN2.shiftRight(CONSTANT_BITS - bits));
    }
    timesY(log, bits, ySign, yExp, ySig);
  }

  private void timesY(BigInteger log, int bits, boolean ySign, int yExp, long ySig) {
    set(ySign ^ log.signum() < 0, log.abs().multiply(unsigned(ySig)), bits + 63 - yExp);
  }

  // ---- trigonometry --------------------------------------------------------------------------

  private BigInteger reduced;
  private int reducedBits;
  private int quadrant;

  /** Takes multiples of pi/2 off |x| below 2^63: |rest| up to pi/4 in {@link #reduced}. */
  private void reduce(int exp, long sig) {
    reducedBits = 64 + GUARD + Math.max(0, -exp) + 66;
    BigInteger x = fixed(exp, sig, reducedBits);
    BigInteger half = PI_66.shiftLeft(reducedBits - PI_SHIFT - 1);
    BigInteger[] parts = x.shiftLeft(1).add(half).divideAndRemainder(half.shiftLeft(1));
    quadrant = parts[0].intValue() & 3;
    reduced = x.subtract(parts[0].multiply(half));
  }

  private static BigInteger series(BigInteger x, BigInteger first, int factor, int bits) {
    BigInteger square = x.multiply(x).shiftRight(bits);
    BigInteger sum = BigInteger.ZERO;
    BigInteger term = first;
    for (int k = factor; term.bitLength() > 1; k += 2) {
      sum = sum.add(term);
      term = term.multiply(square).shiftRight(bits).negate();
      term = term.divide(BigInteger.valueOf((long) k * (k + 1)));
    }
    return sum;
  }

  private BigInteger sinReduced() {
    return series(reduced, reduced, 2, reducedBits);
  }

  private BigInteger cosReduced() {
    return series(reduced, ONE.shiftLeft(reducedBits), 1, reducedBits);
  }

  private void setSigned(BigInteger value, boolean flip, int bits) {
    set(flip ^ value.signum() < 0, value.abs(), bits);
  }

  /** sin x for |x| below 2^63. */
  void sin(boolean sign, int exp, long sig) {
    if (exp < TINY) {
      setBelow(sign, exp, sig);
      return;
    }
    reduce(exp, sig);
    BigInteger value = (quadrant & 1) == 0 ? sinReduced() : cosReduced();
    setSigned(value, sign ^ (quadrant & 2) != 0, reducedBits);
  }

  /** cos x for |x| below 2^63. */
  void cos(int exp, long sig) {
    if (exp < TINY) {
      setNear(false, 0, Long.MIN_VALUE, false);
      return;
    }
    reduce(exp, sig);
    BigInteger value = (quadrant & 1) == 0 ? cosReduced() : sinReduced();
    setSigned(value, quadrant == 1 || quadrant == 2, reducedBits);
  }

  /** tan x for |x| below 2^63. */
  void tan(boolean sign, int exp, long sig) {
    if (exp < TINY) {
      setNear(sign, exp, sig, true);
      return;
    }
    reduce(exp, sig);
    BigInteger sin = sinReduced();
    BigInteger cos = cosReduced();
    BigInteger value =
        (quadrant & 1) == 0
            ? sin.shiftLeft(reducedBits).divide(cos)
            : cos.negate().shiftLeft(reducedBits).divide(sin);
    setSigned(value, sign, reducedBits);
  }

  /** Kinds of {@link #atan}'s result. */
  private static final int MAX_RATIO = 70;

  /** Angle of the point (x, y), in the quadrant that their signs say; both finite and nonzero. */
  void atan(boolean ySign, int yExp, long ySig, boolean xSign, int xExp, long xSig) {
    int ratio = yExp - xExp;
    if (ratio < -MAX_RATIO && !xSign) {
      soft.divFinite(ySign, yExp, ySig, false, xExp, xSig);
      if (soft.low == 0) {
        setBelow(ySign, soft.exp, soft.sig);
      }
      return;
    }
    int bits = 64 + GUARD + Math.min(Math.abs(ratio), MAX_RATIO + 2) + 4;
    BigInteger pi = PI.shiftRight(CONSTANT_BITS - bits);
    if (Math.abs(ratio) > MAX_RATIO) {
      // The angle is pi/2 or pi but for less than the last place, on the inner side.
      BigInteger value = ratio > 0 ? pi.shiftRight(1) : pi;
      BigInteger aside = ONE.shiftLeft(bits - MAX_RATIO);
      set(ySign, xSign && ratio > 0 ? value.add(aside) : value.subtract(aside), bits);
      return;
    }
    BigInteger y = unsigned(ySig).shiftLeft(Math.max(ratio, 0));
    BigInteger x = unsigned(xSig).shiftLeft(Math.max(-ratio, 0));
    boolean steep = y.compareTo(x) > 0;
    BigInteger slope = (steep ? x : y).shiftLeft(bits).divide(steep ? y : x);
    BigInteger angle = atanFixed(slope, bits);
    if (steep) {
      angle = pi.shiftRight(1).subtract(angle);
    }
    set(ySign, xSign ? pi.subtract(angle) : angle, bits);
  }

  /** arctan of a slope from 0 to 1: halves the angle three times, then sums the series. */
  private static BigInteger atanFixed(BigInteger slope, int bits) {
    BigInteger one = ONE.shiftLeft(2 * bits);
    BigInteger t = slope;
    for (int i = 0; i < 3; i++) {
      BigInteger root = one.add(t.multiply(t)).sqrt();
      t = t.shiftLeft(bits).divide(root.add(ONE.shiftLeft(bits)));
    }
    return atanSeries(t, bits).shiftLeft(3);
  }
}
