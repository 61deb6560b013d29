package io.trapscope.vmm.soft.differential;

import java.nio.ByteBuffer;
import java.util.Random;

/** Random values that are worth trying: boundaries, special floating-point numbers, pointers. */
final class Operands {
  private static final long[] LIMITS = {
    0,
    1,
    -1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFF_FFFFL,
    0x8000_0000L,
    0xFFFF_FFFFL,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    0x100,
    0x10000,
    0x1_0000_0000L
  };

  private static final int[] SINGLES = {
    0, 0x8000_0000, 0x3F80_0000, 0xBF80_0000, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000, 0x7FA0_0000,
    0xFFC0_1234, 1, 0x807F_FFFF, 0x0080_0000, 0x7F7F_FFFF, 0x4F00_0000, 0xCF00_0000, 0x4B80_0001,
    0x3F00_0000, 0x3FC0_0000, 0x4020_0000, 0x0080_0001
  };

  private static final long[] DOUBLES = {
    0,
    Long.MIN_VALUE,
    0x3FF0_0000_0000_0000L,
    0xBFF0_0000_0000_0000L,
    0x7FF0_0000_0000_0000L,
    0xFFF0_0000_0000_0000L,
    0x7FF8_0000_0000_0000L,
    0x7FF4_0000_0000_0000L,
    0xFFF8_0000_1234_5678L,
    1,
    0x800F_FFFF_FFFF_FFFFL,
    0x0010_0000_0000_0000L,
    0x7FEF_FFFF_FFFF_FFFFL,
    0x41E0_0000_0000_0000L,
    0xC1E0_0000_0000_0000L,
    0x43E0_0000_0000_0000L,
    0xC3E0_0000_0000_0000L,
    0x3FE0_0000_0000_0000L,
    0x3FF8_0000_0000_0000L,
    0x47F0_0000_0000_0000L,
    0x3690_0000_0000_0000L,
    0x3810_0000_0000_0000L,
    0x4340_0000_0000_0001L
  };

  /** Sign and exponent, then significand. */
  private static final long[][] EXTENDED = {
    {0, 0},
    {0x8000, 0},
    {0x3FFF, Long.MIN_VALUE},
    {0xBFFF, Long.MIN_VALUE},
    {0x7FFF, Long.MIN_VALUE},
    {0xFFFF, Long.MIN_VALUE},
    {0x7FFF, 0xC000_0000_0000_0000L},
    {0x7FFF, 0xA000_0000_0000_0000L},
    {0xFFFF, 0xC000_0000_0000_1234L},
    {0, 1},
    {0, Long.MIN_VALUE},
    {0x8000, Long.MAX_VALUE},
    {1, Long.MIN_VALUE},
    {0x7FFE, -1L},
    {0x3FFF, 0x4000_0000_0000_0000L},
    {0x7FFF, 0},
    {0x7FFF, 0x4000_0000_0000_0000L},
    {0x403E, -1L},
    {0x403D, -1L},
    {0x403E, Long.MIN_VALUE},
    {0x4000, 0xC90F_DAA2_2168_C235L},
    {0x3FFE, Long.MIN_VALUE},
    {0x400E, Long.MIN_VALUE},
    {0x43FE, -1L},
    {0x3C00, 0x8000_0000_0000_0001L}
  };

  private final Random random;

  Operands(Random random) {
    this.random = random;
  }

  /** An integer: a limit, a small one, or any. */
  long interesting() {
    return switch (random.nextInt(5)) {
      case 0 -> LIMITS[random.nextInt(LIMITS.length)];
      case 1 -> random.nextInt(64) - 16;
      case 2 -> random.nextInt();
      case 3 -> random.nextLong() >>> random.nextInt(64);
      default -> random.nextLong();
    };
  }

  /** An address in one of the three windows of a case's data. */
  long dataAddress(int align) {
    long at =
        random.nextInt(4) == 0
            ? TestCase.DATA + 2 * TestCase.PAGE - 1 - random.nextInt(40)
            : TestCase.DATA + TestCase.PAGE + random.nextInt(320) - 160;
    return at & -align;
  }

  private int single() {
    return switch (random.nextInt(4)) {
      case 0 -> SINGLES[random.nextInt(SINGLES.length)];
      case 1 -> random.nextInt();
      case 2 -> Float.floatToRawIntBits(random.nextInt(2000) - 1000);
      default ->
          Float.floatToRawIntBits(
              (float) Math.scalb(random.nextGaussian(), random.nextInt(40) - 20));
    };
  }

  private long binary64() {
    return switch (random.nextInt(4)) {
      case 0 -> DOUBLES[random.nextInt(DOUBLES.length)];
      case 1 -> random.nextLong();
      case 2 -> Double.doubleToRawLongBits(random.nextInt(2000) - 1000);
      default ->
          Double.doubleToRawLongBits(Math.scalb(random.nextGaussian(), random.nextInt(140) - 70));
    };
  }

  private long vectorHalf() {
    return switch (random.nextInt(4)) {
      case 0 -> interesting();
      case 1 -> binary64();
      default -> single() & 0xFFFF_FFFFL | (long) single() << 32;
    };
  }

  void registers(TestCase test, boolean string) {
    boolean wide = test.mode == 64;
    for (int i = 0; i < 16; i++) {
      test.gpr[i] = interesting();
    }
    int align = random.nextInt(10) < 7 ? 16 : 1;
    for (int i : new int[] {3, 4, 5, 6, 7, 12, 13}) {
      if (random.nextInt(20) != 0) {
        test.gpr[i] = dataAddress(align);
      }
    }
    test.gpr[1] = random.nextInt(3) == 0 ? interesting() : random.nextInt(string ? 40 : 20);
    test.gpr[9] = random.nextInt(20);
    if (!wide) {
      for (int i = 0; i < 16; i++) {
        test.gpr[i] = i < 8 ? test.gpr[i] & 0xFFFF_FFFFL : 0;
      }
    }
    test.rflags = 0x202 | random.nextInt() & TestCase.FLAGS;
    if (random.nextInt(3) != 0) {
      test.rflags &= ~0x400L;
    }
    if (string && Long.compareUnsigned(test.gpr[1], 5000) > 0) {
      test.gpr[1] = random.nextInt(300);
    }
  }

  void fpu(TestCase test) {
    ByteBuffer fx = test.fxBuffer();
    int control = 0x37F;
    if (random.nextInt(2) == 0) {
      control = 0x7F | random.nextInt(16) << 8 & 0xF00;
      control |= random.nextInt(4) == 0 ? 0x100 : 0;
    }
    if (random.nextInt(8) == 0) {
      control &= ~random.nextInt(64);
    }
    int top = random.nextInt(8);
    fx.putShort(0, (short) control);
    fx.putShort(2, (short) (top << 11 | (random.nextInt(4) == 0 ? random.nextInt() & 0x4700 : 0)));
    int tags = random.nextInt(4) == 0 ? random.nextInt(256) : 0xFF;
    if (random.nextInt(3) == 0) {
      // Room to push: the registers below the top are empty.
      tags &= ~(1 << (top - 1 & 7) | 1 << (top - 2 & 7) | 1 << (top - 3 & 7));
    }
    fx.put(4, (byte) tags);
    int mxcsr = 0x1F80;
    if (random.nextInt(3) == 0) {
      mxcsr = 0x1F80 | random.nextInt() & 0xE07F;
    }
    if (random.nextInt(8) == 0) {
      mxcsr &= ~(random.nextInt(64) << 7);
    }
    fx.putInt(24, mxcsr);
    for (int i = 0; i < 8; i++) {
      extended(fx, 32 + 16 * i);
    }
    for (int i = 0; i < (test.mode == 64 ? 32 : 16); i++) {
      fx.putLong(160 + 8 * i, vectorHalf());
    }
  }

  private void extended(ByteBuffer to, int at) {
    int se;
    long mant;
    if (random.nextInt(3) == 0) {
      long[] special = EXTENDED[random.nextInt(EXTENDED.length)];
      se = (int) special[0];
      mant = special[1];
    } else if (random.nextInt(8) == 0) {
      se = random.nextInt() & 0xFFFF;
      mant = random.nextLong();
    } else {
      int spread = random.nextInt(3) == 0 ? 1 + random.nextInt(16000) : 70;
      se = 0x3FFF + random.nextInt(2 * spread) - spread | random.nextInt(2) << 15;
      mant = random.nextLong() << random.nextInt(64) | Long.MIN_VALUE;
    }
    to.putLong(at, mant);
    to.putShort(at + 8, (short) se);
  }

  /** Makes the addresses of an FXSAVE image at the first window canonical. */
  void environment(TestCase test) {
    ByteBuffer window = ByteBuffer.wrap(test.window).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    window.putLong(8, random.nextInt() & 0x7FFF_FFFFL);
    window.putLong(16, random.nextInt() & 0x7FFF_FFFFL);
  }

  /** Makes |ST(0)| less than 1/4, if it is a number. */
  void shrinkTop(TestCase test) {
    ByteBuffer fx = test.fxBuffer();
    int se = fx.getShort(40);
    if ((se & 0x7FFF) >= 0x3FFD && (se & 0x7FFF) != 0x7FFF) {
      fx.putShort(40, (short) (se & 0x8000 | 0x3FFC - random.nextInt(70)));
    }
  }

  void memory(TestCase test) {
    ByteBuffer window = ByteBuffer.wrap(test.window).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at + 16 <= TestCase.WINDOW_BYTES; at += 16) {
      switch (random.nextInt(6)) {
        case 0 -> {
          window.putLong(at, random.nextLong());
          window.putLong(at + 8, random.nextLong());
        }
        case 1 -> {
          extended(window, at);
          window.putInt(at + 10, random.nextInt());
        }
        case 2 -> {
          window.putLong(at, interesting());
          window.putLong(at + 8, interesting());
        }
        default -> {
          window.putLong(at, vectorHalf());
          window.putLong(at + 8, vectorHalf());
        }
      }
    }
  }
}
