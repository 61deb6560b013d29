package io.trapscope.vmm.soft.exec;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Op;

/**
 * Shifts and rotates. A count of 0 changes nothing, flags included. OF after counts above 1, which
 * the SDM leaves undefined, is what the formula for 1 gives.
 */
public final class Shift {
  private Shift() {}

  /** By CL. */
  public static void byCl(Cpu c, Op o) {
    shift(c, o, (int) c.gpr[Cpu.RCX]);
  }

  /** By an immediate. */
  public static void byImm(Cpu c, Op o) {
    shift(c, o, (int) o.imm());
  }

  /** By one. */
  public static void byOne(Cpu c, Op o) {
    shift(c, o, 1);
  }

  private static void shift(Cpu c, Op o, int rawCount) {
    int size = o.size();
    int count = rawCount & (size == 8 ? 63 : 31);
    if (o.isMemory()) {
      long at = c.writeAddress(o);
      long value = c.readForWrite(size, at);
      long result = result(c, o.sub(), size, value, count);
      c.write(size, at, result);
      flags(c, o.sub(), size, value, count, result);
    } else {
      long value = c.reg(size, o.rm());
      long result = result(c, o.sub(), size, value, count);
      flags(c, o.sub(), size, value, count, result);
      c.setReg(size, o.rm(), result);
    }
  }

  /** The result, zero-extended; {@code value} is zero-extended. */
  private static long result(Cpu c, int kind, int size, long value, int count) {
    int bits = 8 * size;
    return switch (kind) {
      case 0 -> rotateLeft(value, count & bits - 1, bits);
      case 1 -> rotateLeft(value, bits - (count & bits - 1) & bits - 1, bits);
      case 2 -> carryLeft(c, value, count % (bits + 1), size);
      case 3 -> carryLeft(c, value, (bits + 1 - count % (bits + 1)) % (bits + 1), size);
      case 5 -> count >= 64 ? 0 : value >>> count;
      case 7 -> Cpu.unsigned(size, Cpu.signed(size, value) >> count);
      default -> Cpu.unsigned(size, value << count);
    };
  }

  private static long rotateLeft(long value, int count, int bits) {
    if (count == 0) {
      return value;
    }
    return Cpu.unsigned(bits >> 3, value << count | value >>> bits - count);
  }

  /** Rotates left through the carry, {@code count} less than bits + 1. */
  private static long carryLeft(Cpu c, long value, int count, int size) {
    if (count == 0) {
      return value;
    }
    int bits = 8 * size;
    long carry = c.carry() ? 1 : 0;
    long low = count == 1 ? 0 : value >>> bits + 1 - count;
    long high = count == 64 ? 0 : value << count;
    return Cpu.unsigned(size, high | carry << count - 1 | low);
  }

  private static void flags(Cpu c, int kind, int size, long value, int count, long result) {
    if (count == 0) {
      return;
    }
    int bits = 8 * size;
    long top = result >>> bits - 1 & 1;
    long next = result >>> bits - 2 & 1;
    switch (kind) {
      case 0 -> rotateFlags(c, result & 1, (result & 1) ^ top);
      case 1 -> rotateFlags(c, top, top ^ next);
      case 2 -> {
        int n = count % (bits + 1);
        long carry = n == 0 ? c.carry() ? 1 : 0 : value >>> bits - n & 1;
        rotateFlags(c, carry, carry ^ top);
      }
      case 3 -> {
        int n = count % (bits + 1);
        long carry = n == 0 ? c.carry() ? 1 : 0 : value >>> n - 1 & 1;
        rotateFlags(c, carry, top ^ next);
      }
      case 5 -> {
        long carry = value >>> count - 1 & 1;
        long overflow = count == 1 ? value >>> bits - 1 & 1 : 0;
        c.flagBits(Cpu.signed(size, result), carry | overflow << 11);
      }
      case 7 -> {
        long carry = Cpu.signed(size, value) >> count - 1 & 1;
        c.flagBits(Cpu.signed(size, result), carry);
      }
      default -> {
        long carry = count <= bits ? value >>> bits - count & 1 : 0;
        c.flagBits(Cpu.signed(size, result), carry | (carry ^ top) << 11);
      }
    }
  }

  /** Rotates change only CF and OF. */
  private static void rotateFlags(Cpu c, long carry, long overflow) {
    c.setCarryAndOverflow((int) carry | (int) overflow << 11);
  }

  /** SHLD by an immediate. */
  public static void leftDoubleImm(Cpu c, Op o) {
    leftDouble(c, o, (int) o.imm());
  }

  /** SHLD by CL. */
  public static void leftDoubleCl(Cpu c, Op o) {
    leftDouble(c, o, (int) c.gpr[Cpu.RCX]);
  }

  /** SHRD by an immediate. */
  public static void rightDoubleImm(Cpu c, Op o) {
    rightDouble(c, o, (int) o.imm());
  }

  /** SHRD by CL. */
  public static void rightDoubleCl(Cpu c, Op o) {
    rightDouble(c, o, (int) c.gpr[Cpu.RCX]);
  }

  private static void leftDouble(Cpu c, Op o, int rawCount) {
    int size = o.size();
    int bits = 8 * size;
    int count = rawCount & (size == 8 ? 63 : 31);
    long at = o.isMemory() ? c.writeAddress(o) : 0;
    long value = o.isMemory() ? c.readForWrite(size, at) : c.reg(size, o.rm());
    if (count == 0) {
      storeDouble(c, o, at, value);
      return;
    }
    long fill = c.reg(size, o.reg());
    long result;
    long carry;
    if (count <= bits) {
      result = value << count | fill >>> bits - count;
      carry = value >>> bits - count & 1;
    } else {
      // 16 bits by 17 to 31, undefined in the SDM: the operands concatenated go round.
      result = fill << count - bits | value >>> 2 * bits - count;
      carry = fill >>> 2 * bits - count & 1;
    }
    finishDouble(c, o, at, value, result, carry);
  }

  private static void rightDouble(Cpu c, Op o, int rawCount) {
    int size = o.size();
    int bits = 8 * size;
    int count = rawCount & (size == 8 ? 63 : 31);
    long at = o.isMemory() ? c.writeAddress(o) : 0;
    long value = o.isMemory() ? c.readForWrite(size, at) : c.reg(size, o.rm());
    if (count == 0) {
      storeDouble(c, o, at, value);
      return;
    }
    long fill = c.reg(size, o.reg());
    long result;
    long carry;
    if (count <= bits) {
      result = value >>> count | fill << bits - count;
      carry = value >>> count - 1 & 1;
    } else {
      result = fill >>> count - bits | value << 2 * bits - count;
      carry = fill >>> count - bits - 1 & 1;
    }
    finishDouble(c, o, at, value, result, carry);
  }

  private static void finishDouble(Cpu c, Op o, long at, long value, long result, long carry) {
    int size = o.size();
    long cut = Cpu.signed(size, result);
    long overflow = (value ^ cut) >>> 8 * size - 1 & 1;
    storeDouble(c, o, at, cut);
    c.flagBits(cut, carry | overflow << 11);
  }

  private static void storeDouble(Cpu c, Op o, long at, long value) {
    if (o.isMemory()) {
      c.write(o.size(), at, value);
    } else {
      c.setReg(o.size(), o.rm(), value);
    }
  }
}
