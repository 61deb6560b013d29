package io.trapscope.vmm.soft.fpu;

/**
 * Arithmetic of SSE and SSE2 on binary32 and binary64 values, given and returned as their bits, by
 * the rules of MXCSR (SDM volume 1, section 10.2.3 and chapter 11.5).
 *
 * <p>Each operation has a quick path in the JVM's own arithmetic. It is taken only where its result
 * and flags provably equal the exact path's: round to nearest, operands and result well inside the
 * normal range, and either PE already set or the result shown exact by its residual. Everything
 * else goes through {@link SoftFloat}.
 *
 * <p>Use: {@link #begin} with MXCSR, any number of lanes, then {@link #flags}. Flags accumulate
 * over the lanes of one instruction.
 */
public final class SseFloat {
  /** MXCSR bits. */
  public static final int DAZ = 1 << 6;

  public static final int MASK_SHIFT = 7;
  public static final int ROUND_SHIFT = 13;
  public static final int FTZ = 1 << 15;

  private static final int SIGN32 = 0x8000_0000;
  private static final int INF32 = 0x7F80_0000;
  private static final int QUIET32 = 0x0040_0000;
  private static final int INDEFINITE32 = 0xFFC0_0000;
  private static final long SIGN64 = Long.MIN_VALUE;
  private static final long INF64 = 0x7FF0_0000_0000_0000L;
  private static final long QUIET64 = 0x0008_0000_0000_0000L;
  private static final long INDEFINITE64 = 0xFFF8_0000_0000_0000L;

  /** MXCSR bits that a quick path needs to see as 0 (FTZ, rounding) and 1 (all masks). */
  private static final int QUICK_BITS = FTZ | 3 << ROUND_SHIFT | 0x3F << MASK_SHIFT;

  private static final int QUICK_VALUE = 0x3F << MASK_SHIFT;

  private final SoftFloat soft = new SoftFloat();
  private boolean daz;

  /** Default environment but DAZ, which the quick paths need not care for. */
  private boolean quick;

  /** PE is set in MXCSR already, so an inexact result changes nothing. */
  private boolean inexactKnown;

  /** Starts an instruction: takes modes and masks, clears the flags. */
  public void begin(int mxcsr) {
    quick = (mxcsr & QUICK_BITS) == QUICK_VALUE;
    inexactKnown = (mxcsr & SoftFloat.PRECISION) != 0;
    daz = (mxcsr & DAZ) != 0;
    soft.rounding = mxcsr >>> ROUND_SHIFT & 3;
    soft.masks = mxcsr >>> MASK_SHIFT & 0x3F;
    soft.flushToZero = (mxcsr & FTZ) != 0;
    soft.flags = 0;
  }

  /** Flags raised since {@link #begin}, in MXCSR's bits 5:0. */
  public int flags() {
    return soft.flags;
  }

  // ---- binary32 ------------------------------------------------------------------------------

  private static boolean isNan32(int a) {
    return (a & ~SIGN32) > INF32;
  }

  private static boolean isDenormal32(int a) {
    return (a & INF32) == 0 && (a & ~SIGN32) != 0;
  }

  /** Normal and far enough from both ends that neither result nor residual can leave the range. */
  private static boolean tame32(int a) {
    int e = a >>> 23 & 0xFF;
    return e >= 32 && e <= 222;
  }

  private int flush32(int a) {
    return daz && (a & INF32) == 0 ? a & SIGN32 : a;
  }

  /** Quiets the first NaN of the two; INVALID for a signalling one. */
  private int nan32(int a, int b) {
    if (isNan32(a) && (a & QUIET32) == 0 || isNan32(b) && (b & QUIET32) == 0) {
      soft.flags |= SoftFloat.INVALID;
    }
    return (isNan32(a) ? a : b) | QUIET32;
  }

  private int invalid32() {
    soft.flags |= SoftFloat.INVALID;
    return INDEFINITE32;
  }

  private void flagDenormal32(int a, int b) {
    if (isDenormal32(a) || isDenormal32(b)) {
      soft.flags |= SoftFloat.DENORMAL;
    }
  }

  /** a + b. */
  public int add32(int a, int b) {
    if (quick && tame32(a) && tame32(b)) {
      float x = Float.intBitsToFloat(a);
      float y = Float.intBitsToFloat(b);
      float sum = x + y;
      float back = sum - x;
      if (inexactKnown || (x - (sum - back)) + (y - back) == 0) {
        return Float.floatToRawIntBits(sum);
      }
    }
    return addSlow32(flush32(a), flush32(b), 0);
  }

  /** a - b. */
  public int sub32(int a, int b) {
    if (quick && tame32(a) && tame32(b)) {
      return add32(a, b ^ SIGN32);
    }
    return addSlow32(flush32(a), flush32(b), SIGN32);
  }

  private int addSlow32(int a, int b, int flip) {
    if (isNan32(a) || isNan32(b)) {
      return nan32(a, b);
    }
    int c = b ^ flip;
    boolean aInf = (a & ~SIGN32) == INF32;
    boolean cInf = (c & ~SIGN32) == INF32;
    if (aInf && cInf && a != c) {
      return invalid32();
    }
    flagDenormal32(a, c);
    if (aInf || cInf) {
      return aInf ? a : c;
    }
    soft.addFinite(
        a < 0,
        SoftFloat.exp32(a),
        SoftFloat.sig32(a),
        c < 0,
        SoftFloat.exp32(c),
        SoftFloat.sig32(c));
    return soft.pack32();
  }

  /** a * b. */
  public int mul32(int a, int b) {
    if (quick && tame32(a) && tame32(b)) {
      double exact = (double) Float.intBitsToFloat(a) * Float.intBitsToFloat(b);
      float product = (float) exact;
      int bits = Float.floatToRawIntBits(product);
      if (tame32(bits) && (inexactKnown || product == exact)) {
        return bits;
      }
    }
    return mulSlow32(flush32(a), flush32(b));
  }

  private int mulSlow32(int a, int b) {
    if (isNan32(a) || isNan32(b)) {
      return nan32(a, b);
    }
    int sign = (a ^ b) & SIGN32;
    boolean infinite = (a & ~SIGN32) == INF32 || (b & ~SIGN32) == INF32;
    if (infinite && ((a & ~SIGN32) == 0 || (b & ~SIGN32) == 0)) {
      return invalid32();
    }
    flagDenormal32(a, b);
    if (infinite) {
      return sign | INF32;
    }
    soft.mulFinite(
        a < 0,
        SoftFloat.exp32(a),
        SoftFloat.sig32(a),
        b < 0,
        SoftFloat.exp32(b),
        SoftFloat.sig32(b));
    return soft.pack32();
  }

  /** a / b. */
  public int div32(int a, int b) {
    if (quick && tame32(a) && tame32(b)) {
      float quotient = Float.intBitsToFloat(a) / Float.intBitsToFloat(b);
      int bits = Float.floatToRawIntBits(quotient);
      if (tame32(bits)
          && (inexactKnown
              || (double) quotient * Float.intBitsToFloat(b) == Float.intBitsToFloat(a))) {
        return bits;
      }
    }
    return divSlow32(flush32(a), flush32(b));
  }

  private int divSlow32(int a, int b) {
    if (isNan32(a) || isNan32(b)) {
      return nan32(a, b);
    }
    int sign = (a ^ b) & SIGN32;
    int aMagnitude = a & ~SIGN32;
    int bMagnitude = b & ~SIGN32;
    if (aMagnitude == INF32 && bMagnitude == INF32 || (aMagnitude | bMagnitude) == 0) {
      return invalid32();
    }
    if (bMagnitude == 0 && aMagnitude != INF32) {
      soft.flags |= SoftFloat.DIVIDE_BY_ZERO;
      return sign | INF32;
    }
    flagDenormal32(a, b);
    if (aMagnitude == INF32) {
      return sign | INF32;
    }
    if (bMagnitude == INF32 || aMagnitude == 0) {
      return sign;
    }
    soft.divFinite(
        a < 0,
        SoftFloat.exp32(a),
        SoftFloat.sig32(a),
        b < 0,
        SoftFloat.exp32(b),
        SoftFloat.sig32(b));
    return soft.pack32();
  }

  /** Square root. */
  public int sqrt32(int operand) {
    int a = flush32(operand);
    if (quick && a > 0 && tame32(a)) {
      double x = Float.intBitsToFloat(a);
      float root = (float) Math.sqrt(x);
      if (inexactKnown || (double) root * root == x) {
        return Float.floatToRawIntBits(root);
      }
    }
    if (isNan32(a)) {
      return nan32(a, a);
    }
    if ((a & ~SIGN32) == 0) {
      return a;
    }
    if (a < 0) {
      return invalid32();
    }
    flagDenormal32(a, a);
    if (a == INF32) {
      return a;
    }
    soft.sqrtFinite(SoftFloat.exp32(a), SoftFloat.sig32(a));
    return soft.pack32();
  }

  /** MINPS: the second operand unless the first is less. */
  public int min32(int a, int b) {
    return order32(a, b, true) == ExtFloat.LESS ? flush32(a) : flush32(b);
  }

  /** MAXPS: the second operand unless the first is greater. */
  public int max32(int a, int b) {
    return order32(a, b, true) == ExtFloat.GREATER ? flush32(a) : flush32(b);
  }

  /**
   * Order of a and b as {@link ExtFloat#LESS} to {@link ExtFloat#UNORDERED}. INVALID for a
   * signalling NaN, and where {@code signalling} for any NaN.
   */
  public int order32(int first, int second, boolean signalling) {
    int a = flush32(first);
    int b = flush32(second);
    if (isNan32(a) || isNan32(b)) {
      boolean signals = isNan32(a) && (a & QUIET32) == 0 || isNan32(b) && (b & QUIET32) == 0;
      soft.flags |= signalling || signals ? SoftFloat.INVALID : 0;
      return ExtFloat.UNORDERED;
    }
    flagDenormal32(a, b);
    float x = Float.intBitsToFloat(a);
    float y = Float.intBitsToFloat(b);
    return x < y ? ExtFloat.LESS : x > y ? ExtFloat.GREATER : ExtFloat.EQUAL;
  }

  // ---- binary64 ------------------------------------------------------------------------------

  private static boolean isNan64(long a) {
    return (a & ~SIGN64) > INF64;
  }

  private static boolean isDenormal64(long a) {
    return (a & INF64) == 0 && (a & ~SIGN64) != 0;
  }

  /** Normal and far enough from both ends that neither result nor residual can leave the range. */
  private static boolean tame64(long a) {
    int e = (int) (a >>> 52) & 0x7FF;
    return e >= 256 && e <= 1790;
  }

  private long flush64(long a) {
    return daz && (a & INF64) == 0 ? a & SIGN64 : a;
  }

  /** Quiets the first NaN of the two; INVALID for a signalling one. */
  private long nan64(long a, long b) {
    if (isNan64(a) && (a & QUIET64) == 0 || isNan64(b) && (b & QUIET64) == 0) {
      soft.flags |= SoftFloat.INVALID;
    }
    return (isNan64(a) ? a : b) | QUIET64;
  }

  private long invalid64() {
    soft.flags |= SoftFloat.INVALID;
    return INDEFINITE64;
  }

  private void flagDenormal64(long a, long b) {
    if (isDenormal64(a) || isDenormal64(b)) {
      soft.flags |= SoftFloat.DENORMAL;
    }
  }

  /** a + b. */
  public long add64(long a, long b) {
    if (quick && tame64(a) && tame64(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double sum = x + y;
      double back = sum - x;
      if (inexactKnown || (x - (sum - back)) + (y - back) == 0) {
        return Double.doubleToRawLongBits(sum);
      }
    }
    return addSlow64(flush64(a), flush64(b), 0);
  }

  /** a - b. */
  public long sub64(long a, long b) {
    if (quick && tame64(a) && tame64(b)) {
      return add64(a, b ^ SIGN64);
    }
    return addSlow64(flush64(a), flush64(b), SIGN64);
  }

  private long addSlow64(long a, long b, long flip) {
    if (isNan64(a) || isNan64(b)) {
      return nan64(a, b);
    }
    long c = b ^ flip;
    boolean aInf = (a & ~SIGN64) == INF64;
    boolean cInf = (c & ~SIGN64) == INF64;
    if (aInf && cInf && a != c) {
      return invalid64();
    }
    flagDenormal64(a, c);
    if (aInf || cInf) {
      return aInf ? a : c;
    }
    soft.addFinite(
        a < 0,
        SoftFloat.exp64(a),
        SoftFloat.sig64(a),
        c < 0,
        SoftFloat.exp64(c),
        SoftFloat.sig64(c));
    return soft.pack64();
  }

  /** a * b. */
  public long mul64(long a, long b) {
    if (quick && tame64(a) && tame64(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double product = x * y;
      long bits = Double.doubleToRawLongBits(product);
      if (tame64(bits) && (inexactKnown || Math.fma(x, y, -product) == 0)) {
        return bits;
      }
    }
    return mulSlow64(flush64(a), flush64(b));
  }

  private long mulSlow64(long a, long b) {
    if (isNan64(a) || isNan64(b)) {
      return nan64(a, b);
    }
    long sign = (a ^ b) & SIGN64;
    boolean infinite = (a & ~SIGN64) == INF64 || (b & ~SIGN64) == INF64;
    if (infinite && ((a & ~SIGN64) == 0 || (b & ~SIGN64) == 0)) {
      return invalid64();
    }
    flagDenormal64(a, b);
    if (infinite) {
      return sign | INF64;
    }
    soft.mulFinite(
        a < 0,
        SoftFloat.exp64(a),
        SoftFloat.sig64(a),
        b < 0,
        SoftFloat.exp64(b),
        SoftFloat.sig64(b));
    return soft.pack64();
  }

  /** a / b. */
  public long div64(long a, long b) {
    if (quick && tame64(a) && tame64(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      double quotient = x / y;
      long bits = Double.doubleToRawLongBits(quotient);
      if (tame64(bits) && (inexactKnown || Math.fma(quotient, y, -x) == 0)) {
        return bits;
      }
    }
    return divSlow64(flush64(a), flush64(b));
  }

  private long divSlow64(long a, long b) {
    if (isNan64(a) || isNan64(b)) {
      return nan64(a, b);
    }
    long sign = (a ^ b) & SIGN64;
    long aMagnitude = a & ~SIGN64;
    long bMagnitude = b & ~SIGN64;
    if (aMagnitude == INF64 && bMagnitude == INF64 || (aMagnitude | bMagnitude) == 0) {
      return invalid64();
    }
    if (bMagnitude == 0 && aMagnitude != INF64) {
      soft.flags |= SoftFloat.DIVIDE_BY_ZERO;
      return sign | INF64;
    }
    flagDenormal64(a, b);
    if (aMagnitude == INF64) {
      return sign | INF64;
    }
    if (bMagnitude == INF64 || aMagnitude == 0) {
      return sign;
    }
    soft.divFinite(
        a < 0,
        SoftFloat.exp64(a),
        SoftFloat.sig64(a),
        b < 0,
        SoftFloat.exp64(b),
        SoftFloat.sig64(b));
    return soft.pack64();
  }

  /** Square root. */
  public long sqrt64(long operand) {
    long a = flush64(operand);
    if (quick && a > 0 && tame64(a)) {
      double x = Double.longBitsToDouble(a);
      double root = Math.sqrt(x);
      if (inexactKnown || Math.fma(root, root, -x) == 0) {
        return Double.doubleToRawLongBits(root);
      }
    }
    if (isNan64(a)) {
      return nan64(a, a);
    }
    if ((a & ~SIGN64) == 0) {
      return a;
    }
    if (a < 0) {
      return invalid64();
    }
    flagDenormal64(a, a);
    if (a == INF64) {
      return a;
    }
    soft.sqrtFinite(SoftFloat.exp64(a), SoftFloat.sig64(a));
    return soft.pack64();
  }

  /** MINPD: the second operand unless the first is less. */
  public long min64(long a, long b) {
    return order64(a, b, true) == ExtFloat.LESS ? flush64(a) : flush64(b);
  }

  /** MAXPD: the second operand unless the first is greater. */
  public long max64(long a, long b) {
    return order64(a, b, true) == ExtFloat.GREATER ? flush64(a) : flush64(b);
  }

  /**
   * Order of a and b as {@link ExtFloat#LESS} to {@link ExtFloat#UNORDERED}. INVALID for a
   * signalling NaN, and where {@code signalling} for any NaN.
   */
  public int order64(long first, long second, boolean signalling) {
    long a = flush64(first);
    long b = flush64(second);
    if (isNan64(a) || isNan64(b)) {
      boolean signals = isNan64(a) && (a & QUIET64) == 0 || isNan64(b) && (b & QUIET64) == 0;
      soft.flags |= signalling || signals ? SoftFloat.INVALID : 0;
      return ExtFloat.UNORDERED;
    }
    flagDenormal64(a, b);
    double x = Double.longBitsToDouble(a);
    double y = Double.longBitsToDouble(b);
    return x < y ? ExtFloat.LESS : x > y ? ExtFloat.GREATER : ExtFloat.EQUAL;
  }

  // ---- comparison predicates -----------------------------------------------------------------

  /** CMPPS predicate (0 EQ, 1 LT, 2 LE, 3 UNORD, 4 to 7 their negations) on one lane. */
  public boolean compare32(int a, int b, int predicate) {
    return holds(order32(a, b, signals(predicate)), predicate);
  }

  /** CMPPD predicate on one lane. */
  public boolean compare64(long a, long b, int predicate) {
    return holds(order64(a, b, signals(predicate)), predicate);
  }

  private static boolean signals(int predicate) {
    return (predicate & 3) == 1 || (predicate & 3) == 2;
  }

  private static boolean holds(int order, int predicate) {
    boolean result =
        switch (predicate & 3) {
          case 0 -> order == ExtFloat.EQUAL;
          case 1 -> order == ExtFloat.LESS;
          case 2 -> order == ExtFloat.LESS || order == ExtFloat.EQUAL;
          default -> order == ExtFloat.UNORDERED;
        };
    return result ^ (predicate & 4) != 0;
  }

  // ---- conversions ---------------------------------------------------------------------------

  /** CVTSS2SD. */
  public long widen(int operand) {
    int a = flush32(operand);
    long sign = (long) (a & SIGN32) << 32;
    if ((a & INF32) == INF32) {
      if (isNan32(a) && (a & QUIET32) == 0) {
        soft.flags |= SoftFloat.INVALID;
      }
      long quiet = isNan32(a) ? QUIET64 : 0;
      return sign | INF64 | quiet | (long) (a & 0x7F_FFFF) << 29;
    }
    flagDenormal32(a, a);
    return Double.doubleToRawLongBits(Float.intBitsToFloat(a));
  }

  /** CVTSD2SS. */
  public int narrow(long operand) {
    long a = flush64(operand);
    int sign = (int) (a >>> 32) & SIGN32;
    if ((a & INF64) == INF64) {
      if (isNan64(a) && (a & QUIET64) == 0) {
        soft.flags |= SoftFloat.INVALID;
      }
      int quiet = isNan64(a) ? QUIET32 : 0;
      return sign | INF32 | quiet | (int) (a >>> 29) & 0x7F_FFFF;
    }
    flagDenormal64(a, a);
    soft.set(a < 0, SoftFloat.exp64(a), SoftFloat.sig64(a), 0);
    return soft.pack32();
  }

  /** CVTSI2SS and CVTDQ2PS. */
  public int fromInteger32(long value) {
    soft.setInteger(value);
    return soft.pack32();
  }

  /** CVTSI2SD and CVTDQ2PD. */
  public long fromInteger64(long value) {
    if (value == (int) value) {
      return Double.doubleToRawLongBits((double) value);
    }
    soft.setInteger(value);
    return soft.pack64();
  }

  /** CVTSS2SI and CVTPS2DQ, or the truncating forms, to {@code bits} (32 or 64) bits. */
  public long toInteger32(int operand, int bits, boolean truncate) {
    int a = flush32(operand);
    if ((a & INF32) == INF32) {
      return invalidInteger(bits);
    }
    soft.set(a < 0, SoftFloat.exp32(a), SoftFloat.sig32(a), 0);
    return toInteger(bits, truncate);
  }

  /** CVTSD2SI and CVTPD2DQ, or the truncating forms, to {@code bits} (32 or 64) bits. */
  public long toInteger64(long operand, int bits, boolean truncate) {
    long a = flush64(operand);
    if ((a & INF64) == INF64) {
      return invalidInteger(bits);
    }
    soft.set(a < 0, SoftFloat.exp64(a), SoftFloat.sig64(a), 0);
    return toInteger(bits, truncate);
  }

  private long invalidInteger(int bits) {
    soft.flags |= SoftFloat.INVALID;
    return -1L << (bits - 1);
  }

  private long toInteger(int bits, boolean truncate) {
    int before = soft.flags;
    int mode = soft.rounding;
    soft.rounding = truncate ? SoftFloat.TRUNCATE : mode;
    boolean negative = soft.sign;
    long magnitude = soft.roundToInteger();
    soft.rounding = mode;
    long limit = 1L << (bits - 1);
    int order = Long.compareUnsigned(magnitude, limit);
    if (soft.exp >= 64 || order > 0 || order == 0 && !negative) {
      soft.flags = before;
      return invalidInteger(bits);
    }
    return negative ? -magnitude : magnitude;
  }

  /** ROUNDSS: {@code mode} as {@link SoftFloat#rounding}; PRECISION unless {@code quiet}. */
  public int round32(int operand, int mode, boolean quiet) {
    int a = flush32(operand);
    if ((a & INF32) == INF32) {
      return isNan32(a) ? nan32(a, a) : a;
    }
    soft.set(a < 0, SoftFloat.exp32(a), SoftFloat.sig32(a), 0);
    if (soft.sig == 0 || soft.exp >= 23) {
      return a;
    }
    long magnitude = roundLane(mode, quiet);
    return a & SIGN32 | Float.floatToRawIntBits((float) magnitude);
  }

  /** ROUNDSD. */
  public long round64(long operand, int mode, boolean quiet) {
    long a = flush64(operand);
    if ((a & INF64) == INF64) {
      return isNan64(a) ? nan64(a, a) : a;
    }
    soft.set(a < 0, SoftFloat.exp64(a), SoftFloat.sig64(a), 0);
    if (soft.sig == 0 || soft.exp >= 52) {
      return a;
    }
    long magnitude = roundLane(mode, quiet);
    return a & SIGN64 | Double.doubleToRawLongBits((double) magnitude);
  }

  private long roundLane(int mode, boolean quiet) {
    int saved = soft.rounding;
    int before = soft.flags;
    soft.rounding = mode;
    long magnitude = soft.roundToInteger();
    soft.rounding = saved;
    if (quiet) {
      soft.flags = before;
    }
    return magnitude;
  }
}
