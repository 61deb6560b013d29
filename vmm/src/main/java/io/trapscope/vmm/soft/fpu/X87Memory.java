package io.trapscope.vmm.soft.fpu;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.mmu.Ept;

/**
 * x87 loads, stores, register moves and arithmetic with memory operands.
 *
 * <p>A store writes memory before it changes the x87's state, because the write can fault.
 */
final class X87Memory {
  private static final long INDEFINITE = ExtFloat.QUIET;
  private static final int INDEFINITE_SE = ExtFloat.INDEFINITE_SE;

  private X87Memory() {}

  // ---- memory operands -----------------------------------------------------------------------

  static long read(Cpu cpu, Op op, int size) {
    return cpu.read(size, cpu.address(op, size, Ept.READ));
  }

  static void write(Cpu cpu, Op op, int size, long value) {
    cpu.write(size, cpu.address(op, size, Ept.WRITE), value);
  }

  /** Puts the operand into {@code ext}; {@code format}: 0 m32fp, 1 m32int, 2 m64fp, 3 m16int. */
  private static void operand(Cpu cpu, FpuState f, Op op, int format) {
    switch (format) {
      case 0 -> f.ext.operand32((int) read(cpu, op, 4));
      case 1 -> f.ext.fromInteger((int) read(cpu, op, 4));
      case 2 -> f.ext.operand64(read(cpu, op, 8));
      default -> f.ext.fromInteger((short) read(cpu, op, 2));
    }
  }

  private static void arithmetic(Cpu cpu, FpuState f, Op op, int format) {
    f.begin();
    operand(cpu, f, op, format);
    X87Compute.withMemory(f, X87Compute.kind(op));
  }

  static void withFloat32(Cpu cpu, FpuState f, Op op) {
    arithmetic(cpu, f, op, 0);
  }

  static void withInt32(Cpu cpu, FpuState f, Op op) {
    arithmetic(cpu, f, op, 1);
  }

  static void withFloat64(Cpu cpu, FpuState f, Op op) {
    arithmetic(cpu, f, op, 2);
  }

  static void withInt16(Cpu cpu, FpuState f, Op op) {
    arithmetic(cpu, f, op, 3);
  }

  // ---- loads ---------------------------------------------------------------------------------

  /** Response to a push onto a full register. */
  static void overflow(FpuState f) {
    if (f.stackFault(true)) {
      f.push(INDEFINITE_SE, INDEFINITE);
    }
  }

  private static void pushLoaded(FpuState f) {
    if (!f.isEmpty(-1)) {
      overflow(f);
      return;
    }
    f.ext.finishLoad();
    // Unlike arithmetic, a load delivers a denormal also when that exception is unmasked.
    boolean denormalOnly = f.ext.soft.flags == SoftFloat.DENORMAL;
    if (f.commit() || denormalOnly) {
      f.push(f.ext.se, f.ext.mant);
    }
  }

  static void fld32(Cpu cpu, FpuState f, Op op) {
    f.begin();
    operand(cpu, f, op, 0);
    pushLoaded(f);
  }

  static void fld64(Cpu cpu, FpuState f, Op op) {
    f.begin();
    operand(cpu, f, op, 2);
    pushLoaded(f);
  }

  private static void pushRaw(FpuState f, int se, long mant) {
    if (f.isEmpty(-1)) {
      f.setC1(false);
      f.push(se, mant);
    } else {
      overflow(f);
    }
  }

  static void fld80(Cpu cpu, FpuState f, Op op) {
    long a = cpu.address(op, 10, Ept.READ);
    long mant = cpu.read64(a);
    pushRaw(f, (int) cpu.read16(a + 8), mant);
  }

  private static void pushInteger(FpuState f, long value) {
    f.ext.fromInteger(value);
    pushRaw(f, f.ext.se, f.ext.mant);
  }

  static void fild16(Cpu cpu, FpuState f, Op op) {
    pushInteger(f, (short) read(cpu, op, 2));
  }

  static void fild32(Cpu cpu, FpuState f, Op op) {
    pushInteger(f, (int) read(cpu, op, 4));
  }

  static void fild64(Cpu cpu, FpuState f, Op op) {
    pushInteger(f, read(cpu, op, 8));
  }

  static void fbld(Cpu cpu, FpuState f, Op op) {
    long a = cpu.address(op, 10, Ept.READ);
    long digits = cpu.read64(a);
    f.ext.fromBcd(digits, (int) cpu.read16(a + 8));
    pushRaw(f, f.ext.se, f.ext.mant);
  }

  // ---- stores --------------------------------------------------------------------------------

  private static boolean isEmptyUnmasked(FpuState f) {
    return f.isEmpty(0) && (f.control & SoftFloat.INVALID) == 0;
  }

  /** Whether the flags of the conversion just done let the store happen. */
  private static boolean delivers(FpuState f) {
    int unmasked = f.ext.soft.flags & ~f.control;
    return (unmasked & (SoftFloat.INVALID | SoftFloat.OVERFLOW | SoftFloat.UNDERFLOW)) == 0;
  }

  /**
   * Stores a converted value, or the indefinite for an empty register, then commits and pops. What
   * an unmasked exception stops does not even touch memory.
   */
  private static void store(Cpu cpu, FpuState f, Op op, int size, long value, boolean pop) {
    boolean empty = f.isEmpty(0);
    boolean deliver = empty ? !isEmptyUnmasked(f) : delivers(f);
    if (deliver) {
      write(cpu, op, size, value);
    }
    if (empty) {
      f.stackFault(false);
    } else {
      f.commitStore();
    }
    if (deliver && pop) {
      f.pop();
    }
  }

  private static void storeFloat32(Cpu cpu, FpuState f, Op op, boolean pop) {
    f.begin();
    int bits = f.isEmpty(0) ? 0xFFC0_0000 : f.ext.toFloat32(f.se(0), f.mant(0));
    store(cpu, f, op, 4, bits & 0xFFFF_FFFFL, pop);
  }

  private static void storeFloat64(Cpu cpu, FpuState f, Op op, boolean pop) {
    f.begin();
    long bits = f.isEmpty(0) ? 0xFFF8_0000_0000_0000L : f.ext.toFloat64(f.se(0), f.mant(0));
    store(cpu, f, op, 8, bits, pop);
  }

  private static void storeInteger(
      Cpu cpu, FpuState f, Op op, int size, boolean truncate, boolean pop) {
    f.begin();
    long value =
        f.isEmpty(0)
            ? -1L << (8 * size - 1)
            : f.ext.toInteger(f.se(0), f.mant(0), 8 * size, truncate);
    store(cpu, f, op, size, Cpu.unsigned(size, value), pop);
  }

  static void fst32(Cpu cpu, FpuState f, Op op) {
    storeFloat32(cpu, f, op, false);
  }

  static void fstp32(Cpu cpu, FpuState f, Op op) {
    storeFloat32(cpu, f, op, true);
  }

  static void fst64(Cpu cpu, FpuState f, Op op) {
    storeFloat64(cpu, f, op, false);
  }

  static void fstp64(Cpu cpu, FpuState f, Op op) {
    storeFloat64(cpu, f, op, true);
  }

  static void fist16(Cpu cpu, FpuState f, Op op) {
    storeInteger(cpu, f, op, 2, false, false);
  }

  static void fistp16(Cpu cpu, FpuState f, Op op) {
    storeInteger(cpu, f, op, 2, false, true);
  }

  static void fisttp16(Cpu cpu, FpuState f, Op op) {
    storeInteger(cpu, f, op, 2, true, true);
  }

  static void fist32(Cpu cpu, FpuState f, Op op) {
    storeInteger(cpu, f, op, 4, false, false);
  }

  static void fistp32(Cpu cpu, FpuState f, Op op) {
    storeInteger(cpu, f, op, 4, false, true);
  }

  static void fisttp32(Cpu cpu, FpuState f, Op op) {
    storeInteger(cpu, f, op, 4, true, true);
  }

  static void fistp64(Cpu cpu, FpuState f, Op op) {
    storeInteger(cpu, f, op, 8, false, true);
  }

  static void fisttp64(Cpu cpu, FpuState f, Op op) {
    storeInteger(cpu, f, op, 8, true, true);
  }

  /** Stores 8 bytes and then 2: as on hardware, the first stay when the others fault. */
  private static void store80(Cpu cpu, FpuState f, Op op, long low, int high, boolean deliver) {
    if (deliver) {
      long a = cpu.address(op, 10, Ept.WRITE);
      cpu.write64(a, low);
      cpu.write16(a + 8, high & 0xFFFF);
    }
  }

  static void fstp80(Cpu cpu, FpuState f, Op op) {
    boolean empty = f.isEmpty(0);
    boolean deliver = !isEmptyUnmasked(f);
    store80(cpu, f, op, empty ? INDEFINITE : f.mant(0), empty ? INDEFINITE_SE : f.se(0), deliver);
    f.setC1(false);
    if (empty) {
      f.stackFault(false);
    }
    if (deliver) {
      f.pop();
    }
  }

  static void fbstp(Cpu cpu, FpuState f, Op op) {
    f.begin();
    boolean empty = f.isEmpty(0);
    long digits = INDEFINITE;
    int high = 0xFFFF;
    if (!empty) {
      digits = f.ext.toBcd(f.se(0), f.mant(0));
      high = f.ext.bcdHigh;
    }
    boolean deliver = empty ? !isEmptyUnmasked(f) : delivers(f);
    store80(cpu, f, op, digits, high, deliver);
    if (empty) {
      f.stackFault(false);
    } else {
      f.commit();
    }
    if (deliver) {
      f.pop();
    }
  }

  // ---- register moves ------------------------------------------------------------------------

  /** FLD ST(i). */
  static void fldRegister(Cpu cpu, FpuState f, Op op) {
    int i = op.modrm() & 7;
    if (f.isEmpty(i)) {
      if (f.stackFault(false)) {
        f.push(INDEFINITE_SE, INDEFINITE);
      }
    } else {
      pushRaw(f, f.se(i), f.mant(i));
    }
  }

  static void fxch(Cpu cpu, FpuState f, Op op) {
    int i = op.modrm() & 7;
    f.setC1(false);
    if (f.isEmpty(0) || f.isEmpty(i)) {
      if (!f.stackFault(false)) {
        return;
      }
      fillIfEmpty(f, 0);
      fillIfEmpty(f, i);
    }
    int se = f.se(0);
    long mant = f.mant(0);
    f.set(0, f.se(i), f.mant(i));
    f.set(i, se, mant);
  }

  private static void fillIfEmpty(FpuState f, int i) {
    if (f.isEmpty(i)) {
      f.set(i, INDEFINITE_SE, INDEFINITE);
    }
  }

  private static void storeRegister(FpuState f, int i, boolean pop) {
    f.setC1(false);
    if (!f.isEmpty(0)) {
      f.set(i, f.se(0), f.mant(0));
    } else if (f.stackFault(false)) {
      f.set(i, INDEFINITE_SE, INDEFINITE);
    } else {
      return;
    }
    if (pop) {
      f.pop();
    }
  }

  /** FST ST(i). */
  static void fstRegister(Cpu cpu, FpuState f, Op op) {
    storeRegister(f, op.modrm() & 7, false);
  }

  /** FSTP ST(i). */
  static void fstpRegister(Cpu cpu, FpuState f, Op op) {
    storeRegister(f, op.modrm() & 7, true);
  }

  /** D9 D8 to DF, undocumented: FSTP ST(i) without an exception; an empty ST(0) is only popped. */
  static void fstpUnchecked(Cpu cpu, FpuState f, Op op) {
    f.setC1(false);
    if (!f.isEmpty(0)) {
      f.set(op.modrm() & 7, f.se(0), f.mant(0));
    }
    f.pop();
  }

  /** FCMOVcc: condition code {@code code} as Jcc encodes it. */
  static void fcmov(Cpu cpu, FpuState f, Op op, int code) {
    int i = op.modrm() & 7;
    if (f.isEmpty(0) || f.isEmpty(i)) {
      if (f.stackFault(false)) {
        f.set(0, INDEFINITE_SE, INDEFINITE);
      }
      return;
    }
    if (cpu.condition(code)) {
      f.set(0, f.se(i), f.mant(i));
    }
  }

  static void ffree(Cpu cpu, FpuState f, Op op) {
    f.setC1(false);
    f.valid &= ~(1 << f.physical(op.modrm() & 7));
  }

  /** FFREEP, undocumented: FFREE and pop. */
  static void ffreep(Cpu cpu, FpuState f, Op op) {
    ffree(cpu, f, op);
    f.pop();
  }

  static void fincstp(Cpu cpu, FpuState f, Op op) {
    f.setC1(false);
    f.top = f.top + 1 & 7;
  }

  static void fdecstp(Cpu cpu, FpuState f, Op op) {
    f.setC1(false);
    f.top = f.top - 1 & 7;
  }
}
