package io.trapscope.vmm.soft.exec;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.mmu.Ept;

/** Data movement: MOV, LEA, XCHG, MOVZX, MOVSX, CMOVcc, SETcc, conversions, BSWAP, XLAT. */
public final class Move {
  private Move() {}

  /** mov r/m, r. */
  public static void rmReg(Cpu c, Op o) {
    c.storeRm(o, c.reg(o.size(), o.reg()));
  }

  /** mov r, r/m. */
  public static void regRm(Cpu c, Op o) {
    c.setReg(o.size(), o.reg(), c.loadRm(o));
  }

  public static void reg64Mem(Cpu c, Op o) {
    c.gpr[o.reg()] = c.read64(c.readAddress(o));
  }

  public static void reg32Mem(Cpu c, Op o) {
    c.gpr[o.reg()] = c.read32(c.readAddress(o));
  }

  public static void mem64Reg(Cpu c, Op o) {
    c.write64(c.writeAddress(o), c.gpr[o.reg()]);
  }

  public static void mem32Reg(Cpu c, Op o) {
    c.write32(c.writeAddress(o), c.gpr[o.reg()]);
  }

  /** mov r64, r64 by ModRM.reg from ModRM.rm. */
  public static void reg64Reg(Cpu c, Op o) {
    c.gpr[o.reg()] = c.gpr[o.rm()];
  }

  public static void reg32Reg(Cpu c, Op o) {
    c.gpr[o.reg()] = c.gpr[o.rm()] & 0xffffffffL;
  }

  /** mov r64, r64 by ModRM.rm from ModRM.reg. */
  public static void rm64Reg(Cpu c, Op o) {
    c.gpr[o.rm()] = c.gpr[o.reg()];
  }

  public static void rm32Reg(Cpu c, Op o) {
    c.gpr[o.rm()] = c.gpr[o.reg()] & 0xffffffffL;
  }

  /** mov r/m, imm; mov r, imm. */
  public static void rmImm(Cpu c, Op o) {
    c.storeRm(o, o.imm());
  }

  /** mov r, imm with the register in the opcode. */
  public static void regImm(Cpu c, Op o) {
    c.setReg(o.size(), o.rm(), o.imm());
  }

  /** mov rAX, moffs. */
  public static void accumulatorMem(Cpu c, Op o) {
    c.setReg(o.size(), Cpu.RAX, c.read(o.size(), c.readAddress(o)));
  }

  /** mov moffs, rAX. */
  public static void memAccumulator(Cpu c, Op o) {
    c.write(o.size(), c.writeAddress(o), c.reg(o.size(), Cpu.RAX));
  }

  public static void lea(Cpu c, Op o) {
    c.setReg(o.size(), o.reg(), c.offset(o));
  }

  /** xchg r/m, r. */
  public static void exchange(Cpu c, Op o) {
    int size = o.size();
    long value = c.reg(size, o.reg());
    if (o.isMemory()) {
      long at = c.writeAddress(o);
      long old = c.readForWrite(size, at);
      c.write(size, at, value);
      c.setReg(size, o.reg(), old);
    } else {
      long old = c.reg(size, o.rm());
      c.setReg(size, o.rm(), value);
      c.setReg(size, o.reg(), old);
    }
  }

  /** xchg rAX, r with the register in the opcode. */
  public static void exchangeAccumulator(Cpu c, Op o) {
    int size = o.size();
    long value = c.reg(size, Cpu.RAX);
    long old = c.reg(size, o.rm());
    c.setReg(size, o.rm(), value);
    c.setReg(size, Cpu.RAX, old);
  }

  public static void lea64(Cpu c, Op o) {
    c.gpr[o.reg()] = c.offset(o);
  }

  public static void lea32(Cpu c, Op o) {
    c.gpr[o.reg()] = c.offset(o) & 0xffffffffL;
  }

  public static void reg64Imm(Cpu c, Op o) {
    c.gpr[o.rm()] = o.imm();
  }

  public static void reg32Imm(Cpu c, Op o) {
    c.gpr[o.rm()] = o.imm() & 0xffffffffL;
  }

  /** movzx r32 or r64, byte in memory. */
  public static void zeroExtendMem8(Cpu c, Op o) {
    c.gpr[o.reg()] = c.read8(c.address(o, 1, Ept.READ));
  }

  /** movzx r32 or r64, word in memory. */
  public static void zeroExtendMem16(Cpu c, Op o) {
    c.gpr[o.reg()] = c.read16(c.address(o, 2, Ept.READ));
  }

  private static long loadPart(Cpu c, Op o, int size) {
    return o.isMemory() ? c.read(size, c.address(o, size, Ept.READ)) : c.reg(size, o.rm());
  }

  public static void zeroExtend8(Cpu c, Op o) {
    c.setReg(o.size(), o.reg(), loadPart(c, o, 1));
  }

  public static void zeroExtend16(Cpu c, Op o) {
    c.setReg(o.size(), o.reg(), loadPart(c, o, 2));
  }

  public static void signExtend8(Cpu c, Op o) {
    c.setReg(o.size(), o.reg(), (byte) loadPart(c, o, 1));
  }

  public static void signExtend16(Cpu c, Op o) {
    c.setReg(o.size(), o.reg(), (short) loadPart(c, o, 2));
  }

  /** MOVSXD. */
  public static void signExtend32(Cpu c, Op o) {
    int size = Math.min(4, o.size());
    c.setReg(o.size(), o.reg(), Cpu.signed(size, loadPart(c, o, size)));
  }

  /** CMOVcc: reads its source, and clears the upper half of a 32-bit register, in any case. */
  public static void conditional(Cpu c, Op o) {
    long value = c.loadRm(o);
    if (c.condition(o.sub())) {
      c.setReg(o.size(), o.reg(), value);
    } else if (o.size() == 4) {
      c.gpr[o.reg()] &= 0xffffffffL;
    }
  }

  public static void setOnCondition(Cpu c, Op o) {
    c.storeRm(o, c.condition(o.sub()) ? 1 : 0);
  }

  /** CBW, CWDE, CDQE. */
  public static void convertAccumulator(Cpu c, Op o) {
    int half = o.size() >> 1;
    c.setReg(o.size(), Cpu.RAX, Cpu.signed(half, c.gpr[Cpu.RAX]));
  }

  /** CWD, CDQ, CQO. */
  public static void signIntoData(Cpu c, Op o) {
    c.setReg(o.size(), Cpu.RDX, Cpu.signed(o.size(), c.gpr[Cpu.RAX]) >> 63);
  }

  /** BSWAP; of 16 bits it gives 0, as processors do where the SDM leaves it undefined. */
  public static void byteSwap(Cpu c, Op o) {
    long value = c.gpr[o.rm()];
    long swapped =
        switch (o.size()) {
          case 8 -> Long.reverseBytes(value);
          case 4 -> Integer.reverseBytes((int) value);
          default -> 0;
        };
    c.setReg(o.size(), o.rm(), swapped);
  }

  public static void translate(Cpu c, Op o) {
    long mask = o.asize() == 8 ? -1 : (1L << 8 * o.asize()) - 1;
    long offset = c.gpr[Cpu.RBX] + (c.gpr[Cpu.RAX] & 0xff) & mask;
    c.setReg(1, Cpu.RAX, c.read8(c.linear(o.seg(), offset, 1, Ept.READ)));
  }

  /** NOP, PAUSE, PREFETCH, fences, hints. */
  public static void nothing(Cpu c, Op o) {}

  /** MOVNTI. */
  public static void nonTemporal(Cpu c, Op o) {
    c.write(o.size(), c.writeAddress(o), c.reg(o.size(), o.reg()));
  }

  /** MOVBE. */
  public static void loadSwapped(Cpu c, Op o) {
    c.setReg(o.size(), o.reg(), swap(o.size(), c.loadRm(o)));
  }

  public static void storeSwapped(Cpu c, Op o) {
    c.storeRm(o, swap(o.size(), c.reg(o.size(), o.reg())));
  }

  private static long swap(int size, long value) {
    return Long.reverseBytes(value) >>> 64 - 8 * size;
  }
}
