package io.trapscope.vmm.soft.exec;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.CpuRegisters;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.mmu.Ept;

/** BT, BTS, BTR, BTC; BSF, BSR, POPCNT, TZCNT, LZCNT. */
public final class Bits {
  private Bits() {}

  /** Kinds, as bits 4:3 of the opcode and bits 1:0 of ModRM.reg encode them. */
  private static final int TEST = 0;

  private static final int SET = 1;
  private static final int RESET = 2;

  private static long changed(int kind, long value, long bit) {
    return switch (kind) {
      case SET -> value | bit;
      case RESET -> value & ~bit;
      default -> value ^ bit;
    };
  }

  private static void test(Cpu c, Op o, int kind, long bitOffset, boolean reaches) {
    int size = o.size();
    int shift = (int) bitOffset & 8 * size - 1;
    long bit = 1L << shift;
    long value;
    if (o.isMemory()) {
      long offset = c.offset(o);
      if (reaches) {
        long step = bitOffset >> (size == 8 ? 6 : size == 4 ? 5 : 4);
        long mask = o.asize() == 8 ? -1 : (1L << 8 * o.asize()) - 1;
        offset = offset + step * size & mask;
      }
      if (kind == TEST) {
        value = c.read(size, c.linear(o.seg(), offset, size, Ept.READ));
      } else {
        long at = c.linear(o.seg(), offset, size, Ept.WRITE);
        value = c.readForWrite(size, at);
        c.write(size, at, changed(kind, value, bit));
      }
    } else {
      value = c.reg(size, o.rm());
      if (kind != TEST) {
        c.setReg(size, o.rm(), changed(kind, value, bit));
      }
    }
    c.setCarry((value & bit) != 0);
  }

  private static long bitOffset(Cpu c, Op o) {
    return Cpu.signed(o.size(), c.reg(o.size(), o.reg()));
  }

  public static void btReg(Cpu c, Op o) {
    test(c, o, 0, bitOffset(c, o), true);
  }

  public static void btsReg(Cpu c, Op o) {
    test(c, o, 1, bitOffset(c, o), true);
  }

  public static void btrReg(Cpu c, Op o) {
    test(c, o, 2, bitOffset(c, o), true);
  }

  public static void btcReg(Cpu c, Op o) {
    test(c, o, 3, bitOffset(c, o), true);
  }

  /** BT, BTS, BTR, BTC r/m, imm8: ModRM.reg 4 to 7. */
  public static void testImm(Cpu c, Op o) {
    test(c, o, o.sub() & 3, o.imm(), false);
  }

  /** BSF. The destination stays when the source is 0, as processors do. */
  public static void scanForward(Cpu c, Op o) {
    long value = c.loadRm(o);
    if (value != 0) {
      c.setReg(o.size(), o.reg(), Long.numberOfTrailingZeros(value));
    }
    zeroFlag(c, o, value);
  }

  /** BSR. */
  public static void scanReverse(Cpu c, Op o) {
    long value = c.loadRm(o);
    if (value != 0) {
      c.setReg(o.size(), o.reg(), 63 - Long.numberOfLeadingZeros(value));
    }
    zeroFlag(c, o, value);
  }

  /** ZF from the source; the other five are undefined and come out as for a logic operation. */
  private static void zeroFlag(Cpu c, Op o, long value) {
    c.flags(CpuRegisters.LOGIC, Cpu.signed(o.size(), value), 0, 0);
  }

  public static void populationCount(Cpu c, Op o) {
    long value = c.loadRm(o);
    c.setReg(o.size(), o.reg(), Long.bitCount(value));
    c.setArithmeticFlags(value == 0 ? Cpu.ZF : 0);
  }

  /** CLFLUSH: faults as a read does. */
  public static void touch(Cpu c, Op o) {
    c.probe(c.address(o, 1, Ept.READ), 1, Ept.READ);
  }
}
