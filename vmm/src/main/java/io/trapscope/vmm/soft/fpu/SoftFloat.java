package io.trapscope.vmm.soft.fpu;

import java.math.BigInteger;

/**
 * Binary floating-point on finite numbers, in all formats of the x86: the exact result to 128 bits,
 * then one rounding with IEEE 754 flags as the SDM defines them (volume 1, sections 4.9 and 8.5).
 *
 * <p>An object holds the environment (rounding mode, masks) and one working number:
 *
 * <pre>
 *   value = (-1)^sign * sig:low / 2^127 * 2^exp      sig: bit 63 set unless zero or denormal
 * </pre>
 *
 * Arithmetic methods leave the working number exact but for a jammed lowest bit; a {@code pack}
 * method rounds it and sets {@link #flags} and {@link #roundedUp}. Nothing allocates but {@link
 * #sqrtFinite}. Not thread-safe; one object a processor.
 */
public final class SoftFloat {
  /** Exception flags, at their place in the x87 status word and in MXCSR. */
  public static final int INVALID = 1;

  public static final int DENORMAL = 2;
  public static final int DIVIDE_BY_ZERO = 4;
  public static final int OVERFLOW = 8;
  public static final int UNDERFLOW = 16;
  public static final int PRECISION = 32;

  /** Rounding modes, as encoded in the x87 control word and in MXCSR. */
  public static final int NEAREST = 0;

  public static final int DOWN = 1;
  public static final int UP = 2;
  public static final int TRUNCATE = 3;

  /** What an unmasked x87 overflow or underflow adds to the exponent (SDM 1, 8.5.4 and 8.5.5). */
  private static final int EXT_WRAP = 24576;

  /** Rounding mode. */
  public int rounding;

  /** Set bits are masked exceptions; matters for underflow and overflow only. */
  public int masks = 0x3F;

  /** MXCSR.FTZ: a tiny result becomes zero while underflow is masked. */
  public boolean flushToZero;

  /** Flags raised since the caller last cleared them. */
  public int flags;

  /** Whether the last rounding made the magnitude larger: x87's C1. */
  public boolean roundedUp;

  /** The working number. */
  public boolean sign;

  public int exp;
  public long sig;
  public long low;

  /** Sets by {@link #packExt}: sign and biased exponent of the packed number. */
  public int extSe;

  private boolean infinite;

  // ---- unpacking -----------------------------------------------------------------------------

  /** Unbiased exponent of a finite, nonzero binary64, as if normalised. */
  public static int exp64(long bits) {
    int biased = (int) (bits >>> 52) & 0x7FF;
    return biased != 0 ? biased - 1023 : -1011 - Long.numberOfLeadingZeros(bits << 1 >>> 1);
  }

  /** Significand of a finite binary64, normalised to bit 63; 0 for zero. */
  public static long sig64(long bits) {
    long fraction = bits & 0x000F_FFFF_FFFF_FFFFL;
    if ((bits >>> 52 & 0x7FF) != 0) {
      return (fraction << 11) | Long.MIN_VALUE;
    }
    return fraction == 0 ? 0 : fraction << Long.numberOfLeadingZeros(fraction);
  }

  /** Unbiased exponent of a finite, nonzero binary32, as if normalised. */
  public static int exp32(int bits) {
    int biased = bits >>> 23 & 0xFF;
    return biased != 0 ? biased - 127 : -118 - Integer.numberOfLeadingZeros(bits << 1 >>> 1);
  }

  /** Significand of a finite binary32, normalised to bit 63; 0 for zero. */
  public static long sig32(int bits) {
    long fraction = bits & 0x7F_FFFFL;
    if ((bits >>> 23 & 0xFF) != 0) {
      return (fraction << 40) | Long.MIN_VALUE;
    }
    return fraction == 0 ? 0 : fraction << Long.numberOfLeadingZeros(fraction);
  }

  /** Sets the working number. The significand must be normalised or zero. */
  public void set(boolean sign, int exp, long sig, long low) {
    this.sign = sign;
    this.exp = exp;
    this.sig = sig;
    this.low = low;
  }

  /** Sets the working number to an integer. */
  public void setInteger(long value) {
    sign = value < 0;
    long magnitude = sign ? -value : value;
    int shift = Long.numberOfLeadingZeros(magnitude);
    exp = 63 - shift;
    sig = magnitude == 0 ? 0 : magnitude << shift;
    low = 0;
  }

  // ---- exact arithmetic ----------------------------------------------------------------------

  /** Working number = a + b. Significands may be zero. */
  public void addFinite(boolean aSign, int aExp, long aSig, boolean bSign, int bExp, long bSig) {
    if (aSig == 0 || bSig == 0) {
      addZero(aSign, aExp, aSig, bSign, bExp, bSig);
      return;
    }
    if (aExp < bExp || aExp == bExp && Long.compareUnsigned(aSig, bSig) < 0) {
      addFinite(bSign, bExp, bSig, aSign, aExp, aSig);
      return;
    }
    set(aSign, aExp, bSig, 0);
    shiftRightJam(aExp - bExp);
    if (aSign == bSign) {
      sig += aSig;
      if (Long.compareUnsigned(sig, aSig) < 0) {
        low = (sig << 63) | (low >>> 1) | (low & 1);
        sig = (sig >>> 1) | Long.MIN_VALUE;
        exp++;
      }
      return;
    }
    sig = aSig - sig - (low != 0 ? 1 : 0);
    low = -low;
    if ((sig | low) == 0) {
      sign = rounding == DOWN;
      return;
    }
    normalise();
  }

  private void addZero(boolean aSign, int aExp, long aSig, boolean bSign, int bExp, long bSig) {
    if (aSig != 0) {
      set(aSign, aExp, aSig, 0);
    } else if (bSig != 0) {
      set(bSign, bExp, bSig, 0);
    } else {
      set(aSign == bSign ? aSign : rounding == DOWN, 0, 0, 0);
    }
  }

  /** Working number = a * b, exactly. */
  public void mulFinite(boolean aSign, int aExp, long aSig, boolean bSign, int bExp, long bSig) {
    set(aSign ^ bSign, aExp + bExp + 1, multiplyHighUnsigned(aSig, bSig), aSig * bSig);
    if ((sig | low) != 0) {
      normalise();
    }
  }

  /** Working number = a / b to 64 bits and a jammed remainder. Both nonzero. */
  public void divFinite(boolean aSign, int aExp, long aSig, boolean bSign, int bExp, long bSig) {
    sign = aSign ^ bSign;
    long high = aSig;
    long rest = 0;
    exp = aExp - bExp - 1;
    if (Long.compareUnsigned(aSig, bSig) >= 0) {
      high = aSig >>> 1;
      rest = aSig << 63;
      exp++;
    }
    sig = divide128(high, rest, bSig);
    long remainder = rest - sig * bSig;
    low = remainder == 0 ? 0 : halfJam(remainder, bSig);
  }

  /** Position of remainder/divisor against one half, as the low word of a number. */
  private static long halfJam(long remainder, long divisor) {
    int order = Long.compareUnsigned(remainder, divisor - remainder);
    return order == 0 ? Long.MIN_VALUE : order > 0 ? Long.MIN_VALUE | 1 : 1;
  }

  /** Working number = square root of a positive a. Allocates. */
  public void sqrtFinite(int aExp, long aSig) {
    BigInteger square =
        new BigInteger(Long.toUnsignedString(aSig)).shiftLeft((aExp & 1) == 0 ? 63 : 64);
    BigInteger[] root = square.sqrtAndRemainder();
    set(false, aExp >> 1, root[0].longValue(), 0);
    if (root[1].signum() != 0) {
      // r + 1/2 squared is r^2 + r + 1/4: above one half when the remainder exceeds r.
      low = root[1].compareTo(root[0]) > 0 ? Long.MIN_VALUE | 1 : 1;
    }
  }

  /** Moves the leading one of a nonzero sig:low to bit 63 of sig. */
  void normalise() {
    if (sig == 0) {
      sig = low;
      low = 0;
      exp -= 64;
    }
    int shift = Long.numberOfLeadingZeros(sig);
    if (shift != 0) {
      sig = (sig << shift) | (low >>> (64 - shift));
      low <<= shift;
      exp -= shift;
    }
  }

  /** Shifts sig:low right; bits that leave at the bottom stay as a one in the lowest bit. */
  private void shiftRightJam(int count) {
    if (count == 0) {
      return;
    }
    if (count < 64) {
      long lost = low << (64 - count);
      low = (sig << (64 - count)) | (low >>> count) | (lost != 0 ? 1 : 0);
      sig >>>= count;
    } else if (count < 128) {
      long lost = low | (count == 64 ? 0 : sig << (128 - count));
      low = (sig >>> (count - 64)) | (lost != 0 ? 1 : 0);
      sig = 0;
    } else {
      low = (sig | low) != 0 ? 1 : 0;
      sig = 0;
    }
  }

  /** High half of the unsigned product. */
  static long multiplyHighUnsigned(long a, long b) {
    return Math.multiplyHigh(a, b) + ((a >> 63) & b) + ((b >> 63) & a);
  }

  /** high:low / divisor for a normalised divisor above high: schoolbook, 32 bits a step. */
  static long divide128(long high, long low, long divisor) {
    long upper = divide96(high, low >>> 32, divisor);
    long rest = (high << 32) + (low >>> 32) - upper * divisor;
    long lower = divide96(rest, low & 0xFFFF_FFFFL, divisor);
    return (upper << 32) + lower;
  }

  /** One digit: floor((high * 2^32 + digit) / divisor), below 2^32 as high is below divisor. */
  private static long divide96(long high, long digit, long divisor) {
    long top = divisor >>> 32;
    long bottom = divisor & 0xFFFF_FFFFL;
    long quotient = Long.divideUnsigned(high, top);
    long rest = high - quotient * top;
    while (quotient >>> 32 != 0
        || Long.compareUnsigned(quotient * bottom, (rest << 32) + digit) > 0) {
      quotient--;
      rest += top;
      if (rest >>> 32 != 0) {
        break;
      }
    }
    return quotient;
  }

  // ---- rounding ------------------------------------------------------------------------------

  /** Rounds to a binary32 and returns its bits. */
  public int pack32() {
    round(24, -126, 127, 0);
    int top = sign ? 0x8000_0000 : 0;
    if (infinite) {
      return top | 0x7F80_0000;
    }
    int biased = sig < 0 ? exp + 127 : 0;
    return top | biased << 23 | (int) (sig >>> 40) & 0x7F_FFFF;
  }

  /** Rounds to a binary64 and returns its bits. */
  public long pack64() {
    round(53, -1022, 1023, 0);
    long top = sign ? Long.MIN_VALUE : 0;
    if (infinite) {
      return top | 0x7FF0_0000_0000_0000L;
    }
    long biased = sig < 0 ? exp + 1023 : 0;
    return top | biased << 52 | sig >>> 11 & 0x000F_FFFF_FFFF_FFFFL;
  }

  /**
   * Rounds to {@code precision} (24, 53 or 64) bits in the 80-bit format's exponent range; returns
   * the significand and leaves sign and exponent in {@link #extSe}. Unmasked underflow and overflow
   * deliver the number with its exponent wrapped, as registers do.
   */
  public long packExt(int precision) {
    round(precision, -16382, 16383, EXT_WRAP);
    int top = sign ? 0x8000 : 0;
    if (infinite) {
      extSe = top | 0x7FFF;
      return Long.MIN_VALUE;
    }
    extSe = top | (sig < 0 ? exp + 16383 : 0);
    return sig;
  }

  private void round(int precision, int minExp, int maxExp, int wrap) {
    roundedUp = false;
    infinite = false;
    if (sig == 0) {
      return;
    }
    if (exp < minExp) {
      roundTiny(precision, minExp, wrap);
      return;
    }
    boolean inexact = roundAt(64 - precision);
    if (exp > maxExp) {
      overflow(precision, maxExp, wrap, inexact);
    } else if (inexact) {
      flags |= PRECISION;
    }
  }

  /** Tininess is detected after rounding, as if the exponent had no bound. */
  private void roundTiny(int precision, int minExp, int wrap) {
    boolean tiny = exp < minExp - 1 || !roundsToNextExponent(64 - precision);
    boolean masked = (masks & UNDERFLOW) != 0;
    if (tiny && !masked) {
      flags |= UNDERFLOW;
      exp += wrap;
      flags |= roundAt(64 - precision) ? PRECISION : 0;
      return;
    }
    if (tiny && masked && flushToZero) {
      flags |= UNDERFLOW | PRECISION;
      sig = 0;
      low = 0;
      return;
    }
    shiftRightJam(minExp - exp);
    exp = minExp;
    if (roundAt(64 - precision)) {
      flags |= PRECISION | (tiny ? UNDERFLOW : 0);
    }
  }

  private void overflow(int precision, int maxExp, int wrap, boolean inexact) {
    flags |= OVERFLOW;
    if ((masks & OVERFLOW) == 0) {
      flags |= inexact ? PRECISION : 0;
      exp -= wrap;
      return;
    }
    flags |= PRECISION;
    boolean toMax = rounding == TRUNCATE || rounding == (sign ? UP : DOWN);
    roundedUp = !toMax;
    infinite = !toMax;
    exp = maxExp;
    sig = -1L << (64 - precision);
  }

  private boolean increments(int drop) {
    long rest = drop == 0 ? 0 : sig & (-1L >>> (64 - drop));
    if ((rest | low) == 0) {
      return false;
    }
    if (rounding != NEAREST) {
      return rounding == (sign ? DOWN : UP);
    }
    long half = drop == 0 ? low : rest << (64 - drop);
    boolean more = drop != 0 && low != 0;
    if (half != Long.MIN_VALUE || more) {
      return half < 0;
    }
    return (sig >>> drop & 1) != 0;
  }

  private boolean roundsToNextExponent(int drop) {
    return sig >>> drop == -1L >>> drop && increments(drop);
  }

  /** Rounds off the lowest {@code drop} bits of sig and all of low; returns whether it changed. */
  private boolean roundAt(int drop) {
    long mask = drop == 0 ? 0 : -1L >>> (64 - drop);
    boolean inexact = (sig & mask | low) != 0;
    boolean up = increments(drop);
    sig &= ~mask;
    low = 0;
    if (up) {
      roundedUp = true;
      sig += mask + 1;
      if (sig == 0) {
        sig = Long.MIN_VALUE;
        exp++;
      }
    }
    return inexact;
  }

  /**
   * Rounds the working number to an integer and returns its magnitude, at most 2^64 - 1; returns -1
   * with {@link #exp} 64 or more when it does not fit 64 bits. Sets PRECISION and {@link
   * #roundedUp}.
   */
  public long roundToInteger() {
    roundedUp = false;
    if (sig == 0) {
      exp = 0;
      return 0;
    }
    if (exp > 63) {
      return -1;
    }
    shiftRightJam(63 - exp);
    exp = 63;
    if (low != 0) {
      flags |= PRECISION;
      boolean up = increments(0);
      low = 0;
      if (up) {
        roundedUp = true;
        sig++;
        if (sig == 0) {
          exp = 64;
          return -1;
        }
      }
    }
    return sig;
  }
}
