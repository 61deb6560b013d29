package io.trapscope.vmm.soft.exec;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.CpuRegisters;
import io.trapscope.vmm.soft.cpu.Op;

/**
 * The most frequent arithmetic with 32 bits and a register destination, each short enough for a JIT
 * to inline. {@link Alu} has every other form; the two must agree.
 *
 * <p>Names end in the operands: RR register by register, RI by immediate, RM by memory.
 */
public final class Alu32 {
  private Alu32() {}

  public static void addRr(Cpu c, Op o) {
    long b = (int) c.gpr[o.reg()];
    long a = (int) c.gpr[o.rm()];
    long r = (int) (a + b);
    c.gpr[o.rm()] = r & 0xffffffffL;
    c.flags(CpuRegisters.ADD, r, a, b);
  }

  public static void addRi(Cpu c, Op o) {
    long b = o.imm();
    long a = (int) c.gpr[o.rm()];
    long r = (int) (a + b);
    c.gpr[o.rm()] = r & 0xffffffffL;
    c.flags(CpuRegisters.ADD, r, a, b);
  }

  public static void addRm(Cpu c, Op o) {
    long b = (int) c.read32(c.readAddress(o));
    long a = (int) c.gpr[o.reg()];
    long r = (int) (a + b);
    c.gpr[o.reg()] = r & 0xffffffffL;
    c.flags(CpuRegisters.ADD, r, a, b);
  }

  public static void orRr(Cpu c, Op o) {
    long b = (int) c.gpr[o.reg()];
    long a = (int) c.gpr[o.rm()];
    long r = (int) (a | b);
    c.gpr[o.rm()] = r & 0xffffffffL;
    c.logicFlags(r);
  }

  public static void orRi(Cpu c, Op o) {
    long b = o.imm();
    long a = (int) c.gpr[o.rm()];
    long r = (int) (a | b);
    c.gpr[o.rm()] = r & 0xffffffffL;
    c.logicFlags(r);
  }

  public static void orRm(Cpu c, Op o) {
    long b = (int) c.read32(c.readAddress(o));
    long a = (int) c.gpr[o.reg()];
    long r = (int) (a | b);
    c.gpr[o.reg()] = r & 0xffffffffL;
    c.logicFlags(r);
  }

  public static void andRr(Cpu c, Op o) {
    long b = (int) c.gpr[o.reg()];
    long a = (int) c.gpr[o.rm()];
    long r = (int) (a & b);
    c.gpr[o.rm()] = r & 0xffffffffL;
    c.logicFlags(r);
  }

  public static void andRi(Cpu c, Op o) {
    long b = o.imm();
    long a = (int) c.gpr[o.rm()];
    long r = (int) (a & b);
    c.gpr[o.rm()] = r & 0xffffffffL;
    c.logicFlags(r);
  }

  public static void andRm(Cpu c, Op o) {
    long b = (int) c.read32(c.readAddress(o));
    long a = (int) c.gpr[o.reg()];
    long r = (int) (a & b);
    c.gpr[o.reg()] = r & 0xffffffffL;
    c.logicFlags(r);
  }

  public static void subRr(Cpu c, Op o) {
    long b = (int) c.gpr[o.reg()];
    long a = (int) c.gpr[o.rm()];
    long r = (int) (a - b);
    c.gpr[o.rm()] = r & 0xffffffffL;
    c.flags(CpuRegisters.SUB, r, a, b);
  }

  public static void subRi(Cpu c, Op o) {
    long b = o.imm();
    long a = (int) c.gpr[o.rm()];
    long r = (int) (a - b);
    c.gpr[o.rm()] = r & 0xffffffffL;
    c.flags(CpuRegisters.SUB, r, a, b);
  }

  public static void subRm(Cpu c, Op o) {
    long b = (int) c.read32(c.readAddress(o));
    long a = (int) c.gpr[o.reg()];
    long r = (int) (a - b);
    c.gpr[o.reg()] = r & 0xffffffffL;
    c.flags(CpuRegisters.SUB, r, a, b);
  }

  public static void xorRr(Cpu c, Op o) {
    long b = (int) c.gpr[o.reg()];
    long a = (int) c.gpr[o.rm()];
    long r = (int) (a ^ b);
    c.gpr[o.rm()] = r & 0xffffffffL;
    c.logicFlags(r);
  }

  public static void xorRi(Cpu c, Op o) {
    long b = o.imm();
    long a = (int) c.gpr[o.rm()];
    long r = (int) (a ^ b);
    c.gpr[o.rm()] = r & 0xffffffffL;
    c.logicFlags(r);
  }

  public static void xorRm(Cpu c, Op o) {
    long b = (int) c.read32(c.readAddress(o));
    long a = (int) c.gpr[o.reg()];
    long r = (int) (a ^ b);
    c.gpr[o.reg()] = r & 0xffffffffL;
    c.logicFlags(r);
  }

  public static void cmpRr(Cpu c, Op o) {
    long a = (int) c.gpr[o.rm()];
    long b = (int) c.gpr[o.reg()];
    c.flags(CpuRegisters.SUB, (int) (a - b), a, b);
  }

  public static void cmpRi(Cpu c, Op o) {
    long a = (int) c.gpr[o.rm()];
    long b = o.imm();
    c.flags(CpuRegisters.SUB, (int) (a - b), a, b);
  }

  public static void cmpRm(Cpu c, Op o) {
    long a = (int) c.gpr[o.reg()];
    long b = (int) c.read32(c.readAddress(o));
    c.flags(CpuRegisters.SUB, (int) (a - b), a, b);
  }

  public static void cmpMr(Cpu c, Op o) {
    long a = (int) c.read32(c.readAddress(o));
    long b = (int) c.gpr[o.reg()];
    c.flags(CpuRegisters.SUB, (int) (a - b), a, b);
  }

  public static void cmpMi(Cpu c, Op o) {
    long a = (int) c.read32(c.readAddress(o));
    long b = o.imm();
    c.flags(CpuRegisters.SUB, (int) (a - b), a, b);
  }

  public static void testRr(Cpu c, Op o) {
    c.logicFlags((int) (c.gpr[o.rm()] & c.gpr[o.reg()]));
  }

  public static void testRi(Cpu c, Op o) {
    c.logicFlags((int) ((int) c.gpr[o.rm()] & o.imm()));
  }

  public static void testMr(Cpu c, Op o) {
    c.logicFlags((int) (c.read32(c.readAddress(o)) & c.gpr[o.reg()]));
  }

  public static void testMi(Cpu c, Op o) {
    c.logicFlags((int) ((int) c.read32(c.readAddress(o)) & o.imm()));
  }

  public static void incR(Cpu c, Op o) {
    long carry = c.carry() ? 1 : 0;
    long a = (int) c.gpr[o.rm()];
    long r = (int) (a + 1);
    c.gpr[o.rm()] = r & 0xffffffffL;
    c.flags(CpuRegisters.INC, r, a, carry);
  }

  public static void decR(Cpu c, Op o) {
    long carry = c.carry() ? 1 : 0;
    long a = (int) c.gpr[o.rm()];
    long r = (int) (a - 1);
    c.gpr[o.rm()] = r & 0xffffffffL;
    c.flags(CpuRegisters.DEC, r, a, carry);
  }

  /** SHL by an immediate other than 0. */
  public static void shlRi(Cpu c, Op o) {
    int n = (int) o.imm();
    long a = (int) c.gpr[o.rm()];
    long r = (int) a << n;
    c.gpr[o.rm()] = r & 0xffffffffL;
    long carry = a >>> 32 - n & 1;
    c.flagBits(r, carry | (carry ^ r >>> 31 & 1) << 11);
  }

  /** SHR by an immediate other than 0. */
  public static void shrRi(Cpu c, Op o) {
    int n = (int) o.imm();
    long a = c.gpr[o.rm()] & 0xffffffffL;
    long r = a >>> n;
    c.gpr[o.rm()] = r;
    long overflow = n == 1 ? a >>> 31 : 0;
    c.flagBits((int) r, a >>> n - 1 & 1 | overflow << 11);
  }

  /** SAR by an immediate other than 0. */
  public static void sarRi(Cpu c, Op o) {
    int n = (int) o.imm();
    long a = (int) c.gpr[o.rm()];
    long r = a >> n;
    c.gpr[o.rm()] = r & 0xffffffffL;
    c.flagBits(r, a >> n - 1 & 1);
  }
}
