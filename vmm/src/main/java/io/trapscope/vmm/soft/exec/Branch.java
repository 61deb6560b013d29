package io.trapscope.vmm.soft.exec;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Op;

/** Near jumps, calls and returns, and loops. */
public final class Branch {
  private Branch() {}

  /** Raises #GP(0) where a target is not canonical or lies beyond CS's limit. */
  private static void check(Cpu c, long target) {
    if (c.code64() ? !Cpu.isCanonical(target) : target > c.segLimit[Cpu.CS]) {
      throw c.gp(0);
    }
  }

  private static void checkLegacy(Cpu c, long target) {
    if (!c.code64() && target > c.segLimit[Cpu.CS]) {
      throw c.gp(0);
    }
  }

  public static void jump(Cpu c, Op o) {
    checkLegacy(c, o.imm());
    c.rip = o.imm();
  }

  /** Jcc in 64-bit mode. */
  public static void conditional64(Cpu c, Op o) {
    c.rip = c.condition(o.sub()) ? o.imm() : o.next();
  }

  // Jcc in 64-bit mode by condition: those that are frequent.

  public static void ifZero(Cpu c, Op o) {
    c.rip = c.zero() ? o.imm() : o.next();
  }

  public static void ifNotZero(Cpu c, Op o) {
    c.rip = !c.zero() ? o.imm() : o.next();
  }

  public static void ifBelow(Cpu c, Op o) {
    c.rip = c.carry() ? o.imm() : o.next();
  }

  public static void ifNotBelow(Cpu c, Op o) {
    c.rip = !c.carry() ? o.imm() : o.next();
  }

  public static void ifSign(Cpu c, Op o) {
    c.rip = c.sign() ? o.imm() : o.next();
  }

  public static void ifNotSign(Cpu c, Op o) {
    c.rip = !c.sign() ? o.imm() : o.next();
  }

  public static void ifBelowOrEqual(Cpu c, Op o) {
    c.rip = c.belowOrEqual() ? o.imm() : o.next();
  }

  public static void ifAbove(Cpu c, Op o) {
    c.rip = !c.belowOrEqual() ? o.imm() : o.next();
  }

  public static void ifLess(Cpu c, Op o) {
    c.rip = c.less() ? o.imm() : o.next();
  }

  public static void ifNotLess(Cpu c, Op o) {
    c.rip = !c.less() ? o.imm() : o.next();
  }

  public static void ifLessOrEqual(Cpu c, Op o) {
    c.rip = c.lessOrEqual() ? o.imm() : o.next();
  }

  public static void ifGreater(Cpu c, Op o) {
    c.rip = !c.lessOrEqual() ? o.imm() : o.next();
  }

  /** Jcc in the other modes. */
  public static void conditional(Cpu c, Op o) {
    if (c.condition(o.sub())) {
      checkLegacy(c, o.imm());
      c.rip = o.imm();
    }
  }

  public static void call(Cpu c, Op o) {
    checkLegacy(c, o.imm());
    c.push(o.size(), o.next());
    c.rip = o.imm();
  }

  public static void call64(Cpu c, Op o) {
    long sp = c.gpr[Cpu.RSP] - 8;
    c.write64(sp, o.next());
    c.gpr[Cpu.RSP] = sp;
    c.rip = o.imm();
  }

  public static void jumpRm(Cpu c, Op o) {
    long target = c.loadRm(o);
    check(c, target);
    c.rip = target;
  }

  public static void callRm(Cpu c, Op o) {
    long target = c.loadRm(o);
    long sp = c.gpr[Cpu.RSP];
    c.checkStack(-o.size());
    c.push(o.size(), o.next());
    // Hardware has written the return address when it finds the target bad; RSP stays.
    if (c.code64() && !Cpu.isCanonical(target)) {
      c.gpr[Cpu.RSP] = sp;
      throw c.gp(0);
    }
    if (!c.code64() && target > c.segLimit[Cpu.CS]) {
      c.setStackPointer(sp);
      throw c.gp(0);
    }
    c.rip = target;
  }

  public static void ret(Cpu c, Op o) {
    long target = c.peek(o.size(), 0);
    check(c, target);
    c.drop(o.size() + o.imm());
    c.rip = target;
  }

  public static void ret64(Cpu c, Op o) {
    long sp = c.gpr[Cpu.RSP];
    long target = c.read64(sp);
    check(c, target);
    c.gpr[Cpu.RSP] = sp + 8;
    c.rip = target;
  }

  private static long counter(Cpu c, Op o) {
    return c.reg(o.asize(), Cpu.RCX);
  }

  /** LOOP (sub 2), LOOPE (1), LOOPNE (0); JRCXZ (3). */
  public static void loop(Cpu c, Op o) {
    long count = counter(c, o);
    boolean taken;
    if (o.sub() == 3) {
      taken = count == 0;
    } else {
      count--;
      taken = Cpu.unsigned(o.asize(), count) != 0;
      if (o.sub() < 2) {
        taken &= c.zero() == (o.sub() == 1);
      }
    }
    if (taken) {
      checkLegacy(c, o.imm());
    }
    if (o.sub() != 3) {
      c.setReg(o.asize(), Cpu.RCX, count);
    }
    if (taken) {
      c.rip = o.imm();
    }
  }
}
