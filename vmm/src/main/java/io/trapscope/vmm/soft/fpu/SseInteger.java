package io.trapscope.vmm.soft.fpu;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.cpu.Op;

/** Integer instructions on whole XMM registers, shifts, shuffles, inserts and extracts. */
final class SseInteger {
  private SseInteger() {}

  // ---- packing and interleaving --------------------------------------------------------------

  /** A pack of 128 bits: the destination's elements fill the low half, the source's the high. */
  static Handler pack(Simd.Lane half) {
    return Simd.wide(
        (x, at, low, high) -> {
          x[at] = half.apply(x[at], x[at + 1]);
          x[at + 1] = half.apply(low, high);
        });
  }

  /** PUNPCKL: both halves of the result come from the low halves. */
  static Handler interleaveLow(Simd.Lane low64, Simd.Lane high64) {
    return Simd.wide(
        (x, at, low, high) -> {
          long a = x[at];
          x[at] = low64.apply(a, low);
          x[at + 1] = high64.apply(a, low);
        });
  }

  /** PUNPCKH: both halves of the result come from the high halves. */
  static Handler interleaveHigh(Simd.Lane low64, Simd.Lane high64) {
    return Simd.wide(
        (x, at, low, high) -> {
          long a = x[at + 1];
          x[at] = low64.apply(a, high);
          x[at + 1] = high64.apply(a, high);
        });
  }

  static void interleaveLowQuadwords(long[] x, int at, long low, long high) {
    x[at + 1] = low;
  }

  static void interleaveHighQuadwords(long[] x, int at, long low, long high) {
    x[at] = x[at + 1];
    x[at + 1] = high;
  }

  // ---- shuffles ------------------------------------------------------------------------------

  private static long shuffleWords(long x, int order) {
    long result = 0;
    for (int i = 0; i < 4; i++) {
      result |= (x >>> 16 * (order >> 2 * i & 3) & 0xFFFF) << 16 * i;
    }
    return result;
  }

  /** PSHUFW. */
  static void pshufw(Cpu cpu, Op op) {
    long source = Simd.loadMmx(cpu, op);
    Simd.setMmx(cpu, op.reg(), shuffleWords(source, (int) op.imm()));
  }

  static void pshufd(long[] x, int at, long low, long high, int imm) {
    x[at] = doubleword(low, high, imm & 3) | doubleword(low, high, imm >> 2 & 3) << 32;
    x[at + 1] = doubleword(low, high, imm >> 4 & 3) | doubleword(low, high, imm >> 6) << 32;
  }

  /** Doubleword i of a 128-bit value. */
  static long doubleword(long low, long high, int i) {
    return (i < 2 ? low : high) >>> 32 * (i & 1) & 0xFFFF_FFFFL;
  }

  static void pshuflw(long[] x, int at, long low, long high, int imm) {
    x[at] = shuffleWords(low, imm);
    x[at + 1] = high;
  }

  static void pshufhw(long[] x, int at, long low, long high, int imm) {
    x[at] = low;
    x[at + 1] = shuffleWords(high, imm);
  }

  static void shufps(long[] x, int at, long low, long high, int imm) {
    long a = x[at];
    long b = x[at + 1];
    x[at] = doubleword(a, b, imm & 3) | doubleword(a, b, imm >> 2 & 3) << 32;
    x[at + 1] = doubleword(low, high, imm >> 4 & 3) | doubleword(low, high, imm >> 6) << 32;
  }

  static void shufpd(long[] x, int at, long low, long high, int imm) {
    x[at] = (imm & 1) == 0 ? x[at] : x[at + 1];
    x[at + 1] = (imm & 2) == 0 ? low : high;
  }

  // ---- shifts --------------------------------------------------------------------------------

  /** Shift by the low 64 bits of the source: MMX. */
  static Handler mmxShift(int kind, int bits) {
    return Simd.mmx((a, count) -> PackedInteger.shift(kind, bits, a, count));
  }

  /** Shift by the low 64 bits of the source: XMM. */
  static Handler shift(int kind, int bits) {
    return Simd.wide(
        (x, at, count, unused) -> {
          x[at] = PackedInteger.shift(kind, bits, x[at], count);
          x[at + 1] = PackedInteger.shift(kind, bits, x[at + 1], count);
        });
  }

  /** Shift of ModRM.rm by the immediate: MMX. */
  static Handler mmxShiftImmediate(int kind, int bits) {
    return (cpu, op) -> {
      Simd.beginMmx(cpu);
      long value = cpu.fpu.mmx(op.rm());
      Simd.setMmx(cpu, op.rm(), PackedInteger.shift(kind, bits, value, op.imm() & 0xFF));
    };
  }

  /** Shift of ModRM.rm by the immediate: XMM. */
  static Handler shiftImmediate(int kind, int bits) {
    return (cpu, op) -> {
      long[] x = cpu.fpu.xmm;
      int at = Simd.xmm(op.rm());
      x[at] = PackedInteger.shift(kind, bits, x[at], op.imm() & 0xFF);
      x[at + 1] = PackedInteger.shift(kind, bits, x[at + 1], op.imm() & 0xFF);
    };
  }

  static void pslldq(Cpu cpu, Op op) {
    long[] x = cpu.fpu.xmm;
    int at = Simd.xmm(op.rm());
    int bits = 8 * Math.min((int) op.imm() & 0xFF, 16);
    long low = x[at];
    long high = x[at + 1];
    x[at] = bits < 64 ? low << bits : 0;
    x[at + 1] =
        bits == 0
            ? high
            : bits < 64 ? high << bits | low >>> (64 - bits) : bits < 128 ? low << (bits - 64) : 0;
  }

  static void psrldq(Cpu cpu, Op op) {
    long[] x = cpu.fpu.xmm;
    int at = Simd.xmm(op.rm());
    shiftRightBytes(x, at, x[at], x[at + 1], (int) op.imm() & 0xFF);
  }

  /** x[at] = high:low >> 8 * count. */
  private static void shiftRightBytes(long[] x, int at, long low, long high, int count) {
    int bits = 8 * Math.min(count, 16);
    x[at] =
        bits == 0
            ? low
            : bits < 64
                ? low >>> bits | high << (64 - bits)
                : bits < 128 ? high >>> (bits - 64) : 0;
    x[at + 1] = bits < 64 ? high >>> bits : 0;
  }

  /** PALIGNR: destination:source >> 8 * imm. */
  static void palignr(long[] x, int at, long low, long high, int imm) {
    long a = x[at];
    long b = x[at + 1];
    if (imm >= 16) {
      shiftRightBytes(x, at, a, b, imm - 16);
      return;
    }
    shiftRightBytes(x, at, low, high, imm);
    if (imm != 0) {
      int up = 8 * (16 - imm);
      x[at] |= up < 64 ? a << up : 0;
      x[at + 1] |= up < 64 ? b << up | a >>> (64 - up) : a << (up - 64);
    }
  }

  static void palignrMmx(Cpu cpu, Op op) {
    long source = Simd.loadMmx(cpu, op);
    long target = cpu.fpu.mmx(op.reg());
    int bits = 8 * Math.min((int) op.imm() & 0xFF, 16);
    long value =
        bits == 0
            ? source
            : bits < 64
                ? source >>> bits | target << (64 - bits)
                : bits < 128 ? target >>> (bits - 64) : 0;
    Simd.setMmx(cpu, op.reg(), value);
  }

  // ---- masks, inserts, extracts --------------------------------------------------------------

  static void pmovmskb(Cpu cpu, Op op) {
    long[] x = cpu.fpu.xmm;
    int at = Simd.xmm(op.rm());
    cpu.gpr[op.reg()] =
        PackedInteger.byteMask(x[at]) | (long) PackedInteger.byteMask(x[at + 1]) << 8;
  }

  static void pmovmskbMmx(Cpu cpu, Op op) {
    Simd.beginMmx(cpu);
    cpu.gpr[op.reg()] = PackedInteger.byteMask(cpu.fpu.mmx(op.rm()));
  }

  static void movmskps(Cpu cpu, Op op) {
    long[] x = cpu.fpu.xmm;
    int at = Simd.xmm(op.rm());
    cpu.gpr[op.reg()] = signs32(x[at]) | signs32(x[at + 1]) << 2;
  }

  private static long signs32(long x) {
    return x >>> 31 & 1 | x >>> 62 & 2;
  }

  static void movmskpd(Cpu cpu, Op op) {
    long[] x = cpu.fpu.xmm;
    int at = Simd.xmm(op.rm());
    cpu.gpr[op.reg()] = x[at] >>> 63 | x[at + 1] >>> 62 & 2;
  }

  private static long wordSource(Cpu cpu, Op op) {
    return op.isMemory() ? X87Memory.read(cpu, op, 2) : cpu.gpr[op.rm()] & 0xFFFF;
  }

  /** {@code value} with element {@code i} of {@code bits} bits replaced. */
  static long insert(long value, int i, int bits, long element) {
    long mask = -1L >>> (64 - bits);
    int shift = i * bits & 63;
    return value & ~(mask << shift) | (element & mask) << shift;
  }

  static void pinsrw(Cpu cpu, Op op) {
    long word = wordSource(cpu, op);
    int i = (int) op.imm() & 7;
    int at = Simd.xmm(op.reg()) + (i >> 2);
    cpu.fpu.xmm[at] = insert(cpu.fpu.xmm[at], i, 16, word);
  }

  static void pinsrwMmx(Cpu cpu, Op op) {
    X87Table.raisePending(cpu);
    long word = wordSource(cpu, op);
    cpu.fpu.enterMmx();
    long value = insert(cpu.fpu.mmx(op.reg()), (int) op.imm() & 3, 16, word);
    Simd.setMmx(cpu, op.reg(), value);
  }

  static void pextrw(Cpu cpu, Op op) {
    int i = (int) op.imm() & 7;
    cpu.gpr[op.reg()] = cpu.fpu.xmm[Simd.xmm(op.rm()) + (i >> 2)] >>> 16 * (i & 3) & 0xFFFF;
  }

  static void pextrwMmx(Cpu cpu, Op op) {
    Simd.beginMmx(cpu);
    cpu.gpr[op.reg()] = cpu.fpu.mmx(op.rm()) >>> 16 * ((int) op.imm() & 3) & 0xFFFF;
  }

  static void emms(Cpu cpu, Op op) {
    X87Table.raisePending(cpu);
    cpu.fpu.emptyMmx();
  }
}
