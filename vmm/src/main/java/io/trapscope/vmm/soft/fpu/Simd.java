package io.trapscope.vmm.soft.fpu;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.GuestFault;
import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.decode.Opcode;
import io.trapscope.vmm.soft.mmu.Ept;

/**
 * What MMX and SSE handlers share: operand access with the alignment rules of 16-byte operands, and
 * wrappers that turn a function on 64-bit halves or on whole registers into a handler.
 */
final class Simd {
  static final int MMX = Opcode.MODRM | Opcode.NOT_GPR | Opcode.MMX;
  static final int SSE = Opcode.MODRM | Opcode.NOT_GPR | Opcode.SSE;

  private Simd() {}

  /** A function of one 64-bit half: destination, source, result. */
  @FunctionalInterface
  interface Lane {
    long apply(long destination, long source);
  }

  /** A function of whole registers: writes the destination at x[at], x[at + 1]. */
  @FunctionalInterface
  interface Wide {
    void apply(long[] x, int at, long low, long high);
  }

  /** A function of whole registers and an immediate byte. */
  @FunctionalInterface
  interface WideImmediate {
    void apply(long[] x, int at, long low, long high, int imm);
  }

  // ---- operands ------------------------------------------------------------------------------

  /** Linear address of a 16-byte operand that must be aligned: #GP(0) otherwise. */
  static long aligned(Cpu cpu, Op op, int access) {
    long a = cpu.address(op, 16, access);
    if ((a & 15) != 0) {
      throw cpu.gp(0);
    }
    return a;
  }

  /** Low half of the 16-byte ModRM.rm operand, aligned in memory; the high half in cpu.high. */
  static long load128(Cpu cpu, Op op) {
    if (op.isMemory()) {
      return cpu.read128(aligned(cpu, op, Ept.READ));
    }
    return register128(cpu, op.rm());
  }

  /** As {@link #load128} without the alignment rule. */
  static long loadUnaligned(Cpu cpu, Op op) {
    if (op.isMemory()) {
      return cpu.read128(cpu.address(op, 16, Ept.READ));
    }
    return register128(cpu, op.rm());
  }

  private static long register128(Cpu cpu, int n) {
    long[] x = cpu.fpu.xmm;
    cpu.high = x[2 * n + 1];
    return x[2 * n];
  }

  /** The low {@code size} bytes of an XMM register, or as many from memory; zero-extended. */
  static long loadLow(Cpu cpu, Op op, int size) {
    if (op.isMemory()) {
      return cpu.read(size, cpu.address(op, size, Ept.READ));
    }
    return Cpu.unsigned(size, cpu.fpu.xmm[2 * op.rm()]);
  }

  static void storeMemory(Cpu cpu, Op op, int size, long value) {
    cpu.write(size, cpu.address(op, size, Ept.WRITE), value);
  }

  /**
   * Starts an MMX instruction that loads nothing from memory: raises a pending x87 exception, then
   * resets TOP and fills the tags.
   */
  static void beginMmx(Cpu cpu) {
    X87Table.raisePending(cpu);
    cpu.fpu.enterMmx();
  }

  /** The 64-bit MMX or memory operand of an MMX instruction, which this starts. */
  static long loadMmx(Cpu cpu, Op op) {
    return loadMmx(cpu, op, 8);
  }

  /** As {@link #loadMmx(Cpu, Op)}, with {@code size} bytes from memory. */
  static long loadMmx(Cpu cpu, Op op, int size) {
    X87Table.raisePending(cpu);
    long value = op.isMemory() ? X87Memory.read(cpu, op, size) : cpu.fpu.mmx(op.rm());
    cpu.fpu.enterMmx();
    return value;
  }

  static void setMmx(Cpu cpu, int register, long value) {
    cpu.fpu.setMmx(register, value);
  }

  static int xmm(int register) {
    return 2 * register;
  }

  // ---- handlers ------------------------------------------------------------------------------

  /** MMX form of a lane function. */
  static Handler mmx(Lane f) {
    return (cpu, op) -> {
      long source = loadMmx(cpu, op);
      setMmx(cpu, op.reg(), f.apply(cpu.fpu.mmx(op.reg()), source));
    };
  }

  /** MMX form whose memory operand has 32 bits: PUNPCKL. */
  static Handler mmxLow(Lane f) {
    return (cpu, op) -> {
      long source = loadMmx(cpu, op, 4);
      setMmx(cpu, op.reg(), f.apply(cpu.fpu.mmx(op.reg()), source));
    };
  }

  /** SSE form of a lane function: both halves alike. */
  static Handler lanes(Lane f) {
    return (cpu, op) -> {
      long low = load128(cpu, op);
      long[] x = cpu.fpu.xmm;
      int at = xmm(op.reg());
      x[at] = f.apply(x[at], low);
      x[at + 1] = f.apply(x[at + 1], cpu.high);
    };
  }

  static Handler wide(Wide f) {
    return (cpu, op) -> {
      long low = load128(cpu, op);
      f.apply(cpu.fpu.xmm, xmm(op.reg()), low, cpu.high);
    };
  }

  static Handler wide(WideImmediate f) {
    return (cpu, op) -> {
      long low = load128(cpu, op);
      f.apply(cpu.fpu.xmm, xmm(op.reg()), low, cpu.high, (int) op.imm() & 0xFF);
    };
  }

  /** Merges the flags of an SSE operation into MXCSR; raises #XM, or #UD without CR4.OSXMMEXCPT. */
  static void commit(Cpu cpu) {
    FpuState f = cpu.fpu;
    int flags = f.sse.flags();
    int before = f.mxcsr;
    if ((flags & ~before) == 0) {
      if (flags != 0) {
        raiseUnmasked(cpu, flags);
      }
      return;
    }
    int pre = SoftFloat.INVALID | SoftFloat.DENORMAL | SoftFloat.DIVIDE_BY_ZERO;
    boolean stops = (flags & pre & ~(before >>> SseFloat.MASK_SHIFT)) != 0;
    f.mxcsr = before | (stops ? flags & pre : flags);
    raiseUnmasked(cpu, flags);
  }

  private static void raiseUnmasked(Cpu cpu, int flags) {
    if ((flags & ~(cpu.fpu.mxcsr >>> SseFloat.MASK_SHIFT) & 0x3F) != 0) {
      boolean reported = (cpu.cr4 & Cpu.CR4_OSXMMEXCPT) != 0;
      throw cpu.fault(reported ? GuestFault.XM : GuestFault.UD, 0);
    }
  }
}
