package io.trapscope.vmm.soft.fpu;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.cpu.Op;

/**
 * Packed and scalar floating-point arithmetic, comparison and conversion. Results are written only
 * after {@link Simd#commit}, because an unmasked exception delivers none.
 */
final class SseArithmetic {
  private static final long LOW_32 = 0xFFFF_FFFFL;

  private SseArithmetic() {}

  /** An operation on binary32 bits. */
  @FunctionalInterface
  interface Single {
    int apply(SseFloat s, int destination, int source);
  }

  /** An operation on binary64 bits. */
  @FunctionalInterface
  interface Double64 {
    long apply(SseFloat s, long destination, long source);
  }

  private static SseFloat begin(Cpu cpu) {
    SseFloat s = cpu.fpu.sse;
    s.begin(cpu.fpu.mxcsr);
    return s;
  }

  private static long pair(Single f, SseFloat s, long a, long b) {
    int low = f.apply(s, (int) a, (int) b);
    int high = f.apply(s, (int) (a >>> 32), (int) (b >>> 32));
    return low & LOW_32 | (long) high << 32;
  }

  private static void set(Cpu cpu, int at, long low, long high) {
    cpu.fpu.xmm[at] = low;
    cpu.fpu.xmm[at + 1] = high;
  }

  private static void setLow32(Cpu cpu, int at, int bits) {
    cpu.fpu.xmm[at] = cpu.fpu.xmm[at] & ~LOW_32 | bits & LOW_32;
  }

  // ---- arithmetic ----------------------------------------------------------------------------

  static Handler ps(Single f) {
    return (cpu, op) -> {
      long low = Simd.load128(cpu, op);
      long high = cpu.high;
      int at = Simd.xmm(op.reg());
      long[] x = cpu.fpu.xmm;
      SseFloat s = begin(cpu);
      long newLow = pair(f, s, x[at], low);
      long newHigh = pair(f, s, x[at + 1], high);
      Simd.commit(cpu);
      set(cpu, at, newLow, newHigh);
    };
  }

  static Handler ss(Single f) {
    return (cpu, op) -> {
      int source = (int) Simd.loadLow(cpu, op, 4);
      int at = Simd.xmm(op.reg());
      int result = f.apply(begin(cpu), (int) cpu.fpu.xmm[at], source);
      Simd.commit(cpu);
      setLow32(cpu, at, result);
    };
  }

  static Handler pd(Double64 f) {
    return (cpu, op) -> {
      long low = Simd.load128(cpu, op);
      long high = cpu.high;
      int at = Simd.xmm(op.reg());
      long[] x = cpu.fpu.xmm;
      SseFloat s = begin(cpu);
      long newLow = f.apply(s, x[at], low);
      long newHigh = f.apply(s, x[at + 1], high);
      Simd.commit(cpu);
      set(cpu, at, newLow, newHigh);
    };
  }

  static Handler sd(Double64 f) {
    return (cpu, op) -> {
      long source = Simd.loadLow(cpu, op, 8);
      int at = Simd.xmm(op.reg());
      long result = f.apply(begin(cpu), cpu.fpu.xmm[at], source);
      Simd.commit(cpu);
      cpu.fpu.xmm[at] = result;
    };
  }

  /** ADDSUBPS: subtracts in even elements, adds in odd ones. */
  static void addsubps(Cpu cpu, Op op) {
    long low = Simd.load128(cpu, op);
    long high = cpu.high;
    int at = Simd.xmm(op.reg());
    SseFloat s = begin(cpu);
    long newLow = addsub(s, cpu.fpu.xmm[at], low);
    long newHigh = addsub(s, cpu.fpu.xmm[at + 1], high);
    Simd.commit(cpu);
    set(cpu, at, newLow, newHigh);
  }

  private static long addsub(SseFloat s, long a, long b) {
    long low = s.sub32((int) a, (int) b) & LOW_32;
    return low | (long) s.add32((int) (a >>> 32), (int) (b >>> 32)) << 32;
  }

  static void addsubpd(Cpu cpu, Op op) {
    long low = Simd.load128(cpu, op);
    long high = cpu.high;
    int at = Simd.xmm(op.reg());
    SseFloat s = begin(cpu);
    long newLow = s.sub64(cpu.fpu.xmm[at], low);
    long newHigh = s.add64(cpu.fpu.xmm[at + 1], high);
    Simd.commit(cpu);
    set(cpu, at, newLow, newHigh);
  }

  /** HADDPS and HSUBPS: {@code f} on adjacent elements. */
  static Handler horizontalPs(Single f) {
    return (cpu, op) -> {
      long low = Simd.load128(cpu, op);
      long high = cpu.high;
      int at = Simd.xmm(op.reg());
      long[] x = cpu.fpu.xmm;
      SseFloat s = begin(cpu);
      long newLow = adjacent(f, s, x[at]) | adjacent(f, s, x[at + 1]) << 32;
      long newHigh = adjacent(f, s, low) | adjacent(f, s, high) << 32;
      Simd.commit(cpu);
      set(cpu, at, newLow, newHigh);
    };
  }

  private static long adjacent(Single f, SseFloat s, long x) {
    return f.apply(s, (int) x, (int) (x >>> 32)) & LOW_32;
  }

  /** HADDPD and HSUBPD. */
  static Handler horizontalPd(Double64 f) {
    return (cpu, op) -> {
      long low = Simd.load128(cpu, op);
      long high = cpu.high;
      int at = Simd.xmm(op.reg());
      long[] x = cpu.fpu.xmm;
      SseFloat s = begin(cpu);
      long newLow = f.apply(s, x[at], x[at + 1]);
      long newHigh = f.apply(s, low, high);
      Simd.commit(cpu);
      set(cpu, at, newLow, newHigh);
    };
  }

  // ---- comparison ----------------------------------------------------------------------------

  static Handler cmpps(int predicate) {
    return ps((s, a, b) -> s.compare32(a, b, predicate) ? -1 : 0);
  }

  static Handler cmpss(int predicate) {
    return ss((s, a, b) -> s.compare32(a, b, predicate) ? -1 : 0);
  }

  static Handler cmppd(int predicate) {
    return pd((s, a, b) -> s.compare64(a, b, predicate) ? -1 : 0);
  }

  static Handler cmpsd(int predicate) {
    return sd((s, a, b) -> s.compare64(a, b, predicate) ? -1 : 0);
  }

  /** UCOMISS, COMISS. */
  static Handler compareSs(boolean signalling) {
    return (cpu, op) -> {
      int source = (int) Simd.loadLow(cpu, op, 4);
      int order = begin(cpu).order32((int) cpu.fpu.xmm[Simd.xmm(op.reg())], source, signalling);
      Simd.commit(cpu);
      cpu.setArithmeticFlags(X87Compute.orderFlags(order));
    };
  }

  /** UCOMISD, COMISD. */
  static Handler compareSd(boolean signalling) {
    return (cpu, op) -> {
      long source = Simd.loadLow(cpu, op, 8);
      int order = begin(cpu).order64(cpu.fpu.xmm[Simd.xmm(op.reg())], source, signalling);
      Simd.commit(cpu);
      cpu.setArithmeticFlags(X87Compute.orderFlags(order));
    };
  }

  // ---- conversion between formats ------------------------------------------------------------

  static void cvtps2pd(Cpu cpu, Op op) {
    long source = Simd.loadLow(cpu, op, 8);
    SseFloat s = begin(cpu);
    long low = s.widen((int) source);
    long high = s.widen((int) (source >>> 32));
    Simd.commit(cpu);
    set(cpu, Simd.xmm(op.reg()), low, high);
  }

  static void cvtpd2ps(Cpu cpu, Op op) {
    long low = Simd.load128(cpu, op);
    long high = cpu.high;
    SseFloat s = begin(cpu);
    long result = s.narrow(low) & LOW_32 | (long) s.narrow(high) << 32;
    Simd.commit(cpu);
    set(cpu, Simd.xmm(op.reg()), result, 0);
  }

  static void cvtss2sd(Cpu cpu, Op op) {
    int source = (int) Simd.loadLow(cpu, op, 4);
    long result = begin(cpu).widen(source);
    Simd.commit(cpu);
    cpu.fpu.xmm[Simd.xmm(op.reg())] = result;
  }

  static void cvtsd2ss(Cpu cpu, Op op) {
    long source = Simd.loadLow(cpu, op, 8);
    int result = begin(cpu).narrow(source);
    Simd.commit(cpu);
    setLow32(cpu, Simd.xmm(op.reg()), result);
  }

  // ---- conversion from integers --------------------------------------------------------------

  private static long integerSource(Cpu cpu, Op op) {
    long value =
        op.isMemory()
            ? X87Memory.read(cpu, op, op.size())
            : Cpu.unsigned(op.size(), cpu.gpr[op.rm()]);
    return Cpu.signed(op.size(), value);
  }

  static void cvtsi2ss(Cpu cpu, Op op) {
    long source = integerSource(cpu, op);
    int result = begin(cpu).fromInteger32(source);
    Simd.commit(cpu);
    setLow32(cpu, Simd.xmm(op.reg()), result);
  }

  static void cvtsi2sd(Cpu cpu, Op op) {
    long source = integerSource(cpu, op);
    long result = begin(cpu).fromInteger64(source);
    Simd.commit(cpu);
    cpu.fpu.xmm[Simd.xmm(op.reg())] = result;
  }

  private static long toSingles(SseFloat s, long integers) {
    return s.fromInteger32((int) integers) & LOW_32
        | (long) s.fromInteger32((int) (integers >>> 32)) << 32;
  }

  static void cvtdq2ps(Cpu cpu, Op op) {
    long low = Simd.load128(cpu, op);
    long high = cpu.high;
    SseFloat s = begin(cpu);
    long newLow = toSingles(s, low);
    long newHigh = toSingles(s, high);
    Simd.commit(cpu);
    set(cpu, Simd.xmm(op.reg()), newLow, newHigh);
  }

  static void cvtdq2pd(Cpu cpu, Op op) {
    long source = Simd.loadLow(cpu, op, 8);
    SseFloat s = begin(cpu);
    set(
        cpu,
        Simd.xmm(op.reg()),
        s.fromInteger64((int) source),
        s.fromInteger64((int) (source >>> 32)));
  }

  /** With a memory operand, CVTPI2PS and CVTPI2PD leave the x87 alone. */
  private static long mmxSource(Cpu cpu, Op op) {
    return op.isMemory() ? X87Memory.read(cpu, op, 8) : Simd.loadMmx(cpu, op);
  }

  static void cvtpi2ps(Cpu cpu, Op op) {
    long source = mmxSource(cpu, op);
    SseFloat s = begin(cpu);
    long result = toSingles(s, source);
    Simd.commit(cpu);
    cpu.fpu.xmm[Simd.xmm(op.reg())] = result;
  }

  static void cvtpi2pd(Cpu cpu, Op op) {
    long source = mmxSource(cpu, op);
    SseFloat s = begin(cpu);
    set(
        cpu,
        Simd.xmm(op.reg()),
        s.fromInteger64((int) source),
        s.fromInteger64((int) (source >>> 32)));
  }

  // ---- conversion to integers ----------------------------------------------------------------

  private static long fromSingles(SseFloat s, long x, boolean truncate) {
    long low = s.toInteger32((int) x, 32, truncate) & LOW_32;
    return low | s.toInteger32((int) (x >>> 32), 32, truncate) << 32;
  }

  private static long fromDoubles(SseFloat s, long a, long b, boolean truncate) {
    return s.toInteger64(a, 32, truncate) & LOW_32 | s.toInteger64(b, 32, truncate) << 32;
  }

  static Handler ss2si(boolean truncate) {
    return (cpu, op) -> {
      int source = (int) Simd.loadLow(cpu, op, 4);
      long result = begin(cpu).toInteger32(source, 8 * op.size(), truncate);
      Simd.commit(cpu);
      cpu.setReg(op.size(), op.reg(), result);
    };
  }

  static Handler sd2si(boolean truncate) {
    return (cpu, op) -> {
      long source = Simd.loadLow(cpu, op, 8);
      long result = begin(cpu).toInteger64(source, 8 * op.size(), truncate);
      Simd.commit(cpu);
      cpu.setReg(op.size(), op.reg(), result);
    };
  }

  static Handler ps2dq(boolean truncate) {
    return (cpu, op) -> {
      long low = Simd.load128(cpu, op);
      long high = cpu.high;
      SseFloat s = begin(cpu);
      long newLow = fromSingles(s, low, truncate);
      long newHigh = fromSingles(s, high, truncate);
      Simd.commit(cpu);
      set(cpu, Simd.xmm(op.reg()), newLow, newHigh);
    };
  }

  static Handler pd2dq(boolean truncate) {
    return (cpu, op) -> {
      long low = Simd.load128(cpu, op);
      long result = fromDoubles(begin(cpu), low, cpu.high, truncate);
      Simd.commit(cpu);
      set(cpu, Simd.xmm(op.reg()), result, 0);
    };
  }

  static Handler ps2pi(boolean truncate) {
    return (cpu, op) -> {
      X87Table.raisePending(cpu);
      long source = Simd.loadLow(cpu, op, 8);
      cpu.fpu.enterMmx();
      long result = fromSingles(begin(cpu), source, truncate);
      Simd.commit(cpu);
      Simd.setMmx(cpu, op.reg(), result);
    };
  }

  static Handler pd2pi(boolean truncate) {
    return (cpu, op) -> {
      X87Table.raisePending(cpu);
      long low = Simd.load128(cpu, op);
      cpu.fpu.enterMmx();
      long result = fromDoubles(begin(cpu), low, cpu.high, truncate);
      Simd.commit(cpu);
      Simd.setMmx(cpu, op.reg(), result);
    };
  }

  // ---- approximations ------------------------------------------------------------------------

  /** RCPPS and RSQRTPS, {@code root}: no exceptions, MXCSR plays no part but for DAZ. */
  static Handler approximatePs(boolean root) {
    return (cpu, op) -> {
      long low = Simd.load128(cpu, op);
      long high = cpu.high;
      set(cpu, Simd.xmm(op.reg()), approximate(low, root), approximate(high, root));
    };
  }

  private static long approximate(long x, boolean root) {
    long low = Approximation.of((int) x, root) & LOW_32;
    return low | (long) Approximation.of((int) (x >>> 32), root) << 32;
  }

  static Handler approximateSs(boolean root) {
    return (cpu, op) -> {
      int source = (int) Simd.loadLow(cpu, op, 4);
      setLow32(cpu, Simd.xmm(op.reg()), Approximation.of(source, root));
    };
  }
}
