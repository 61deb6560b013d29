package io.trapscope.vmm.soft.fpu;

/**
 * Arithmetic of the x87 on its 80-bit registers (SDM volume 1, chapter 8): special values, NaN
 * choice, unsupported encodings, and the conversions of loads and stores.
 *
 * <p>An operand is a pair: sign and biased exponent in the low 16 bits of an int, and the explicit
 * 64-bit significand. Results are left in {@link #se} and {@link #mant}; flags go to {@code
 * soft.flags}. A result that an unmasked exception must not deliver is computed all the same: the
 * caller checks the flags before it writes.
 */
public final class ExtFloat {
  static final int INDEFINITE_SE = 0xFFFF;
  static final long QUIET = 0xC000_0000_0000_0000L;
  static final long ONE = Long.MIN_VALUE;
  static final int BIAS = 16383;

  /** Rounding and flags. */
  public final SoftFloat soft = new SoftFloat();

  /** Bits of precision that arithmetic rounds to: 24, 53 or 64. */
  public int precision = 64;

  /** The result. */
  public int se;

  public long mant;

  /** Quotient bits of {@link #remainder}, -1 for none, and whether it is a partial one. */
  public int quotient;

  public boolean partial;

  /**
   * Set by a conversion from memory whose operand was a denormal, which its 80-bit form does not
   * show any more. The arithmetic that follows takes it.
   */
  private boolean denormalOperand;

  /** Starts an operation: no flags, no operand from memory. */
  void begin() {
    soft.flags = 0;
    soft.roundedUp = false;
    denormalOperand = false;
  }

  // ---- classes of numbers --------------------------------------------------------------------

  static int exponent(int se) {
    return se & 0x7FFF;
  }

  static boolean negative(int se) {
    return (se & 0x8000) != 0;
  }

  /** Unnormals, pseudo-infinities and pseudo-NaNs: nonzero exponent without the integer bit. */
  public static boolean isUnsupported(int se, long mant) {
    return (se & 0x7FFF) != 0 && mant >= 0;
  }

  public static boolean isNan(int se, long mant) {
    return (se & 0x7FFF) == 0x7FFF && mant << 1 != 0 && mant < 0;
  }

  static boolean isSignalling(int se, long mant) {
    return isNan(se, mant) && (mant << 1) >= 0;
  }

  public static boolean isInfinity(int se, long mant) {
    return (se & 0x7FFF) == 0x7FFF && mant == Long.MIN_VALUE;
  }

  public static boolean isZero(int se, long mant) {
    return (se & 0x7FFF) == 0 && mant == 0;
  }

  /** Denormals and pseudo-denormals. */
  public static boolean isDenormal(int se, long mant) {
    return (se & 0x7FFF) == 0 && mant != 0;
  }

  /** Unbiased exponent as if normalised. */
  static int expOf(int se, long mant) {
    return Math.max(se & 0x7FFF, 1) - BIAS - Long.numberOfLeadingZeros(mant);
  }

  static long sigOf(long mant) {
    return mant == 0 ? 0 : mant << Long.numberOfLeadingZeros(mant);
  }

  // ---- results -------------------------------------------------------------------------------

  void set(int se, long mant) {
    this.se = se & 0xFFFF;
    this.mant = mant;
  }

  void setInvalid() {
    soft.flags |= SoftFloat.INVALID;
    set(INDEFINITE_SE, QUIET);
  }

  void setZero(boolean sign) {
    set(sign ? 0x8000 : 0, 0);
  }

  void setInfinity(boolean sign) {
    set(sign ? 0xFFFF : 0x7FFF, Long.MIN_VALUE);
  }

  void pack(int bits) {
    mant = soft.packExt(bits);
    se = soft.extSe;
  }

  /** Takes the working number of {@link #soft}, normalised, rounded to 64 bits. */
  void pack64() {
    pack(64);
  }

  private boolean takeDenormal() {
    boolean was = denormalOperand;
    denormalOperand = false;
    return was;
  }

  private void flagDenormal(boolean denormal) {
    if (takeDenormal() || denormal) {
      soft.flags |= SoftFloat.DENORMAL;
    }
  }

  /** Handles unsupported operands and NaNs; returns whether the result is settled. */
  boolean special(int aSe, long aMant, int bSe, long bMant) {
    if (isUnsupported(aSe, aMant) || isUnsupported(bSe, bMant)) {
      takeDenormal();
      setInvalid();
      return true;
    }
    boolean aNan = isNan(aSe, aMant);
    boolean bNan = isNan(bSe, bMant);
    if (!aNan && !bNan) {
      return false;
    }
    takeDenormal();
    chooseNan(aNan, aSe, aMant, bNan, bSe, bMant);
    return true;
  }

  /** One operand, as {@link #special}. */
  boolean special(int aSe, long aMant) {
    return special(aSe, aMant, 0, 0);
  }

  /** SDM volume 1, table 4-7, x87 rules: a quiet one before a signalling one, then the larger. */
  private void chooseNan(boolean aNan, int aSe, long aMant, boolean bNan, int bSe, long bMant) {
    boolean aSignals = isSignalling(aSe, aMant);
    boolean bSignals = isSignalling(bSe, bMant);
    if (aSignals || bSignals) {
      soft.flags |= SoftFloat.INVALID;
    }
    boolean takeA;
    if (aNan && bNan && aSignals == bSignals) {
      int order = Long.compareUnsigned(aMant | QUIET, bMant | QUIET);
      takeA = order > 0 || order == 0 && Integer.compare(aSe & 0xFFFF, bSe & 0xFFFF) < 0;
    } else {
      takeA = bNan ? aNan && bSignals : true;
    }
    if (takeA) {
      set(aSe, aMant | QUIET);
    } else {
      set(bSe, bMant | QUIET);
    }
  }

  // ---- arithmetic ----------------------------------------------------------------------------

  /** a + b. */
  public void add(int aSe, long aMant, int bSe, long bMant) {
    addSigned(aSe, aMant, bSe, bMant, 0);
  }

  /** a - b. */
  public void sub(int aSe, long aMant, int bSe, long bMant) {
    addSigned(aSe, aMant, bSe, bMant, 0x8000);
  }

  private void addSigned(int aSe, long aMant, int bSe, long bMant, int flip) {
    if (special(aSe, aMant, bSe, bMant)) {
      return;
    }
    int signedB = bSe ^ flip;
    boolean aInf = isInfinity(aSe, aMant);
    boolean bInf = isInfinity(bSe, bMant);
    if (aInf && bInf && negative(aSe) != negative(signedB)) {
      setInvalid();
      return;
    }
    flagDenormal(isDenormal(aSe, aMant) || isDenormal(bSe, bMant));
    if (aInf || bInf) {
      set(aInf ? aSe : signedB, Long.MIN_VALUE);
      return;
    }
    soft.addFinite(
        negative(aSe),
        expOf(aSe, aMant),
        sigOf(aMant),
        negative(signedB),
        expOf(bSe, bMant),
        sigOf(bMant));
    pack(precision);
  }

  /** a * b. */
  public void mul(int aSe, long aMant, int bSe, long bMant) {
    if (special(aSe, aMant, bSe, bMant)) {
      return;
    }
    boolean sign = negative(aSe) ^ negative(bSe);
    boolean infinite = isInfinity(aSe, aMant) || isInfinity(bSe, bMant);
    if (infinite && (isZero(aSe, aMant) || isZero(bSe, bMant))) {
      takeDenormal();
      setInvalid();
      return;
    }
    flagDenormal(isDenormal(aSe, aMant) || isDenormal(bSe, bMant));
    if (infinite) {
      setInfinity(sign);
      return;
    }
    soft.mulFinite(
        negative(aSe),
        expOf(aSe, aMant),
        sigOf(aMant),
        negative(bSe),
        expOf(bSe, bMant),
        sigOf(bMant));
    pack(precision);
  }

  /** a / b. */
  public void div(int aSe, long aMant, int bSe, long bMant) {
    if (special(aSe, aMant, bSe, bMant)) {
      return;
    }
    boolean sign = negative(aSe) ^ negative(bSe);
    boolean aInf = isInfinity(aSe, aMant);
    boolean bInf = isInfinity(bSe, bMant);
    boolean aZero = isZero(aSe, aMant);
    boolean bZero = isZero(bSe, bMant);
    if (aInf && bInf || aZero && bZero) {
      takeDenormal();
      setInvalid();
      return;
    }
    if (bZero && !aInf) {
      takeDenormal();
      soft.flags |= SoftFloat.DIVIDE_BY_ZERO;
      setInfinity(sign);
      return;
    }
    flagDenormal(isDenormal(aSe, aMant) || isDenormal(bSe, bMant));
    if (aInf) {
      setInfinity(sign);
    } else if (bInf || aZero) {
      setZero(sign);
    } else {
      soft.divFinite(
          negative(aSe),
          expOf(aSe, aMant),
          sigOf(aMant),
          negative(bSe),
          expOf(bSe, bMant),
          sigOf(bMant));
      pack(precision);
    }
  }

  /** Square root of a. */
  public void sqrt(int aSe, long aMant) {
    if (special(aSe, aMant)) {
      return;
    }
    if (isZero(aSe, aMant)) {
      set(aSe, 0);
      return;
    }
    if (negative(aSe)) {
      setInvalid();
      return;
    }
    flagDenormal(isDenormal(aSe, aMant));
    if (isInfinity(aSe, aMant)) {
      set(aSe, aMant);
      return;
    }
    soft.sqrtFinite(expOf(aSe, aMant), sigOf(aMant));
    pack(precision);
  }

  /** FRNDINT. */
  public void roundToInt(int aSe, long aMant) {
    soft.roundedUp = false;
    if (special(aSe, aMant)) {
      return;
    }
    flagDenormal(isDenormal(aSe, aMant));
    if (isZero(aSe, aMant) || exponent(aSe) >= BIAS + 63) {
      set(aSe, aMant);
      return;
    }
    soft.set(negative(aSe), expOf(aSe, aMant), sigOf(aMant), 0);
    long magnitude = soft.roundToInteger();
    if (magnitude == 0) {
      setZero(negative(aSe));
      return;
    }
    int shift = Long.numberOfLeadingZeros(magnitude);
    set((aSe & 0x8000) | (BIAS + 63 - shift), magnitude << shift);
  }

  /**
   * FPREM ({@code nearest} false) and FPREM1: remainder of a / b, exact. Sets {@link #quotient} to
   * the low bits of the quotient, and {@link #partial} when the exponents differ by 64 or more and
   * only part of the division was done.
   */
  public void remainder(int aSe, long aMant, int bSe, long bMant, boolean nearest) {
    quotient = -1;
    partial = false;
    if (special(aSe, aMant, bSe, bMant)) {
      return;
    }
    if (isInfinity(aSe, aMant) || isZero(bSe, bMant)) {
      setInvalid();
      return;
    }
    flagDenormal(isDenormal(aSe, aMant) || isDenormal(bSe, bMant));
    quotient = 0;
    if (isZero(aSe, aMant)) {
      set(aSe, 0);
      return;
    }
    int aExp = expOf(aSe, aMant);
    if (isInfinity(bSe, bMant)) {
      soft.set(negative(aSe), aExp, sigOf(aMant), 0);
      pack64();
      return;
    }
    divideDown(negative(aSe), aExp, sigOf(aMant), expOf(bSe, bMant), sigOf(bMant), nearest);
  }

  private void divideDown(boolean sign, int aExp, long aSig, int bExp, long bSig, boolean nearest) {
    int distance = aExp - bExp;
    partial = distance >= 64;
    int steps = partial ? (distance & 31) | 32 : distance;
    long rest = aSig;
    long bits = 0;
    boolean carry = false;
    for (int i = steps; i >= 0; i--) {
      bits <<= 1;
      if (carry || Long.compareUnsigned(rest, bSig) >= 0) {
        rest -= bSig;
        bits |= 1;
      }
      if (i > 0) {
        carry = rest < 0;
        rest <<= 1;
      }
    }
    boolean flip = false;
    if (nearest && distance == -1 && Long.compareUnsigned(aSig, bSig) > 0) {
      // Above half the divisor: the nearest quotient is 1.
      soft.addFinite(sign, aExp, aSig, !sign, bExp, bSig);
      quotient = 1;
      pack64();
      return;
    }
    if (nearest && !partial && distance >= 0) {
      int order = Long.compareUnsigned(rest, bSig - rest);
      flip = order > 0 || order == 0 && (bits & 1) != 0;
      if (flip) {
        rest = bSig - rest;
        bits++;
      }
    }
    quotient = partial ? 0 : (int) bits & 7;
    if (rest == 0) {
      setZero(sign);
      return;
    }
    int shift = Long.numberOfLeadingZeros(rest);
    soft.set(sign ^ flip, aExp - Math.max(steps, 0) - shift, rest << shift, 0);
    pack64();
  }

  // ---- comparison ----------------------------------------------------------------------------

  /** Results of {@link #compare}. */
  public static final int LESS = -1;

  public static final int EQUAL = 0;
  public static final int GREATER = 1;
  public static final int UNORDERED = 2;

  /** Compares a with b. Any NaN is INVALID, or only a signalling one when {@code quiet} (FUCOM). */
  public int compare(int aSe, long aMant, int bSe, long bMant, boolean quiet) {
    boolean denormal = takeDenormal();
    if (isUnsupported(aSe, aMant) || isUnsupported(bSe, bMant)) {
      soft.flags |= SoftFloat.INVALID;
      return UNORDERED;
    }
    if (isNan(aSe, aMant) || isNan(bSe, bMant)) {
      if (!quiet || isSignalling(aSe, aMant) || isSignalling(bSe, bMant)) {
        soft.flags |= SoftFloat.INVALID;
      }
      return UNORDERED;
    }
    if (denormal || isDenormal(aSe, aMant) || isDenormal(bSe, bMant)) {
      soft.flags |= SoftFloat.DENORMAL;
    }
    if (aMant == 0 && bMant == 0) {
      return EQUAL;
    }
    if (negative(aSe) != negative(bSe)) {
      return negative(aSe) ? LESS : GREATER;
    }
    // A pseudo-denormal has the value of exponent 1.
    int aExp = Math.max(exponent(aSe), aMant < 0 ? 1 : 0);
    int bExp = Math.max(exponent(bSe), bMant < 0 ? 1 : 0);
    int order = aExp != bExp ? Integer.compare(aExp, bExp) : Long.compareUnsigned(aMant, bMant);
    return negative(aSe) ? -Integer.signum(order) : Integer.signum(order);
  }

  // ---- loads ---------------------------------------------------------------------------------

  /** A binary32 operand of arithmetic: NaNs are not quieted, a denormal is remembered. */
  public void operand32(int bits) {
    int sign = bits >>> 16 & 0x8000;
    int biased = bits >>> 23 & 0xFF;
    long fraction = (long) (bits & 0x7F_FFFF) << 40;
    if (biased == 0xFF) {
      set(sign | 0x7FFF, Long.MIN_VALUE | fraction);
    } else if (biased != 0) {
      set(sign | (biased - 127 + BIAS), Long.MIN_VALUE | fraction);
    } else if (fraction == 0) {
      set(sign, 0);
    } else {
      denormalOperand = true;
      set(sign | (SoftFloat.exp32(bits) + BIAS), SoftFloat.sig32(bits));
    }
  }

  /** A binary64 operand of arithmetic: NaNs are not quieted, a denormal is remembered. */
  public void operand64(long bits) {
    int sign = (int) (bits >>> 48) & 0x8000;
    int biased = (int) (bits >>> 52) & 0x7FF;
    long fraction = (bits & 0x000F_FFFF_FFFF_FFFFL) << 11;
    if (biased == 0x7FF) {
      set(sign | 0x7FFF, Long.MIN_VALUE | fraction);
    } else if (biased != 0) {
      set(sign | (biased - 1023 + BIAS), Long.MIN_VALUE | fraction);
    } else if (fraction == 0) {
      set(sign, 0);
    } else {
      denormalOperand = true;
      set(sign | (SoftFloat.exp64(bits) + BIAS), SoftFloat.sig64(bits));
    }
  }

  /** FLD of what {@link #operand32} or {@link #operand64} converted: flags, and a quiet NaN. */
  public void finishLoad() {
    if (takeDenormal()) {
      soft.flags |= SoftFloat.DENORMAL;
    }
    if (isNan(se, mant)) {
      if (isSignalling(se, mant)) {
        soft.flags |= SoftFloat.INVALID;
      }
      mant |= QUIET;
    }
  }

  /** FILD: any integer is exact. */
  public void fromInteger(long value) {
    soft.setInteger(value);
    set(value == 0 ? 0 : (value < 0 ? 0x8000 : 0) | (soft.exp + BIAS), soft.sig);
  }

  // ---- stores --------------------------------------------------------------------------------

  /** FST m32. */
  public int toFloat32(int aSe, long aMant) {
    soft.roundedUp = false;
    int sign = aSe << 16 & 0x8000_0000;
    if (isUnsupported(aSe, aMant)) {
      soft.flags |= SoftFloat.INVALID;
      return 0xFFC0_0000;
    }
    if (exponent(aSe) == 0x7FFF) {
      boolean nan = isNan(aSe, aMant);
      if (nan && isSignalling(aSe, aMant)) {
        soft.flags |= SoftFloat.INVALID;
      }
      return sign | 0x7F80_0000 | (nan ? 0x40_0000 : 0) | (int) (aMant << 1 >>> 41);
    }
    soft.set(negative(aSe), expOf(aSe, aMant), sigOf(aMant), 0);
    return soft.pack32();
  }

  /** FST m64. */
  public long toFloat64(int aSe, long aMant) {
    soft.roundedUp = false;
    long sign = (long) aSe << 48 & Long.MIN_VALUE;
    if (isUnsupported(aSe, aMant)) {
      soft.flags |= SoftFloat.INVALID;
      return 0xFFF8_0000_0000_0000L;
    }
    if (exponent(aSe) == 0x7FFF) {
      boolean nan = isNan(aSe, aMant);
      if (nan && isSignalling(aSe, aMant)) {
        soft.flags |= SoftFloat.INVALID;
      }
      long quiet = nan ? 0x0008_0000_0000_0000L : 0;
      return sign | 0x7FF0_0000_0000_0000L | quiet | aMant << 1 >>> 12;
    }
    soft.set(negative(aSe), expOf(aSe, aMant), sigOf(aMant), 0);
    return soft.pack64();
  }

  /**
   * FIST and FISTP ({@code truncate}: FISTTP): the integer in {@code bits} (16, 32, 64) bits, or
   * the integer indefinite with INVALID when it does not fit.
   */
  public long toInteger(int aSe, long aMant, int bits, boolean truncate) {
    soft.roundedUp = false;
    long indefinite = -1L << (bits - 1);
    if (exponent(aSe) == 0x7FFF || isUnsupported(aSe, aMant)) {
      soft.flags |= SoftFloat.INVALID;
      return indefinite;
    }
    int before = soft.flags;
    int mode = soft.rounding;
    soft.rounding = truncate ? SoftFloat.TRUNCATE : mode;
    soft.set(negative(aSe), expOf(aSe, aMant), sigOf(aMant), 0);
    long magnitude = soft.roundToInteger();
    soft.rounding = mode;
    long limit = 1L << (bits - 1);
    boolean fits =
        soft.exp < 64
            && (negative(aSe)
                ? Long.compareUnsigned(magnitude, limit) <= 0
                : Long.compareUnsigned(magnitude, limit) < 0);
    if (!fits) {
      soft.roundedUp = false;
      soft.flags = before | SoftFloat.INVALID;
      return indefinite;
    }
    return negative(aSe) ? -magnitude : magnitude;
  }

  private static final long BCD_LIMIT = 1_000_000_000_000_000_000L;

  /** FBLD: 18 packed digits in {@code low} and the low byte of {@code high}, sign in its bit 15. */
  public void fromBcd(long low, int high) {
    long value = (high >>> 4 & 15) * 10 + (high & 15);
    for (int shift = 60; shift >= 0; shift -= 4) {
      value = value * 10 + (low >>> shift & 15);
    }
    fromInteger(value);
    se |= high & 0x8000;
  }

  /** FBSTP, digits 0 to 15; {@link #bcdHigh} has the two top digits and the sign byte. */
  public long toBcd(int aSe, long aMant) {
    int before = soft.flags;
    soft.roundedUp = false;
    boolean invalid = exponent(aSe) == 0x7FFF || isUnsupported(aSe, aMant);
    long magnitude = 0;
    if (!invalid) {
      soft.set(negative(aSe), expOf(aSe, aMant), sigOf(aMant), 0);
      magnitude = soft.roundToInteger();
      invalid = soft.exp >= 64 || Long.compareUnsigned(magnitude, BCD_LIMIT) >= 0;
    }
    if (invalid) {
      soft.roundedUp = false;
      soft.flags = before | SoftFloat.INVALID;
      bcdHigh = 0xFFFF;
      return QUIET;
    }
    long digits = 0;
    for (int shift = 0; shift < 64; shift += 4) {
      digits |= magnitude % 10 << shift;
      magnitude /= 10;
    }
    bcdHigh = (aSe & 0x8000) | (int) (magnitude / 10) << 4 | (int) (magnitude % 10);
    return digits;
  }

  /** Bytes 8 and 9 of the last {@link #toBcd}. */
  public int bcdHigh;
}
