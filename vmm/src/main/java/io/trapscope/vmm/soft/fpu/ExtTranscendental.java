package io.trapscope.vmm.soft.fpu;

import static io.trapscope.vmm.soft.fpu.ExtFloat.expOf;
import static io.trapscope.vmm.soft.fpu.ExtFloat.isDenormal;
import static io.trapscope.vmm.soft.fpu.ExtFloat.isInfinity;
import static io.trapscope.vmm.soft.fpu.ExtFloat.isZero;
import static io.trapscope.vmm.soft.fpu.ExtFloat.negative;
import static io.trapscope.vmm.soft.fpu.ExtFloat.sigOf;

/**
 * The x87's transcendental instructions, FSCALE and FXTRACT, with the special operands of the SDM's
 * tables (volume 2, at each instruction). Results as {@link ExtFloat} leaves them; precision
 * control does not apply to any of these.
 */
final class ExtTranscendental {
  private final ExtFloat ext;
  private final SoftFloat soft;
  private final Transcendental function;

  /** Second result of {@link #extract}: the significand. */
  int secondSe;

  long secondMant;

  ExtTranscendental(ExtFloat ext) {
    this.ext = ext;
    soft = ext.soft;
    function = new Transcendental(soft);
  }

  private void flagDenormal(boolean denormal) {
    soft.flags |= denormal ? SoftFloat.DENORMAL : 0;
  }

  // ---- one operand ---------------------------------------------------------------------------

  /** F2XM1. */
  void exp2Minus1(int se, long mant) {
    if (ext.special(se, mant)) {
      return;
    }
    if (isZero(se, mant)) {
      ext.set(se, mant);
      return;
    }
    if (isInfinity(se, mant)) {
      if (negative(se)) {
        ext.set(0xBFFF, ExtFloat.ONE);
      } else {
        ext.set(se, mant);
      }
      return;
    }
    flagDenormal(isDenormal(se, mant));
    int exp = expOf(se, mant);
    if (exp >= 0) {
      // At 1 exact; the SDM leaves the result open beyond.
      boolean one = exp == 0 && mant == ExtFloat.ONE;
      if (one && negative(se)) {
        ext.set(0xBFFE, ExtFloat.ONE);
      } else {
        ext.set(se, mant);
      }
      return;
    }
    function.exp2Minus1(negative(se), exp, sigOf(mant));
    ext.pack64();
  }

  /** Which of the trigonometric functions of one operand. */
  enum Angle {
    SIN,
    COS,
    TAN
  }

  /** Whether |x| is 2^63 or more: C2 is set and the operand stays. */
  static boolean outOfRange(int se, long mant) {
    int exponent = ExtFloat.exponent(se);
    return exponent != 0x7FFF && exponent >= ExtFloat.BIAS + 63 && mant < 0;
  }

  /** FSIN, FCOS, FPTAN for operands that are not {@link #outOfRange}. */
  void angle(Angle which, int se, long mant) {
    if (ext.special(se, mant)) {
      return;
    }
    if (isInfinity(se, mant)) {
      ext.setInvalid();
      return;
    }
    if (isZero(se, mant)) {
      if (which == Angle.COS) {
        ext.set(ExtFloat.BIAS, ExtFloat.ONE);
      } else {
        ext.set(se, mant);
      }
      return;
    }
    flagDenormal(isDenormal(se, mant));
    switch (which) {
      case SIN -> function.sin(negative(se), expOf(se, mant), sigOf(mant));
      case COS -> function.cos(expOf(se, mant), sigOf(mant));
      case TAN -> function.tan(negative(se), expOf(se, mant), sigOf(mant));
    }
    ext.pack64();
  }

  /** FXTRACT: the exponent as result, the significand as second result. */
  void extract(int se, long mant) {
    if (ext.special(se, mant)) {
      secondSe = ext.se;
      secondMant = ext.mant;
      return;
    }
    secondSe = se;
    secondMant = mant;
    if (isInfinity(se, mant)) {
      ext.setInfinity(false);
    } else if (isZero(se, mant)) {
      soft.flags |= SoftFloat.DIVIDE_BY_ZERO;
      ext.setInfinity(true);
    } else {
      flagDenormal(isDenormal(se, mant));
      secondSe = se & 0x8000 | ExtFloat.BIAS;
      secondMant = sigOf(mant);
      ext.fromInteger(expOf(se, mant));
    }
  }

  // ---- two operands --------------------------------------------------------------------------

  /** FSCALE: a * 2^truncate(b). */
  void scale(int aSe, long aMant, int bSe, long bMant) {
    if (ext.special(aSe, aMant, bSe, bMant)) {
      return;
    }
    boolean aZero = isZero(aSe, aMant);
    boolean aInf = isInfinity(aSe, aMant);
    boolean denormal = isDenormal(aSe, aMant) || isDenormal(bSe, bMant);
    if (isInfinity(bSe, bMant)) {
      boolean down = negative(bSe);
      if (down ? aInf : aZero) {
        ext.setInvalid();
        return;
      }
      flagDenormal(denormal);
      if (down) {
        ext.setZero(negative(aSe));
      } else {
        ext.setInfinity(negative(aSe));
      }
      return;
    }
    flagDenormal(denormal);
    if (aInf || aZero) {
      ext.set(aSe, aMant);
      return;
    }
    int bExp = bMant == 0 ? -1 : expOf(bSe, bMant);
    int by = bExp < 0 ? 0 : bExp > 15 ? 0x10000 : (int) (sigOf(bMant) >>> (63 - bExp));
    int exp = expOf(aSe, aMant) + (negative(bSe) ? -by : by);
    soft.set(negative(aSe), exp, sigOf(aMant), 0);
    if (exp < LEAST_WRAPPED && (soft.masks & SoftFloat.UNDERFLOW) == 0) {
      soft.flags |= SoftFloat.UNDERFLOW | SoftFloat.PRECISION;
      ext.setZero(negative(aSe));
    } else if (exp > MOST_WRAPPED && (soft.masks & SoftFloat.OVERFLOW) == 0) {
      soft.flags |= SoftFloat.OVERFLOW | SoftFloat.PRECISION;
      soft.roundedUp = true;
      ext.setInfinity(negative(aSe));
    } else {
      ext.pack64();
    }
  }

  /** Exponents that unmasked underflow and overflow cannot bring back into range by wrapping. */
  private static final int LEAST_WRAPPED = -16382 - 24576;

  private static final int MOST_WRAPPED = 16383 + 24576;

  /** FPATAN: the angle of the point x = ST(0), y = ST(1). */
  void atan(int ySe, long yMant, int xSe, long xMant) {
    if (ext.special(xSe, xMant, ySe, yMant)) {
      return;
    }
    boolean ySign = negative(ySe);
    boolean xSign = negative(xSe);
    boolean yInf = isInfinity(ySe, yMant);
    boolean xInf = isInfinity(xSe, xMant);
    flagDenormal(isDenormal(ySe, yMant) || isDenormal(xSe, xMant));
    if (yInf || xInf) {
      atanInfinite(ySign, yInf, xSign, xInf);
    } else if (isZero(ySe, yMant)) {
      if (xSign) {
        quarters(ySign, 4);
      } else {
        ext.setZero(ySign);
      }
    } else if (isZero(xSe, xMant)) {
      quarters(ySign, 2);
    } else {
      function.atan(ySign, expOf(ySe, yMant), sigOf(yMant), xSign, expOf(xSe, xMant), sigOf(xMant));
      ext.pack64();
    }
  }

  private void atanInfinite(boolean ySign, boolean yInf, boolean xSign, boolean xInf) {
    if (yInf && xInf) {
      quarters(ySign, xSign ? 3 : 1);
    } else if (yInf) {
      quarters(ySign, 2);
    } else if (xSign) {
      quarters(ySign, 4);
    } else {
      ext.setZero(ySign);
    }
  }

  /** A multiple of pi/4, rounded. */
  private void quarters(boolean sign, int count) {
    // pi/4 = 0.C90FDAA22168C234 C4C6628B..., 128 bits.
    soft.set(sign, -1, 0xC90FDAA22168C234L, 0xC4C6628B80DC1CD1L);
    if (count == 3) {
      // 3 pi/4 = 2.35619...: significand 96CBE3F9990E91A7 9394C9E8A0A5159D.
      soft.set(sign, 1, 0x96CBE3F9990E91A7L, 0x9394C9E8A0A5159DL);
    } else {
      soft.exp += count / 2;
    }
    ext.pack64();
  }

  /** FYL2X: y * log2(x). */
  void yLog2(int xSe, long xMant, int ySe, long yMant) {
    if (ext.special(xSe, xMant, ySe, yMant)) {
      return;
    }
    boolean xZero = isZero(xSe, xMant);
    boolean xInf = isInfinity(xSe, xMant);
    boolean yZero = isZero(ySe, yMant);
    boolean yInf = isInfinity(ySe, yMant);
    boolean ySign = negative(ySe);
    boolean xOne = (xSe & 0xFFFF) == ExtFloat.BIAS && xMant == ExtFloat.ONE;
    if (negative(xSe) && !xZero || yZero && (xZero || xInf) || yInf && xOne) {
      ext.setInvalid();
      return;
    }
    boolean below = ExtFloat.exponent(xSe) < ExtFloat.BIAS;
    if (xZero && !yInf) {
      soft.flags |= SoftFloat.DIVIDE_BY_ZERO;
      ext.setInfinity(!ySign);
      return;
    }
    flagDenormal(isDenormal(xSe, xMant) || isDenormal(ySe, yMant));
    if (xInf || yInf) {
      ext.setInfinity(ySign ^ below);
    } else if (yZero || xOne) {
      ext.setZero(ySign ^ below);
    } else {
      function.yLog2(expOf(xSe, xMant), sigOf(xMant), ySign, expOf(ySe, yMant), sigOf(yMant));
      ext.pack64();
    }
  }

  /** FYL2XP1: y * log2(x + 1). */
  void yLog2Plus1(int xSe, long xMant, int ySe, long yMant) {
    if (ext.special(xSe, xMant, ySe, yMant)) {
      return;
    }
    boolean xZero = isZero(xSe, xMant);
    boolean xInf = isInfinity(xSe, xMant);
    boolean xSign = negative(xSe);
    boolean yInf = isInfinity(ySe, yMant);
    boolean sign = negative(ySe) ^ xSign;
    if (xInf && (xSign || isZero(ySe, yMant)) || yInf && xZero) {
      ext.setInvalid();
      return;
    }
    flagDenormal(isDenormal(xSe, xMant) || isDenormal(ySe, yMant));
    if (xInf || yInf) {
      ext.setInfinity(sign);
    } else if (xZero || isZero(ySe, yMant)) {
      ext.setZero(sign);
    } else if (xSign && ExtFloat.exponent(xSe) >= ExtFloat.BIAS) {
      // log2 of nothing or less; the SDM leaves the result open.
      ext.setInvalid();
    } else {
      function.yLog2Plus1(
          xSign, expOf(xSe, xMant), sigOf(xMant), negative(ySe), expOf(ySe, yMant), sigOf(yMant));
      ext.pack64();
    }
  }
}
