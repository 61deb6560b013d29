package io.trapscope.vmm.soft.fpu;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Op;

/**
 * x87 instructions that compute: arithmetic, comparison, constants, transcendentals. Each method is
 * one instruction without its preamble and epilogue, which {@link X87Table} adds.
 */
final class X87Compute {
  private static final long INDEFINITE = ExtFloat.QUIET;
  private static final int INDEFINITE_SE = ExtFloat.INDEFINITE_SE;

  private X87Compute() {}

  // ---- arithmetic ----------------------------------------------------------------------------

  /**
   * The operation that ModRM.reg names: 0 add, 1 mul, 4 a - b, 5 b - a, 6 a / b, 7 b / a, where a
   * is always ST(0).
   */
  private static void operate(ExtFloat ext, int kind, int aSe, long aMant, int bSe, long bMant) {
    switch (kind) {
      case 0 -> ext.add(aSe, aMant, bSe, bMant);
      case 1 -> ext.mul(aSe, aMant, bSe, bMant);
      case 4 -> ext.sub(aSe, aMant, bSe, bMant);
      case 5 -> ext.sub(bSe, bMant, aSe, aMant);
      case 6 -> ext.div(aSe, aMant, bSe, bMant);
      default -> ext.div(bSe, bMant, aSe, aMant);
    }
  }

  /** ModRM.reg: which operation. */
  static int kind(Op op) {
    return op.modrm() >> 3 & 7;
  }

  private static void arithmetic(FpuState f, int kind, int i, int to, boolean pop) {
    if (f.isEmpty(0) || f.isEmpty(i)) {
      if (f.stackFault(false)) {
        f.set(to, INDEFINITE_SE, INDEFINITE);
        popIf(f, pop);
      }
      return;
    }
    f.begin();
    operate(f.ext, kind, f.se(0), f.mant(0), f.se(i), f.mant(i));
    if (f.commit()) {
      f.set(to, f.ext.se, f.ext.mant);
      popIf(f, pop);
    }
  }

  private static void popIf(FpuState f, boolean pop) {
    if (pop) {
      f.pop();
    }
  }

  /** D8: ST(0) = ST(0) op ST(i). */
  static void toTop(Cpu cpu, FpuState f, Op op) {
    arithmetic(f, kind(op), op.modrm() & 7, 0, false);
  }

  /** DC: ST(i) = ST(0) op ST(i). */
  static void toRegister(Cpu cpu, FpuState f, Op op) {
    arithmetic(f, kind(op), op.modrm() & 7, op.modrm() & 7, false);
  }

  /** DE: ST(i) = ST(0) op ST(i), pop. */
  static void toRegisterPop(Cpu cpu, FpuState f, Op op) {
    arithmetic(f, kind(op), op.modrm() & 7, op.modrm() & 7, true);
  }

  /** Arithmetic or comparison of ST(0) with the operand that {@link X87Memory} left in ext. */
  static void withMemory(FpuState f, int kind) {
    ExtFloat ext = f.ext;
    if (kind == 2 || kind == 3) {
      compareWith(f, ext.se, ext.mant, f.isEmpty(0), false, kind == 3 ? 1 : 0);
    } else if (f.isEmpty(0)) {
      if (f.stackFault(false)) {
        f.set(0, INDEFINITE_SE, INDEFINITE);
      }
    } else {
      operate(ext, kind, f.se(0), f.mant(0), ext.se, ext.mant);
      if (f.commit()) {
        f.set(0, ext.se, ext.mant);
      }
    }
  }

  // ---- comparison ----------------------------------------------------------------------------

  private static void compareWith(
      FpuState f, int se, long mant, boolean empty, boolean quiet, int pops) {
    int order = ExtFloat.UNORDERED;
    boolean deliver;
    if (empty) {
      deliver = f.stackFault(false);
    } else {
      order = f.ext.compare(f.se(0), f.mant(0), se, mant, quiet);
      deliver = f.commit();
    }
    // As measured on hardware, an unmasked exception stops the pop but not the condition codes.
    f.setConditions(
        switch (order) {
          case ExtFloat.LESS -> FpuState.C0;
          case ExtFloat.EQUAL -> FpuState.C3;
          case ExtFloat.GREATER -> 0;
          default -> FpuState.C0 | FpuState.C2 | FpuState.C3;
        });
    for (int n = 0; n < pops && deliver; n++) {
      f.pop();
    }
  }

  private static void compare(FpuState f, int i, boolean quiet, int pops) {
    f.begin();
    compareWith(f, f.se(i), f.mant(i), f.isEmpty(0) || f.isEmpty(i), quiet, pops);
  }

  /** FCOM ST(i). */
  static void fcom(Cpu cpu, FpuState f, Op op) {
    compare(f, op.modrm() & 7, false, 0);
  }

  /** FCOMP ST(i). */
  static void fcomp(Cpu cpu, FpuState f, Op op) {
    compare(f, op.modrm() & 7, false, 1);
  }

  static void fcompp(Cpu cpu, FpuState f, Op op) {
    compare(f, 1, false, 2);
  }

  static void fucom(Cpu cpu, FpuState f, Op op) {
    compare(f, op.modrm() & 7, true, 0);
  }

  static void fucomp(Cpu cpu, FpuState f, Op op) {
    compare(f, op.modrm() & 7, true, 1);
  }

  static void fucompp(Cpu cpu, FpuState f, Op op) {
    compare(f, 1, true, 2);
  }

  static void ftst(Cpu cpu, FpuState f, Op op) {
    f.begin();
    compareWith(f, 0, 0, f.isEmpty(0), false, 0);
  }

  private static void compareFlags(Cpu cpu, FpuState f, Op op, boolean quiet, boolean pop) {
    int i = op.modrm() & 7;
    int order = ExtFloat.UNORDERED;
    boolean deliver;
    int c1 = f.status & FpuState.C1;
    f.begin();
    if (f.isEmpty(0) || f.isEmpty(i)) {
      deliver = f.stackFault(false);
    } else {
      order = f.ext.compare(f.se(0), f.mant(0), f.se(i), f.mant(i), quiet);
      deliver = f.commit();
      // As measured on hardware, these leave C1 alone.
      f.status |= c1;
    }
    cpu.setArithmeticFlags(orderFlags(order));
    popIf(f, pop && deliver);
  }

  /** ZF, PF and CF of FCOMI, COMISS and the like; OF, SF and AF are 0. */
  static int orderFlags(int order) {
    return switch (order) {
      case ExtFloat.LESS -> Cpu.CF;
      case ExtFloat.EQUAL -> Cpu.ZF;
      case ExtFloat.GREATER -> 0;
      default -> Cpu.CF | Cpu.PF | Cpu.ZF;
    };
  }

  static void fcomi(Cpu cpu, FpuState f, Op op) {
    compareFlags(cpu, f, op, false, false);
  }

  static void fcomip(Cpu cpu, FpuState f, Op op) {
    compareFlags(cpu, f, op, false, true);
  }

  static void fucomi(Cpu cpu, FpuState f, Op op) {
    compareFlags(cpu, f, op, true, false);
  }

  static void fucomip(Cpu cpu, FpuState f, Op op) {
    compareFlags(cpu, f, op, true, true);
  }

  /** FXAM: the class of ST(0) in C3, C2, C0 and its sign in C1, empty or not. */
  static void fxam(Cpu cpu, FpuState f, Op op) {
    int se = f.se(0);
    long mant = f.mant(0);
    int conditions;
    if (f.isEmpty(0)) {
      conditions = FpuState.C3 | FpuState.C0;
    } else if (ExtFloat.isUnsupported(se, mant)) {
      conditions = 0;
    } else if (ExtFloat.isNan(se, mant)) {
      conditions = FpuState.C0;
    } else if (ExtFloat.isInfinity(se, mant)) {
      conditions = FpuState.C2 | FpuState.C0;
    } else if (ExtFloat.isZero(se, mant)) {
      conditions = FpuState.C3;
    } else if (ExtFloat.isDenormal(se, mant)) {
      conditions = FpuState.C3 | FpuState.C2;
    } else {
      conditions = FpuState.C2;
    }
    f.setConditions(conditions | (ExtFloat.negative(se) ? FpuState.C1 : 0));
  }

  // ---- sign, constants -----------------------------------------------------------------------

  private static boolean underflow(FpuState f) {
    f.setC1(false);
    if (!f.isEmpty(0)) {
      return false;
    }
    if (f.stackFault(false)) {
      f.set(0, INDEFINITE_SE, INDEFINITE);
    }
    return true;
  }

  static void fchs(Cpu cpu, FpuState f, Op op) {
    if (!underflow(f)) {
      f.set(0, f.se(0) ^ 0x8000, f.mant(0));
    }
  }

  static void fabs(Cpu cpu, FpuState f, Op op) {
    if (!underflow(f)) {
      f.set(0, f.se(0) & 0x7FFF, f.mant(0));
    }
  }

  /** FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ: exponent, then 64 bits and those after. */
  private static final long[][] CONSTANTS = {
    {0, 0x8000000000000000L, 0},
    {1, 0xD49A784BCD1B8AFEL, 0x492BF6FF4DAFDB4CL},
    {0, 0xB8AA3B295C17F0BBL, 0xBE87FED0691D3E88L},
    {1, 0xC90FDAA22168C234L, 0xC4C6628B80DC1CD1L},
    {-2, 0x9A209A84FBCFF798L, 0x8F8959AC0B7C9178L},
    {-1, 0xB17217F7D1CF79ABL, 0xC9E3B39803F2F6AFL},
    {0, 0, 0},
  };

  /** Loads constant ModRM.rm; inexact ones follow the rounding mode but raise nothing. */
  static void constant(Cpu cpu, FpuState f, Op op) {
    if (!f.isEmpty(-1)) {
      X87Memory.overflow(f);
      return;
    }
    f.begin();
    long[] constant = CONSTANTS[op.modrm() & 7];
    f.ext.soft.set(false, (int) constant[0], constant[1], constant[2]);
    f.ext.pack64();
    f.setC1(false);
    f.push(f.ext.se, f.ext.mant);
  }

  // ---- functions of one operand --------------------------------------------------------------

  private static void finish(FpuState f) {
    if (f.commit()) {
      f.set(0, f.ext.se, f.ext.mant);
    }
  }

  static void fsqrt(Cpu cpu, FpuState f, Op op) {
    if (!underflow(f)) {
      f.begin();
      f.ext.sqrt(f.se(0), f.mant(0));
      finish(f);
    }
  }

  static void frndint(Cpu cpu, FpuState f, Op op) {
    if (!underflow(f)) {
      f.begin();
      f.ext.roundToInt(f.se(0), f.mant(0));
      finish(f);
    }
  }

  static void f2xm1(Cpu cpu, FpuState f, Op op) {
    if (!underflow(f)) {
      f.begin();
      f.transcendental.exp2Minus1(f.se(0), f.mant(0));
      finish(f);
    }
  }

  static void fsin(Cpu cpu, FpuState f, Op op) {
    angle(f, ExtTranscendental.Angle.SIN);
  }

  static void fcos(Cpu cpu, FpuState f, Op op) {
    angle(f, ExtTranscendental.Angle.COS);
  }

  private static void angle(FpuState f, ExtTranscendental.Angle which) {
    f.status &= ~FpuState.C2;
    if (underflow(f) || isOutOfRange(f)) {
      return;
    }
    f.begin();
    f.transcendental.angle(which, f.se(0), f.mant(0));
    finish(f);
  }

  /** C2 tells whether the operand was too large; then nothing else happens. */
  private static boolean isOutOfRange(FpuState f) {
    boolean out = ExtTranscendental.outOfRange(f.se(0), f.mant(0));
    f.status = out ? f.status | FpuState.C2 : f.status & ~FpuState.C2;
    return out;
  }

  /** Stack faults of instructions that also push; returns whether one happened. */
  private static boolean pushFault(FpuState f) {
    f.setC1(false);
    boolean empty = f.isEmpty(0);
    if (!empty && f.isEmpty(-1)) {
      return false;
    }
    if (f.stackFault(!empty)) {
      f.set(0, INDEFINITE_SE, INDEFINITE);
      f.push(INDEFINITE_SE, INDEFINITE);
    }
    return true;
  }

  /** FPTAN: the tangent, then 1. */
  static void fptan(Cpu cpu, FpuState f, Op op) {
    f.status &= ~FpuState.C2;
    if (pushFault(f) || isOutOfRange(f)) {
      return;
    }
    f.begin();
    f.transcendental.angle(ExtTranscendental.Angle.TAN, f.se(0), f.mant(0));
    if (f.commit()) {
      f.set(0, f.ext.se, f.ext.mant);
      if (ExtFloat.isNan(f.ext.se, f.ext.mant)) {
        f.push(f.ext.se, f.ext.mant);
      } else {
        f.push(ExtFloat.BIAS, ExtFloat.ONE);
      }
    }
  }

  /** FSINCOS: the sine, then the cosine. */
  static void fsincos(Cpu cpu, FpuState f, Op op) {
    f.status &= ~FpuState.C2;
    if (pushFault(f) || isOutOfRange(f)) {
      return;
    }
    f.begin();
    int se = f.se(0);
    long mant = f.mant(0);
    f.transcendental.angle(ExtTranscendental.Angle.SIN, se, mant);
    int sinSe = f.ext.se;
    long sinMant = f.ext.mant;
    f.transcendental.angle(ExtTranscendental.Angle.COS, se, mant);
    if (f.commit()) {
      f.set(0, sinSe, sinMant);
      f.push(f.ext.se, f.ext.mant);
    }
  }

  /** FXTRACT: the exponent, then the significand. */
  static void fxtract(Cpu cpu, FpuState f, Op op) {
    if (pushFault(f)) {
      return;
    }
    f.begin();
    f.transcendental.extract(f.se(0), f.mant(0));
    if (f.commit()) {
      f.set(0, f.ext.se, f.ext.mant);
      f.push(f.transcendental.secondSe, f.transcendental.secondMant);
    }
  }

  // ---- functions of two operands -------------------------------------------------------------

  private static boolean underflowTwo(FpuState f, int to, boolean pop) {
    f.setC1(false);
    if (!f.isEmpty(0) && !f.isEmpty(1)) {
      return false;
    }
    if (f.stackFault(false)) {
      f.set(to, INDEFINITE_SE, INDEFINITE);
      popIf(f, pop);
    }
    return true;
  }

  private static void finishPop(FpuState f) {
    if (f.commit()) {
      f.set(1, f.ext.se, f.ext.mant);
      f.pop();
    }
  }

  static void fyl2x(Cpu cpu, FpuState f, Op op) {
    if (!underflowTwo(f, 1, true)) {
      f.begin();
      f.transcendental.yLog2(f.se(0), f.mant(0), f.se(1), f.mant(1));
      finishPop(f);
    }
  }

  static void fyl2xp1(Cpu cpu, FpuState f, Op op) {
    if (!underflowTwo(f, 1, true)) {
      f.begin();
      f.transcendental.yLog2Plus1(f.se(0), f.mant(0), f.se(1), f.mant(1));
      finishPop(f);
    }
  }

  static void fpatan(Cpu cpu, FpuState f, Op op) {
    if (!underflowTwo(f, 1, true)) {
      f.begin();
      f.transcendental.atan(f.se(1), f.mant(1), f.se(0), f.mant(0));
      finishPop(f);
    }
  }

  static void fscale(Cpu cpu, FpuState f, Op op) {
    if (!underflowTwo(f, 0, false)) {
      f.begin();
      f.transcendental.scale(f.se(0), f.mant(0), f.se(1), f.mant(1));
      finish(f);
    }
  }

  static void fprem(Cpu cpu, FpuState f, Op op) {
    remainder(f, false);
  }

  static void fprem1(Cpu cpu, FpuState f, Op op) {
    remainder(f, true);
  }

  private static void remainder(FpuState f, boolean nearest) {
    f.status &= ~FpuState.C2;
    if (underflowTwo(f, 0, false)) {
      return;
    }
    f.begin();
    f.ext.remainder(f.se(0), f.mant(0), f.se(1), f.mant(1), nearest);
    if (!f.commit()) {
      return;
    }
    f.set(0, f.ext.se, f.ext.mant);
    int quotient = f.ext.quotient;
    if (quotient < 0) {
      return;
    }
    f.setConditions(
        f.ext.partial
            ? FpuState.C2
            : ((quotient & 4) != 0 ? FpuState.C0 : 0)
                | ((quotient & 2) != 0 ? FpuState.C3 : 0)
                | ((quotient & 1) != 0 ? FpuState.C1 : 0));
  }
}
