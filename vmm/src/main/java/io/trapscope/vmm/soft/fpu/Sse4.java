package io.trapscope.vmm.soft.fpu;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.cpu.Op;

/** PSHUFB and the instructions of SSE4.1 and SSE4.2 but for the string ones. */
final class Sse4 {
  private Sse4() {}

  private static long byteAt(long low, long high, int i) {
    return (i < 8 ? low : high) >>> 8 * (i & 7) & 0xFF;
  }

  // ---- PSHUFB --------------------------------------------------------------------------------

  static long shuffleBytes(long value, long order) {
    return shuffleHalf(value, value, order, 7);
  }

  static void shuffleBytes(long[] x, int at, long low, long high) {
    long a = x[at];
    long b = x[at + 1];
    x[at] = shuffleHalf(a, b, low, 15);
    x[at + 1] = shuffleHalf(a, b, high, 15);
  }

  private static long shuffleHalf(long low, long high, long order, int mask) {
    long result = 0;
    for (int s = 0; s < 64; s += 8) {
      int index = (int) (order >>> s);
      if ((index & 0x80) == 0) {
        result |= byteAt(low, high, index & mask) << s;
      }
    }
    return result;
  }

  // ---- blends --------------------------------------------------------------------------------

  /** All ones in each element of {@code bits} bits whose top bit is set. */
  private static long spreadSigns(long x, int bits) {
    long result = 0;
    for (int s = 0; s < 64; s += bits) {
      if ((x >>> (s + bits - 1) & 1) != 0) {
        result |= -1L >>> (64 - bits) << s;
      }
    }
    return result;
  }

  private static long blend(long a, long b, long mask) {
    return a & ~mask | b & mask;
  }

  /** PBLENDVB, BLENDVPS, BLENDVPD: the mask is XMM0. */
  static Handler blendByRegister(int bits) {
    return Simd.wide(
        (x, at, low, high) -> {
          long lowMask = spreadSigns(x[0], bits);
          long highMask = spreadSigns(x[1], bits);
          x[at] = blend(x[at], low, lowMask);
          x[at + 1] = blend(x[at + 1], high, highMask);
        });
  }

  /** PBLENDW, BLENDPS, BLENDPD: one immediate bit an element. */
  static Handler blendByImmediate(int bits) {
    int each = 64 / bits;
    return Simd.wide(
        (x, at, low, high, imm) -> {
          x[at] = blend(x[at], low, immediateMask(imm, bits));
          x[at + 1] = blend(x[at + 1], high, immediateMask(imm >> each, bits));
        });
  }

  private static long immediateMask(int imm, int bits) {
    long mask = 0;
    for (int i = 0; i * bits < 64; i++) {
      if ((imm >> i & 1) != 0) {
        mask |= -1L >>> (64 - bits) << i * bits;
      }
    }
    return mask;
  }

  // ---- tests, widening, minimum position -----------------------------------------------------

  static void ptest(Cpu cpu, Op op) {
    long low = Simd.load128(cpu, op);
    long high = cpu.high;
    long[] x = cpu.fpu.xmm;
    int at = Simd.xmm(op.reg());
    boolean zero = (x[at] & low | x[at + 1] & high) == 0;
    boolean carry = (~x[at] & low | ~x[at + 1] & high) == 0;
    cpu.setArithmeticFlags((zero ? Cpu.ZF : 0) | (carry ? Cpu.CF : 0));
  }

  /** PMOVSX and PMOVZX from {@code from} to {@code to} bits. */
  static Handler widen(int from, int to, boolean signed) {
    int bytes = 16 * from / to;
    return (cpu, op) -> {
      long source = Simd.loadLow(cpu, op, bytes);
      int at = Simd.xmm(op.reg());
      int each = 64 / to;
      cpu.fpu.xmm[at] = widenHalf(source, from, to, signed);
      cpu.fpu.xmm[at + 1] = widenHalf(source >>> each * from, from, to, signed);
    };
  }

  private static long widenHalf(long source, int from, int to, boolean signed) {
    long result = 0;
    for (int i = 0; i * to < 64; i++) {
      long element = source >>> i * from << (64 - from);
      element = signed ? element >> (64 - from) : element >>> (64 - from);
      result |= (element & -1L >>> (64 - to)) << i * to;
    }
    return result;
  }

  static void phminposuw(long[] x, int at, long low, long high) {
    int best = 0;
    long least = low & 0xFFFF;
    for (int i = 1; i < 8; i++) {
      long word = (i < 4 ? low : high) >>> 16 * (i & 3) & 0xFFFF;
      if (word < least) {
        least = word;
        best = i;
      }
    }
    x[at] = least | (long) best << 16;
    x[at + 1] = 0;
  }

  /** MPSADBW. */
  static void mpsadbw(long[] x, int at, long low, long high, int imm) {
    long a = x[at];
    long b = x[at + 1];
    int from = (imm & 4) != 0 ? 4 : 0;
    int block = 4 * (imm & 3);
    x[at] = 0;
    x[at + 1] = 0;
    for (int i = 0; i < 8; i++) {
      long sum = 0;
      for (int j = 0; j < 4; j++) {
        sum += Math.abs(byteAt(a, b, from + i + j) - byteAt(low, high, block + j));
      }
      x[at + (i >> 2)] |= sum << 16 * (i & 3);
    }
  }

  // ---- inserts and extracts ------------------------------------------------------------------

  /** PINSRB, PINSRD, PINSRQ: an element of {@code size} bytes. */
  static void insert(Cpu cpu, Op op, int size) {
    long value =
        op.isMemory() ? X87Memory.read(cpu, op, size) : Cpu.unsigned(size, cpu.gpr[op.rm()]);
    int each = 8 / size;
    int i = (int) op.imm() & 2 * each - 1;
    int at = Simd.xmm(op.reg()) + i / each;
    cpu.fpu.xmm[at] = SseInteger.insert(cpu.fpu.xmm[at], i % each, 8 * size, value);
  }

  /** PEXTRB, PEXTRW, PEXTRD, PEXTRQ, EXTRACTPS: a register gets the element zero-extended. */
  static void extract(Cpu cpu, Op op, int size) {
    int each = 8 / size;
    int i = (int) op.imm() & 2 * each - 1;
    long half = cpu.fpu.xmm[Simd.xmm(op.reg()) + i / each];
    long value = Cpu.unsigned(size, half >>> 8 * size * (i % each));
    if (op.isMemory()) {
      Simd.storeMemory(cpu, op, size, value);
    } else {
      cpu.gpr[op.rm()] = value;
    }
  }

  static void insertps(Cpu cpu, Op op) {
    int imm = (int) op.imm();
    long[] x = cpu.fpu.xmm;
    long value;
    if (op.isMemory()) {
      value = X87Memory.read(cpu, op, 4);
    } else {
      int from = Simd.xmm(op.rm());
      value = SseInteger.doubleword(x[from], x[from + 1], imm >> 6 & 3);
    }
    int at = Simd.xmm(op.reg());
    int to = imm >> 4 & 3;
    x[at + (to >> 1)] = SseInteger.insert(x[at + (to >> 1)], to & 1, 32, value);
    x[at] &= ~immediateMask(imm & 3, 32);
    x[at + 1] &= ~immediateMask(imm >> 2 & 3, 32);
  }

  // ---- floating point ------------------------------------------------------------------------

  private static int roundingMode(Cpu cpu, int imm) {
    return (imm & 4) != 0 ? cpu.fpu.mxcsr >>> SseFloat.ROUND_SHIFT & 3 : imm & 3;
  }

  private static SseFloat begin(Cpu cpu) {
    cpu.fpu.sse.begin(cpu.fpu.mxcsr);
    return cpu.fpu.sse;
  }

  private static long round32(SseFloat s, long x, int mode, boolean quiet) {
    return s.round32((int) x, mode, quiet) & 0xFFFF_FFFFL
        | (long) s.round32((int) (x >>> 32), mode, quiet) << 32;
  }

  static void roundps(Cpu cpu, Op op) {
    int mode = roundingMode(cpu, (int) op.imm());
    boolean quiet = (op.imm() & 8) != 0;
    long low = Simd.load128(cpu, op);
    long high = cpu.high;
    SseFloat s = begin(cpu);
    finish(cpu, op, round32(s, low, mode, quiet), round32(s, high, mode, quiet));
  }

  static void roundpd(Cpu cpu, Op op) {
    int mode = roundingMode(cpu, (int) op.imm());
    boolean quiet = (op.imm() & 8) != 0;
    long low = Simd.load128(cpu, op);
    long high = cpu.high;
    SseFloat s = begin(cpu);
    finish(cpu, op, s.round64(low, mode, quiet), s.round64(high, mode, quiet));
  }

  static void roundss(Cpu cpu, Op op) {
    int source = (int) Simd.loadLow(cpu, op, 4);
    boolean quiet = (op.imm() & 8) != 0;
    int result = begin(cpu).round32(source, roundingMode(cpu, (int) op.imm()), quiet);
    int at = Simd.xmm(op.reg());
    long rest = cpu.fpu.xmm[at] & 0xFFFF_FFFF_0000_0000L;
    finish(cpu, op, rest | result & 0xFFFF_FFFFL, cpu.fpu.xmm[at + 1]);
  }

  static void roundsd(Cpu cpu, Op op) {
    long source = Simd.loadLow(cpu, op, 8);
    boolean quiet = (op.imm() & 8) != 0;
    long result = begin(cpu).round64(source, roundingMode(cpu, (int) op.imm()), quiet);
    finish(cpu, op, result, cpu.fpu.xmm[Simd.xmm(op.reg()) + 1]);
  }

  private static void finish(Cpu cpu, Op op, long low, long high) {
    Simd.commit(cpu);
    cpu.fpu.xmm[Simd.xmm(op.reg())] = low;
    cpu.fpu.xmm[Simd.xmm(op.reg()) + 1] = high;
  }

  /**
   * DPPS: products by the high immediate bits, summed, sent by the low bits. Each element is summed
   * from its own side, as on hardware: it matters for which NaN comes out.
   */
  static void dpps(Cpu cpu, Op op) {
    int imm = (int) op.imm();
    long low = Simd.load128(cpu, op);
    long high = cpu.high;
    long[] x = cpu.fpu.xmm;
    int at = Simd.xmm(op.reg());
    SseFloat s = begin(cpu);
    int[] product = new int[4];
    for (int i = 0; i < 4; i++) {
      if ((imm >> (4 + i) & 1) != 0) {
        int a = (int) SseInteger.doubleword(x[at], x[at + 1], i);
        product[i] = s.mul32(a, (int) SseInteger.doubleword(low, high, i));
      }
    }
    commitStage(cpu, s);
    int[] pair = new int[4];
    for (int i = 0; i < 4; i++) {
      pair[i] = s.add32(product[i ^ 1], product[i]);
    }
    commitStage(cpu, s);
    long[] half = new long[2];
    for (int i = 0; i < 4; i++) {
      half[i >> 1] |= (s.add32(pair[i], pair[i ^ 2]) & 0xFFFF_FFFFL) << 32 * (i & 1);
    }
    long lowMask = immediateMask(imm & 3, 32);
    finish(cpu, op, half[0] & lowMask, half[1] & immediateMask(imm >> 2 & 3, 32));
  }

  /** An unmasked exception of one stage of a dot product stops the stages after it. */
  private static void commitStage(Cpu cpu, SseFloat s) {
    Simd.commit(cpu);
    s.begin(cpu.fpu.mxcsr);
  }

  static void dppd(Cpu cpu, Op op) {
    int imm = (int) op.imm();
    long low = Simd.load128(cpu, op);
    long high = cpu.high;
    int at = Simd.xmm(op.reg());
    SseFloat s = begin(cpu);
    long first = (imm & 16) != 0 ? s.mul64(cpu.fpu.xmm[at], low) : 0;
    long second = (imm & 32) != 0 ? s.mul64(cpu.fpu.xmm[at + 1], high) : 0;
    commitStage(cpu, s);
    long lowSum = s.add64(first, second);
    long highSum = s.add64(second, first);
    finish(cpu, op, (imm & 1) != 0 ? lowSum : 0, (imm & 2) != 0 ? highSum : 0);
  }

  // ---- CRC32 ---------------------------------------------------------------------------------

  /** CRC-32C's polynomial, bits reflected. */
  private static final int POLYNOMIAL = 0x82F6_3B78;

  /** CRC32 r, r/m of {@code op.size()} bytes, or one byte for opcode F0. */
  static void crc32(Cpu cpu, Op op, boolean single) {
    int size = single ? 1 : op.size();
    long data;
    if (op.isMemory()) {
      data = X87Memory.read(cpu, op, size);
    } else {
      data = cpu.reg(size, op.rm());
    }
    int crc = (int) cpu.gpr[op.reg()];
    for (int i = 0; i < size; i++) {
      crc ^= (int) (data >>> 8 * i) & 0xFF;
      for (int bit = 0; bit < 8; bit++) {
        crc = crc >>> 1 ^ (POLYNOMIAL & -(crc & 1));
      }
    }
    cpu.gpr[op.reg()] = crc & 0xFFFF_FFFFL;
  }
}
