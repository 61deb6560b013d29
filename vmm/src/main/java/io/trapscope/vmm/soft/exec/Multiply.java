package io.trapscope.vmm.soft.exec;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.GuestFault;
import io.trapscope.vmm.soft.cpu.Op;

/** MUL, IMUL, DIV, IDIV and the BCD adjustments. */
public final class Multiply {
  private Multiply() {}

  /** CF and OF as given; SF, ZF, PF, undefined, as for the result's low half. */
  private static void flags(Cpu c, long low, boolean overflow) {
    c.flagBits(low, overflow ? Cpu.CF | Cpu.OF : 0);
  }

  /** Unsigned high half of a product; {@link Math} has it only from Java 18 on. */
  public static long unsignedHigh(long a, long b) {
    return Math.multiplyHigh(a, b) + (a >> 63 & b) + (b >> 63 & a);
  }

  public static void mul(Cpu c, Op o) {
    int size = o.size();
    long b = c.loadRm(o);
    long a = c.reg(size, Cpu.RAX);
    switch (size) {
      case 8 -> {
        c.gpr[Cpu.RAX] = a * b;
        c.gpr[Cpu.RDX] = unsignedHigh(a, b);
        flags(c, a * b, c.gpr[Cpu.RDX] != 0);
      }
      case 1 -> {
        long product = a * b;
        c.setReg(2, Cpu.RAX, product);
        flags(c, (byte) product, product >>> 8 != 0);
      }
      default -> {
        long product = a * b;
        c.setReg(size, Cpu.RAX, product);
        c.setReg(size, Cpu.RDX, product >>> 8 * size);
        flags(c, Cpu.signed(size, product), product >>> 8 * size != 0);
      }
    }
  }

  /** One-operand IMUL. */
  public static void imul(Cpu c, Op o) {
    int size = o.size();
    long b = Cpu.signed(size, c.loadRm(o));
    long a = Cpu.signed(size, c.gpr[Cpu.RAX]);
    long product = a * b;
    long low = Cpu.signed(size, product);
    switch (size) {
      case 8 -> {
        c.gpr[Cpu.RAX] = product;
        c.gpr[Cpu.RDX] = Math.multiplyHigh(a, b);
        flags(c, product, c.gpr[Cpu.RDX] != product >> 63);
      }
      case 1 -> {
        c.setReg(2, Cpu.RAX, product);
        flags(c, low, low != product);
      }
      default -> {
        c.setReg(size, Cpu.RAX, product);
        c.setReg(size, Cpu.RDX, product >> 8 * size);
        flags(c, low, low != product);
      }
    }
  }

  /** imul r, r/m. */
  public static void imulRegRm(Cpu c, Op o) {
    multiply(c, o, Cpu.signed(o.size(), c.loadRm(o)), Cpu.signed(o.size(), c.gpr[o.reg()]));
  }

  /** imul r, r/m, imm. */
  public static void imulRmImm(Cpu c, Op o) {
    multiply(c, o, Cpu.signed(o.size(), c.loadRm(o)), o.imm());
  }

  private static void multiply(Cpu c, Op o, long a, long b) {
    int size = o.size();
    long product = a * b;
    long low = Cpu.signed(size, product);
    c.setReg(size, o.reg(), low);
    flags(c, low, size == 8 ? Math.multiplyHigh(a, b) != product >> 63 : low != product);
  }

  private static GuestFault divideError(Cpu c) {
    return c.fault(GuestFault.DE, 0);
  }

  public static void div(Cpu c, Op o) {
    int size = o.size();
    long b = c.loadRm(o);
    if (b == 0) {
      throw divideError(c);
    }
    if (size == 8) {
      divide128(c, b);
      return;
    }
    int bits = 8 * size;
    long a = size == 1 ? c.reg(2, Cpu.RAX) : c.reg(size, Cpu.RDX) << bits | c.reg(size, Cpu.RAX);
    long quotient = Long.divideUnsigned(a, b);
    if (quotient >>> bits != 0) {
      throw divideError(c);
    }
    store(c, size, quotient, Long.remainderUnsigned(a, b));
  }

  private static void store(Cpu c, int size, long quotient, long remainder) {
    if (size == 1) {
      c.setReg(2, Cpu.RAX, (remainder & 0xff) << 8 | quotient & 0xff);
    } else {
      c.setReg(size, Cpu.RAX, quotient);
      c.setReg(size, Cpu.RDX, remainder);
    }
  }

  private static void divide128(Cpu c, long b) {
    long high = c.gpr[Cpu.RDX];
    long low = c.gpr[Cpu.RAX];
    if (Long.compareUnsigned(high, b) >= 0) {
      throw divideError(c);
    }
    if (high == 0) {
      c.gpr[Cpu.RAX] = Long.divideUnsigned(low, b);
      c.gpr[Cpu.RDX] = Long.remainderUnsigned(low, b);
      return;
    }
    divideLong(c, high, low, b);
  }

  /** Schoolbook division of 128 by 64 bits, high below b: leaves quotient and remainder. */
  private static void divideLong(Cpu c, long high, long low, long b) {
    long remainder = high;
    long quotient = 0;
    for (int i = 63; i >= 0; i--) {
      boolean over = remainder < 0;
      remainder = remainder << 1 | low >>> i & 1;
      if (over || Long.compareUnsigned(remainder, b) >= 0) {
        remainder -= b;
        quotient |= 1L << i;
      }
    }
    c.gpr[Cpu.RAX] = quotient;
    c.gpr[Cpu.RDX] = remainder;
  }

  public static void idiv(Cpu c, Op o) {
    int size = o.size();
    long b = Cpu.signed(size, c.loadRm(o));
    if (b == 0) {
      throw divideError(c);
    }
    if (size == 8) {
      signedDivide128(c, b);
      return;
    }
    int bits = 8 * size;
    long a =
        size == 1
            ? (short) c.gpr[Cpu.RAX]
            : Cpu.signed(2 * size, c.reg(size, Cpu.RDX) << bits | c.reg(size, Cpu.RAX));
    long quotient = a / b;
    if (a == Long.MIN_VALUE && b == -1 || quotient != Cpu.signed(size, quotient)) {
      throw divideError(c);
    }
    store(c, size, quotient, a % b);
  }

  private static void signedDivide128(Cpu c, long b) {
    long high = c.gpr[Cpu.RDX];
    long low = c.gpr[Cpu.RAX];
    boolean negative = high < 0;
    if (high == low >> 63 && !(low == Long.MIN_VALUE && b == -1)) {
      c.gpr[Cpu.RAX] = low / b;
      c.gpr[Cpu.RDX] = low % b;
      return;
    }
    if (negative) {
      low = -low;
      high = ~high + (low == 0 ? 1 : 0);
    }
    long divisor = Math.abs(b);
    if (Long.compareUnsigned(high, divisor) >= 0) {
      throw divideError(c);
    }
    long savedA = c.gpr[Cpu.RAX];
    long savedD = c.gpr[Cpu.RDX];
    divideLong(c, high, low, divisor);
    long quotient = c.gpr[Cpu.RAX];
    boolean negativeQuotient = negative != b < 0;
    boolean fits =
        negativeQuotient ? Long.compareUnsigned(quotient, Long.MIN_VALUE) <= 0 : quotient >= 0;
    if (!fits) {
      c.gpr[Cpu.RAX] = savedA;
      c.gpr[Cpu.RDX] = savedD;
      throw divideError(c);
    }
    if (negativeQuotient) {
      c.gpr[Cpu.RAX] = -quotient;
    }
    if (negative) {
      c.gpr[Cpu.RDX] = -c.gpr[Cpu.RDX];
    }
  }

  private static void decimalAdjust(Cpu c, int sign) {
    int al = (int) c.gpr[Cpu.RAX] & 0xff;
    boolean oldCarry = c.carry();
    boolean adjust = (al & 15) > 9 || c.adjust();
    int result = al;
    boolean carry = false;
    if (adjust) {
      result += 6 * sign;
      carry = oldCarry || (result & ~0xff) != 0;
    }
    if (al > 0x99 || oldCarry) {
      result += 0x60 * sign;
      carry = true;
    }
    c.setReg(1, Cpu.RAX, result);
    c.flagBits((byte) result, (carry ? Cpu.CF : 0) | (adjust ? Cpu.AF : 0));
  }

  public static void daa(Cpu c, Op o) {
    decimalAdjust(c, 1);
  }

  public static void das(Cpu c, Op o) {
    decimalAdjust(c, -1);
  }

  private static void asciiAdjust(Cpu c, int by) {
    long ax = c.gpr[Cpu.RAX] & 0xffff;
    boolean adjust = (ax & 15) > 9 || c.adjust();
    if (adjust) {
      ax += by;
    }
    c.setReg(2, Cpu.RAX, ax & 0xff0f);
    c.flagBits((byte) (ax & 15), adjust ? Cpu.CF | Cpu.AF : 0);
  }

  public static void aaa(Cpu c, Op o) {
    asciiAdjust(c, 0x106);
  }

  public static void aas(Cpu c, Op o) {
    asciiAdjust(c, -0x106);
  }

  public static void aam(Cpu c, Op o) {
    int base = (int) o.imm() & 0xff;
    if (base == 0) {
      throw divideError(c);
    }
    int al = (int) c.gpr[Cpu.RAX] & 0xff;
    c.setReg(2, Cpu.RAX, al / base << 8 | al % base);
    c.flagBits((byte) (al % base), 0);
  }

  public static void aad(Cpu c, Op o) {
    int ax = (int) c.gpr[Cpu.RAX] & 0xffff;
    int result = (ax & 0xff) + (ax >> 8) * ((int) o.imm() & 0xff) & 0xff;
    c.setReg(2, Cpu.RAX, result);
    c.flagBits((byte) result, 0);
  }
}
