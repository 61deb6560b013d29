package io.trapscope.vmm.soft.fpu;

/** Integer operations on the elements of one 64-bit half: destination first, source second. */
final class PackedInteger {
  private static final long HIGH_8 = 0x8080_8080_8080_8080L;
  private static final long HIGH_16 = 0x8000_8000_8000_8000L;
  private static final long HIGH_32 = 0x8000_0000_8000_0000L;

  private PackedInteger() {}

  /** A function of two elements, sign-extended; the low bits of the result count. */
  @FunctionalInterface
  interface Element {
    int apply(int destination, int source);
  }

  static Simd.Lane bytes(Element f) {
    return (a, b) -> {
      long result = 0;
      for (int s = 0; s < 64; s += 8) {
        result |= (f.apply((byte) (a >>> s), (byte) (b >>> s)) & 0xFFL) << s;
      }
      return result;
    };
  }

  static Simd.Lane words(Element f) {
    return (a, b) -> {
      long result = 0;
      for (int s = 0; s < 64; s += 16) {
        result |= (f.apply((short) (a >>> s), (short) (b >>> s)) & 0xFFFFL) << s;
      }
      return result;
    };
  }

  static Simd.Lane doublewords(Element f) {
    return (a, b) ->
        f.apply((int) a, (int) b) & 0xFFFF_FFFFL
            | (long) f.apply((int) (a >>> 32), (int) (b >>> 32)) << 32;
  }

  // ---- without carries between elements ------------------------------------------------------

  private static long add(long a, long b, long high) {
    return (a & ~high) + (b & ~high) ^ (a ^ b) & high;
  }

  private static long subtract(long a, long b, long high) {
    return (a | high) - (b & ~high) ^ (a ^ ~b) & high;
  }

  static long addBytes(long a, long b) {
    return add(a, b, HIGH_8);
  }

  static long addWords(long a, long b) {
    return add(a, b, HIGH_16);
  }

  static long addDoublewords(long a, long b) {
    return add(a, b, HIGH_32);
  }

  static long subtractBytes(long a, long b) {
    return subtract(a, b, HIGH_8);
  }

  static long subtractWords(long a, long b) {
    return subtract(a, b, HIGH_16);
  }

  static long subtractDoublewords(long a, long b) {
    return subtract(a, b, HIGH_32);
  }

  /** All ones in every element that is 0; {@code bits} is the element's width. */
  private static long zeroElements(long x, long high, int bits) {
    long marks = ~((x & ~high) + ~high | x | ~high);
    return (marks << 1) - (marks >>> (bits - 1));
  }

  static long equalBytes(long a, long b) {
    return zeroElements(a ^ b, HIGH_8, 8);
  }

  static long equalWords(long a, long b) {
    return zeroElements(a ^ b, HIGH_16, 16);
  }

  static long equalDoublewords(long a, long b) {
    return zeroElements(a ^ b, HIGH_32, 32);
  }

  static long equalQuadwords(long a, long b) {
    return a == b ? -1 : 0;
  }

  static long greaterQuadwords(long a, long b) {
    return a > b ? -1 : 0;
  }

  static long and(long a, long b) {
    return a & b;
  }

  static long andNot(long a, long b) {
    return ~a & b;
  }

  static long or(long a, long b) {
    return a | b;
  }

  static long xor(long a, long b) {
    return a ^ b;
  }

  // ---- saturation ----------------------------------------------------------------------------

  static int signed8(int value) {
    return Math.max(-128, Math.min(127, value));
  }

  static int signed16(int value) {
    return Math.max(-32768, Math.min(32767, value));
  }

  static int unsigned8(int value) {
    return Math.max(0, Math.min(255, value));
  }

  static int unsigned16(int value) {
    return Math.max(0, Math.min(65535, value));
  }

  // ---- products and sums ---------------------------------------------------------------------

  static long multiplyUnsignedDoublewords(long a, long b) {
    return (a & 0xFFFF_FFFFL) * (b & 0xFFFF_FFFFL);
  }

  static long multiplySignedDoublewords(long a, long b) {
    return (long) (int) a * (int) b;
  }

  /** PMADDWD. */
  static long multiplyAddWords(long a, long b) {
    return pairs(a, b) & 0xFFFF_FFFFL | (long) pairs(a >>> 32, b >>> 32) << 32;
  }

  private static int pairs(long a, long b) {
    return (short) a * (short) b + (short) (a >>> 16) * (short) (b >>> 16);
  }

  /** PMADDUBSW: unsigned destination bytes times signed source bytes, adjacent pairs summed. */
  static long multiplyAddBytes(long a, long b) {
    long result = 0;
    for (int s = 0; s < 64; s += 16) {
      int low = (int) (a >>> s & 0xFF) * (byte) (b >>> s);
      int high = (int) (a >>> (s + 8) & 0xFF) * (byte) (b >>> (s + 8));
      result |= (signed16(low + high) & 0xFFFFL) << s;
    }
    return result;
  }

  /** PSADBW. */
  static long sumOfDifferences(long a, long b) {
    int sum = 0;
    for (int s = 0; s < 64; s += 8) {
      sum += Math.abs((int) (a >>> s & 0xFF) - (int) (b >>> s & 0xFF));
    }
    return sum;
  }

  // ---- packing and interleaving of 64-bit registers ------------------------------------------

  /** PACKSSWB and PACKUSWB on four words: low four bytes of the result. */
  static long packWords(long words, boolean unsigned) {
    long result = 0;
    for (int i = 0; i < 4; i++) {
      int word = (short) (words >>> 16 * i);
      result |= ((unsigned ? unsigned8(word) : signed8(word)) & 0xFFL) << 8 * i;
    }
    return result;
  }

  /** PACKSSDW and PACKUSDW on two doublewords: low two words of the result. */
  static long packDoublewords(long doublewords, boolean unsigned) {
    int low = (int) doublewords;
    int high = (int) (doublewords >>> 32);
    return unsigned
        ? (long) unsigned16(low) | (long) unsigned16(high) << 16
        : signed16(low) & 0xFFFFL | (signed16(high) & 0xFFFFL) << 16;
  }

  static long packSignedWords(long a, long b) {
    return packWords(a, false) | packWords(b, false) << 32;
  }

  static long packUnsignedWords(long a, long b) {
    return packWords(a, true) | packWords(b, true) << 32;
  }

  static long packSignedDoublewords(long a, long b) {
    return packDoublewords(a, false) | packDoublewords(b, false) << 32;
  }

  static long packUnsignedDoublewords(long a, long b) {
    return packDoublewords(a, true) | packDoublewords(b, true) << 32;
  }

  /** Spreads the low four bytes over the even bytes. */
  private static long spreadBytes(long x) {
    long y = (x & 0xFFFF_0000L) << 16 | x & 0xFFFFL;
    return (y & 0x0000_FF00_0000_FF00L) << 8 | y & 0x0000_00FF_0000_00FFL;
  }

  private static long spreadWords(long x) {
    return (x & 0xFFFF_0000L) << 16 | x & 0xFFFFL;
  }

  static long interleaveLowBytes(long a, long b) {
    return spreadBytes(a) | spreadBytes(b) << 8;
  }

  static long interleaveHighBytes(long a, long b) {
    return interleaveLowBytes(a >>> 32, b >>> 32);
  }

  static long interleaveLowWords(long a, long b) {
    return spreadWords(a) | spreadWords(b) << 16;
  }

  static long interleaveHighWords(long a, long b) {
    return interleaveLowWords(a >>> 32, b >>> 32);
  }

  static long interleaveLowDoublewords(long a, long b) {
    return a & 0xFFFF_FFFFL | b << 32;
  }

  static long interleaveHighDoublewords(long a, long b) {
    return a >>> 32 | b & 0xFFFF_FFFF_0000_0000L;
  }

  // ---- shifts --------------------------------------------------------------------------------

  /** Kinds of shift. */
  static final int RIGHT = 0;

  static final int ARITHMETIC = 1;
  static final int LEFT = 2;

  /** Shifts every {@code bits}-wide element by the same unsigned count. */
  static long shift(int kind, int bits, long value, long count) {
    boolean beyond = Long.compareUnsigned(count, bits) >= 0;
    if (beyond && kind != ARITHMETIC) {
      return 0;
    }
    int by = beyond ? bits - 1 : (int) count;
    long mask = -1L >>> (64 - bits);
    long result = 0;
    for (int s = 0; s < 64; s += bits) {
      long element = value >>> s & mask;
      long shifted =
          switch (kind) {
            case RIGHT -> element >>> by;
            case LEFT -> element << by;
            default -> element << (64 - bits) >> (64 - bits) >> by;
          };
      result |= (shifted & mask) << s;
    }
    return result;
  }

  /** PMOVMSKB on one half: the top bit of each byte. */
  static int byteMask(long x) {
    return (int) ((x & HIGH_8) * 0x0002_0408_1020_4081L >>> 56);
  }

  // ---- SSSE3 ---------------------------------------------------------------------------------

  static int sign(int value, int by) {
    return by < 0 ? -value : by == 0 ? 0 : value;
  }

  /** PMULHRSW on one element. */
  static int multiplyRounded(int a, int b) {
    return (a * b >> 14) + 1 >> 1;
  }

  /** PHADDW and the like on four adjacent words of one half: two words. */
  static long horizontalWords(long x, boolean subtract, boolean saturate) {
    long result = 0;
    for (int i = 0; i < 2; i++) {
      int low = (short) (x >>> 32 * i);
      int high = (short) (x >>> (32 * i + 16));
      int value = subtract ? low - high : low + high;
      result |= ((saturate ? signed16(value) : value) & 0xFFFFL) << 16 * i;
    }
    return result;
  }

  /** PHADDD and PHSUBD on one half: one doubleword. */
  static long horizontalDoublewords(long x, boolean subtract) {
    int low = (int) x;
    int high = (int) (x >>> 32);
    return (subtract ? low - high : low + high) & 0xFFFF_FFFFL;
  }
}
