package io.trapscope.vmm.soft.exec;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Op;

/** SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS. */
public final class SystemCalls {
  /** Access rights of the flat segments that these instructions load (VMX format). */
  private static final int CODE64 = 0xa09b;

  private static final int CODE32 = 0xc09b;
  private static final int DATA = 0xc093;
  private static final int RING3 = 3 << 5;
  private static final long LIMIT = 0xffffffffL;

  private SystemCalls() {}

  private static void segments(Cpu c, int cs, int codeAccess, int ss, int cpl) {
    int ring = cpl == 3 ? RING3 : 0;
    c.setSegment(Cpu.CS, cs, 0, LIMIT, codeAccess | ring);
    c.setSegment(Cpu.SS, ss, 0, LIMIT, DATA | ring);
    c.cpl = cpl;
    c.updateMode();
  }

  /** As on Intel's processors, which CPUID names, these two are for 64-bit code only. */
  private static void checkMode(Cpu c) {
    if ((c.efer & Cpu.EFER_SCE) == 0 || !c.code64()) {
      throw c.ud();
    }
  }

  public static void syscall(Cpu c, Op o) {
    checkMode(c);
    int flags = c.rflags();
    c.gpr[Cpu.RCX] = o.next();
    c.gpr[11] = flags & ~Cpu.RF;
    c.rip = c.lstar;
    int cs = (int) (c.star >>> 32) & 0xfffc;
    setFlags(c, flags & ~(int) c.sfmask & ~(Cpu.RF | Cpu.VM));
    segments(c, cs, CODE64, cs + 8, 0);
  }

  private static void setFlags(Cpu c, int flags) {
    c.setArithmeticFlags(flags);
    c.eflags = flags & ~Cpu.ARITHMETIC | 2;
  }

  public static void sysret(Cpu c, Op o) {
    checkMode(c);
    int base = (int) (c.star >>> 48);
    boolean to64 = o.size() == 8;
    long target = to64 ? c.gpr[Cpu.RCX] : c.gpr[Cpu.RCX] & LIMIT;
    if (!Cpu.isCanonical(target)) {
      throw c.gp(0);
    }
    setFlags(c, (int) c.gpr[11] & 0x3c7fd7);
    c.rip = target;
    int cs = (to64 ? base + 16 : base) | 3;
    segments(c, cs, to64 ? CODE64 : CODE32, base + 8 | 3, 3);
    c.flagsChanged();
  }

  public static void sysenter(Cpu c, Op o) {
    if ((c.sysenterCs & 0xfffc) == 0) {
      throw c.gp(0);
    }
    c.eflags &= ~(Cpu.VM | Cpu.IF | Cpu.RF);
    boolean longMode = c.longMode();
    c.gpr[Cpu.RSP] = longMode ? c.sysenterEsp : c.sysenterEsp & LIMIT;
    c.rip = longMode ? c.sysenterEip : c.sysenterEip & LIMIT;
    int cs = (int) c.sysenterCs & 0xfffc;
    segments(c, cs, longMode ? CODE64 : CODE32, cs + 8, 0);
  }

  public static void sysexit(Cpu c, Op o) {
    if ((c.sysenterCs & 0xfffc) == 0) {
      throw c.gp(0);
    }
    boolean to64 = o.size() == 8;
    long target = to64 ? c.gpr[Cpu.RDX] : c.gpr[Cpu.RDX] & LIMIT;
    long stack = to64 ? c.gpr[Cpu.RCX] : c.gpr[Cpu.RCX] & LIMIT;
    if (!Cpu.isCanonical(target) || !Cpu.isCanonical(stack)) {
      throw c.gp(0);
    }
    int base = (int) c.sysenterCs & 0xfffc;
    int cs = base + (to64 ? 32 : 16) | 3;
    c.gpr[Cpu.RSP] = stack;
    c.rip = target;
    segments(c, cs, to64 ? CODE64 : CODE32, cs + 8, 3);
  }

  public static void swapgs(Cpu c, Op o) {
    long base = c.segBase[Cpu.GS];
    c.segBase[Cpu.GS] = c.kernelGsBase;
    c.kernelGsBase = base;
  }
}
