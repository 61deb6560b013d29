package io.trapscope.vmm.soft.exec;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.CpuRegisters;
import io.trapscope.vmm.soft.cpu.Op;

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
}
