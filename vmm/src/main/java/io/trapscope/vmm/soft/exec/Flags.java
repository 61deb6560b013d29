package io.trapscope.vmm.soft.exec;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Op;

/** Single flags, LAHF and SAHF. */
public final class Flags {
  private Flags() {}

  public static void clc(Cpu c, Op o) {
    c.setCarry(false);
  }

  public static void stc(Cpu c, Op o) {
    c.setCarry(true);
  }

  public static void cmc(Cpu c, Op o) {
    c.setCarry(!c.carry());
  }

  public static void cld(Cpu c, Op o) {
    c.eflags &= ~Cpu.DF;
  }

  public static void std(Cpu c, Op o) {
    c.eflags |= Cpu.DF;
  }

  private static void checkInterruptFlag(Cpu c) {
    if (c.cpl > c.iopl() && (c.cr0 & Cpu.CR0_PE) != 0) {
      throw c.gp(0);
    }
  }

  public static void cli(Cpu c, Op o) {
    checkInterruptFlag(c);
    c.eflags &= ~Cpu.IF;
  }

  public static void sti(Cpu c, Op o) {
    checkInterruptFlag(c);
    if ((c.eflags & Cpu.IF) == 0) {
      c.eflags |= Cpu.IF;
      c.interruptShadow();
      c.flagsChanged();
    }
  }

  public static void clac(Cpu c, Op o) {
    c.eflags &= ~Cpu.AC;
    c.updateMode();
  }

  public static void stac(Cpu c, Op o) {
    c.eflags |= Cpu.AC;
    c.updateMode();
  }

  public static void lahf(Cpu c, Op o) {
    c.setReg(1, 16, c.rflags());
  }

  public static void sahf(Cpu c, Op o) {
    int mask = Cpu.CF | Cpu.PF | Cpu.AF | Cpu.ZF | Cpu.SF;
    int value = (int) c.reg(1, 16);
    c.setArithmeticFlags(c.arithmeticFlags() & Cpu.OF | value & mask);
  }

  /** SALC, undocumented. */
  public static void salc(Cpu c, Op o) {
    c.setReg(1, Cpu.RAX, c.carry() ? 0xff : 0);
  }
}
