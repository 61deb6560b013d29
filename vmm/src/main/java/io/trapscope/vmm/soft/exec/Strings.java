package io.trapscope.vmm.soft.exec;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.GuestFault;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.mmu.Ept;

/**
 * MOVS, STOS, LODS, CMPS, SCAS. Each iteration is complete before the next starts, so that a fault,
 * an exit or a single step finds the registers as the SDM says. Long runs of MOVS and STOS within
 * pages go through the array at once.
 */
public final class Strings {
  /** Iterations after which a repeated instruction lets the run loop look around. */
  private static final int BURST = 4096;

  private Strings() {}

  private interface Step {
    /** One iteration; true when a REPE or REPNE ends with it. */
    boolean run(Cpu c, Op o);
  }

  private static long mask(Op o) {
    return switch (o.asize()) {
      case 8 -> -1L;
      case 4 -> 0xffffffffL;
      default -> 0xffff;
    };
  }

  private static long delta(Cpu c, Op o) {
    return (c.eflags & Cpu.DF) != 0 ? -o.size() : o.size();
  }

  private static void advance(Cpu c, Op o, int reg) {
    c.setReg(o.asize(), reg, c.gpr[reg] + delta(c, o));
  }

  private static long source(Cpu c, Op o) {
    return c.linear(o.seg(), c.gpr[Cpu.RSI] & mask(o), o.size(), Ept.READ);
  }

  private static long destination(Cpu c, Op o, int access) {
    return c.linearIn(Cpu.ES, c.gpr[Cpu.RDI] & mask(o), o.size(), access);
  }

  private static void repeat(Cpu c, Op o, Step step) {
    if (!o.has(Op.REP | Op.REPNE)) {
      step.run(c, o);
      return;
    }
    for (int i = 0; i < BURST; i++) {
      long count = c.gpr[Cpu.RCX] & mask(o);
      if (count == 0) {
        return;
      }
      if (i > 0 && (c.attention & Cpu.STEP) != 0) {
        break;
      }
      boolean last = step.run(c, o);
      c.setReg(o.asize(), Cpu.RCX, count - 1);
      c.mmioCommit();
      if (last) {
        return;
      }
    }
    again(c, o);
  }

  /**
   * A fault in the middle leaves the flags as before the instruction (SDM volume 2, REP); so does
   * every other stop between iterations, because a fault may follow.
   */
  private static void compare(Cpu c, Op o, Step step) {
    int before = c.arithmeticFlags();
    try {
      repeat(c, o, step);
      if (c.rip == o.rip()) {
        c.setArithmeticFlags(before);
      }
    } catch (GuestFault fault) {
      c.setArithmeticFlags(before);
      throw fault;
    }
  }

  public static void movs(Cpu c, Op o) {
    if (o.has(Op.REP | Op.REPNE)) {
      repeatPages(c, o, Strings::movePage, Strings::moveOne);
    } else {
      moveOne(c, o);
    }
  }

  private static boolean moveOne(Cpu c, Op o) {
    long value = c.read(o.size(), source(c, o));
    c.write(o.size(), destination(c, o, Ept.WRITE), value);
    advance(c, o, Cpu.RSI);
    advance(c, o, Cpu.RDI);
    return false;
  }

  public static void stos(Cpu c, Op o) {
    if (o.has(Op.REP | Op.REPNE)) {
      repeatPages(c, o, Strings::storePage, Strings::storeOne);
    } else {
      storeOne(c, o);
    }
  }

  private static boolean storeOne(Cpu c, Op o) {
    c.write(o.size(), destination(c, o, Ept.WRITE), c.gpr[Cpu.RAX]);
    advance(c, o, Cpu.RDI);
    return false;
  }

  /** As {@link #repeat}, but {@code page} does many iterations at once where it can. */
  private static void repeatPages(Cpu c, Op o, Step page, Step one) {
    boolean simple = (c.eflags & Cpu.DF) == 0 && c.code64() && o.asize() == 8;
    for (int i = 0; i < BURST; i++) {
      long count = c.gpr[Cpu.RCX] & mask(o);
      if (count == 0) {
        return;
      }
      boolean stepping = (c.attention & Cpu.STEP) != 0;
      if (i > 0 && stepping) {
        break;
      }
      if (!simple || stepping || !page.run(c, o)) {
        one.run(c, o);
        c.setReg(o.asize(), Cpu.RCX, count - 1);
        c.mmioCommit();
      }
    }
    again(c, o);
  }

  /** Leaves the instruction between two iterations: it is not retired, and runs again. */
  static void again(Cpu c, Op o) {
    if ((c.gpr[Cpu.RCX] & mask(o)) != 0) {
      c.rip = o.rip();
      c.retired--;
    }
  }

  private static boolean storePage(Cpu c, Op o) {
    int size = o.size();
    long count = c.gpr[Cpu.RCX];
    long to = c.gpr[Cpu.RDI];
    long fits = (4096 - (to & 4095)) / size;
    int n = (int) (Long.compareUnsigned(count, fits) < 0 ? count : fits);
    if (n == 0 || !c.fill(to, n, size, c.gpr[Cpu.RAX])) {
      return false;
    }
    c.gpr[Cpu.RDI] = to + (long) n * size;
    c.gpr[Cpu.RCX] = count - n;
    return true;
  }

  private static boolean movePage(Cpu c, Op o) {
    int size = o.size();
    long count = c.gpr[Cpu.RCX];
    long from = source(c, o);
    long to = c.gpr[Cpu.RDI];
    long fits = (4096 - Math.max(to & 4095, from & 4095)) / size;
    int n = (int) (Long.compareUnsigned(count, fits) < 0 ? count : fits);
    if (n == 0 || !c.copy(from, to, n * size)) {
      return false;
    }
    c.gpr[Cpu.RSI] += (long) n * size;
    c.gpr[Cpu.RDI] = to + (long) n * size;
    c.gpr[Cpu.RCX] = count - n;
    return true;
  }

  public static void lods(Cpu c, Op o) {
    repeat(
        c,
        o,
        (cpu, op) -> {
          cpu.setReg(op.size(), Cpu.RAX, cpu.read(op.size(), source(cpu, op)));
          advance(cpu, op, Cpu.RSI);
          return false;
        });
  }

  public static void cmps(Cpu c, Op o) {
    compare(
        c,
        o,
        (cpu, op) -> {
          int size = op.size();
          // Hardware reads the second operand first: its fault comes before the first one's.
          long b = Cpu.signed(size, cpu.read(size, destination(cpu, op, Ept.READ)));
          long a = Cpu.signed(size, cpu.read(size, source(cpu, op)));
          Alu.compare(cpu, size, a, b);
          advance(cpu, op, Cpu.RSI);
          advance(cpu, op, Cpu.RDI);
          return ends(op, a == b);
        });
  }

  public static void scas(Cpu c, Op o) {
    compare(
        c,
        o,
        (cpu, op) -> {
          int size = op.size();
          long a = Cpu.signed(size, cpu.gpr[Cpu.RAX]);
          long b = Cpu.signed(size, cpu.read(size, destination(cpu, op, Ept.READ)));
          Alu.compare(cpu, size, a, b);
          advance(cpu, op, Cpu.RDI);
          return ends(op, a == b);
        });
  }

  /** REPE ends at a difference, REPNE at a match. */
  private static boolean ends(Op o, boolean equal) {
    return o.has(Op.REPNE) ? equal : !equal;
  }
}
