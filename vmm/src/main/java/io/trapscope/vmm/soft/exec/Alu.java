package io.trapscope.vmm.soft.exec;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.CpuRegisters;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.mmu.Ept;

/**
 * ADD, OR, ADC, SBB, AND, SUB, XOR, CMP in this order (the opcode's bits 5:3, {@link Op#sub()}),
 * TEST, INC, DEC, NEG, NOT.
 *
 * <p>Names end in the operand form: destination first, R register, M register or memory, I
 * immediate. Handlers without a size in the name serve every size.
 */
public final class Alu {
  static final int ADD = 0;
  static final int OR = 1;
  static final int ADC = 2;
  static final int SBB = 3;
  static final int AND = 4;
  static final int SUB = 5;
  static final int XOR = 6;
  static final int CMP = 7;

  private Alu() {}

  /** The result, not yet cut to size. */
  private static long result(Cpu c, int kind, long a, long b) {
    return switch (kind) {
      case ADD -> a + b;
      case OR -> a | b;
      case ADC -> a + b + (c.carry() ? 1 : 0);
      case SBB -> a - b - (c.carry() ? 1 : 0);
      case AND -> a & b;
      case XOR -> a ^ b;
      default -> a - b;
    };
  }

  private static void flags(Cpu c, int kind, long result, long a, long b) {
    switch (kind) {
      case ADD -> c.flags(CpuRegisters.ADD, result, a, b);
      case ADC -> c.flags(c.carry() ? CpuRegisters.ADC : CpuRegisters.ADD, result, a, b);
      case SBB -> c.flags(c.carry() ? CpuRegisters.SBB : CpuRegisters.SUB, result, a, b);
      case SUB, CMP -> c.flags(CpuRegisters.SUB, result, a, b);
      default -> c.flags(CpuRegisters.LOGIC, result, a, b);
    }
  }

  private static void combine(Cpu c, Op o, long b) {
    int size = o.size();
    if (o.isMemory()) {
      long at = c.writeAddress(o);
      long a = Cpu.signed(size, c.readForWrite(size, at));
      long r = Cpu.signed(size, result(c, o.sub(), a, b));
      c.write(size, at, r);
      flags(c, o.sub(), r, a, b);
    } else {
      long a = Cpu.signed(size, c.reg(size, o.rm()));
      long r = Cpu.signed(size, result(c, o.sub(), a, b));
      flags(c, o.sub(), r, a, b);
      c.setReg(size, o.rm(), r);
    }
  }

  /** op r/m, r. */
  public static void rmReg(Cpu c, Op o) {
    combine(c, o, Cpu.signed(o.size(), c.reg(o.size(), o.reg())));
  }

  /** op r/m, imm. */
  public static void rmImm(Cpu c, Op o) {
    combine(c, o, Cpu.signed(o.size(), o.imm()));
  }

  /** op r, r/m. */
  public static void regRm(Cpu c, Op o) {
    int size = o.size();
    long b = Cpu.signed(size, c.loadRm(o));
    long a = Cpu.signed(size, c.reg(size, o.reg()));
    long r = Cpu.signed(size, result(c, o.sub(), a, b));
    flags(c, o.sub(), r, a, b);
    c.setReg(size, o.reg(), r);
  }

  /** cmp r/m, r. */
  public static void cmpRmReg(Cpu c, Op o) {
    int size = o.size();
    compare(c, size, Cpu.signed(size, c.loadRm(o)), Cpu.signed(size, c.reg(size, o.reg())));
  }

  /** cmp r, r/m. */
  public static void cmpRegRm(Cpu c, Op o) {
    int size = o.size();
    long b = Cpu.signed(size, c.loadRm(o));
    compare(c, size, Cpu.signed(size, c.reg(size, o.reg())), b);
  }

  /** cmp r/m, imm. */
  public static void cmpRmImm(Cpu c, Op o) {
    int size = o.size();
    compare(c, size, Cpu.signed(size, c.loadRm(o)), Cpu.signed(size, o.imm()));
  }

  /** Sets the flags of a - b; both sign-extended. */
  static void compare(Cpu c, int size, long a, long b) {
    c.flags(CpuRegisters.SUB, Cpu.signed(size, a - b), a, b);
  }

  /** test r/m, r. */
  public static void testRmReg(Cpu c, Op o) {
    int size = o.size();
    c.flags(CpuRegisters.LOGIC, Cpu.signed(size, c.loadRm(o) & c.reg(size, o.reg())), 0, 0);
  }

  /** test r/m, imm. */
  public static void testRmImm(Cpu c, Op o) {
    c.flags(CpuRegisters.LOGIC, Cpu.signed(o.size(), c.loadRm(o) & o.imm()), 0, 0);
  }

  public static void inc(Cpu c, Op o) {
    step(c, o, CpuRegisters.INC, 1);
  }

  public static void dec(Cpu c, Op o) {
    step(c, o, CpuRegisters.DEC, -1);
  }

  private static void step(Cpu c, Op o, int kind, int by) {
    int size = o.size();
    if (o.isMemory()) {
      long at = c.writeAddress(o);
      long a = Cpu.signed(size, c.readForWrite(size, at));
      long r = Cpu.signed(size, a + by);
      c.write(size, at, r);
      c.flags(kind, r, a, c.carry() ? 1 : 0);
    } else {
      long a = Cpu.signed(size, c.reg(size, o.rm()));
      long r = Cpu.signed(size, a + by);
      c.setReg(size, o.rm(), r);
      c.flags(kind, r, a, c.carry() ? 1 : 0);
    }
  }

  public static void neg(Cpu c, Op o) {
    int size = o.size();
    long at = o.isMemory() ? c.writeAddress(o) : 0;
    long b = Cpu.signed(size, o.isMemory() ? c.readForWrite(size, at) : c.reg(size, o.rm()));
    long r = Cpu.signed(size, -b);
    if (o.isMemory()) {
      c.write(size, at, r);
    } else {
      c.setReg(size, o.rm(), r);
    }
    c.flags(CpuRegisters.SUB, r, 0, b);
  }

  public static void not(Cpu c, Op o) {
    if (o.isMemory()) {
      long at = c.writeAddress(o);
      c.write(o.size(), at, ~c.readForWrite(o.size(), at));
    } else {
      c.setReg(o.size(), o.rm(), ~c.reg(o.size(), o.rm()));
    }
  }

  /** XADD. */
  public static void exchangeAdd(Cpu c, Op o) {
    int size = o.size();
    long b = Cpu.signed(size, c.reg(size, o.reg()));
    long at = o.isMemory() ? c.writeAddress(o) : 0;
    long a = Cpu.signed(size, o.isMemory() ? c.readForWrite(size, at) : c.reg(size, o.rm()));
    long r = Cpu.signed(size, a + b);
    if (o.isMemory()) {
      c.write(size, at, r);
      c.setReg(size, o.reg(), a);
    } else {
      c.setReg(size, o.reg(), a);
      c.setReg(size, o.rm(), r);
    }
    c.flags(CpuRegisters.ADD, r, a, b);
  }

  /** CMPXCHG. The memory operand is written in any case, as hardware does. */
  public static void compareExchange(Cpu c, Op o) {
    int size = o.size();
    long at = o.isMemory() ? c.writeAddress(o) : 0;
    long old = Cpu.signed(size, o.isMemory() ? c.readForWrite(size, at) : c.reg(size, o.rm()));
    long a = Cpu.signed(size, c.reg(size, Cpu.RAX));
    boolean equal = a == old;
    if (o.isMemory()) {
      c.write(size, at, equal ? c.reg(size, o.reg()) : old);
    } else if (equal) {
      c.setReg(size, o.rm(), c.reg(size, o.reg()));
    }
    if (!equal) {
      c.setReg(size, Cpu.RAX, old);
    }
    compare(c, size, a, old);
  }

  /** CMPXCHG8B and, with REX.W, CMPXCHG16B. */
  public static void compareExchangePair(Cpu c, Op o) {
    int half = o.size();
    long at = c.address(o, 2 * half, Ept.WRITE);
    if (half == 8 && (at & 15) != 0) {
      throw c.gp(0);
    }
    c.probe(at, 2 * half, Ept.WRITE);
    long low = c.read(half, at);
    long high = c.read(half, at + half);
    boolean equal = low == c.reg(half, Cpu.RAX) && high == c.reg(half, Cpu.RDX);
    c.write(half, at, equal ? c.reg(half, Cpu.RBX) : low);
    c.write(half, at + half, equal ? c.reg(half, Cpu.RCX) : high);
    if (!equal) {
      c.setReg(half, Cpu.RAX, low);
      c.setReg(half, Cpu.RDX, high);
    }
    c.setArithmeticFlags(c.arithmeticFlags() & ~Cpu.ZF | (equal ? Cpu.ZF : 0));
  }
}
