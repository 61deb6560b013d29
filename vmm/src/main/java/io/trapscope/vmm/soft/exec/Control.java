package io.trapscope.vmm.soft.exec;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.GuestFault;
import io.trapscope.vmm.soft.cpu.Msrs;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.mmu.Ept;

/**
 * Control and debug registers, MSRs, CPUID, HLT, VMCALL, time stamp, cache and TLB control. Which
 * of them exit is said in {@code VmxControls}.
 */
public final class Control {
  /** Access types of the CR-access qualification (SDM volume 3, table 28-3). */
  private static final int TO_CR = 0;

  private static final int CLTS = 2;
  private static final int LMSW = 3;

  private Control() {}

  /** MOV r, CRn. */
  public static void moveFromCr(Cpu c, Op o) {
    long value =
        switch (o.reg()) {
          case 0 -> c.cr0;
          case 2 -> c.cr2;
          case 3 -> c.cr3;
          case 4 -> c.cr4;
          case 8 -> c.cr8;
          default -> throw c.ud();
        };
    c.setReg(o.size(), o.rm(), value);
  }

  /** MOV CRn, r. */
  public static void moveToCr(Cpu c, Op o) {
    long value = c.reg(o.size(), o.rm());
    switch (o.reg()) {
      case 0 -> {
        if (c.badCr0(value)) {
          throw c.gp(0);
        }
        if (mayComplete(c, 0, TO_CR, o.rm(), 0, value)) {
          c.writeCr0(value);
        }
      }
      case 2 -> c.cr2 = value;
      case 3 -> c.writeCr3(value);
      case 4 -> {
        if (c.badCr4(value)) {
          throw c.gp(0);
        }
        if (mayComplete(c, 4, TO_CR, o.rm(), 0, value)) {
          c.writeCr4(value);
        }
      }
      case 8 -> {
        if (value >>> 4 != 0) {
          throw c.gp(0);
        }
        if (mayComplete(c, 8, TO_CR, o.rm(), 0, value)) {
          c.cr8 = value;
        }
      }
      default -> throw c.ud();
    }
  }

  /** Exits for a control-register access the first time round; true the second. */
  private static boolean mayComplete(
      Cpu c, int number, int kind, int register, long source, long value) {
    if (c.takeCompletion()) {
      return true;
    }
    VmExit exit = c.leave(ExitReason.CR_ACCESS);
    exit.index = number;
    exit.write = true;
    exit.value = value;
    exit.captured |= VmExit.VALUE | VmExit.QUALIFICATION;
    exit.qualification = number | kind << 4 | register << 8 | source << 16;
    return false;
  }

  public static void clts(Cpu c, Op o) {
    long value = c.cr0 & ~Cpu.CR0_TS;
    if (mayComplete(c, 0, CLTS, 0, 0, value)) {
      c.writeCr0(value);
    }
  }

  public static void smsw(Cpu c, Op o) {
    if (o.isMemory()) {
      c.write16(c.address(o, 2, Ept.WRITE), c.cr0);
    } else {
      c.setReg(o.size(), o.rm(), c.cr0);
    }
  }

  /** LMSW: PE can be set but not cleared. */
  public static void lmsw(Cpu c, Op o) {
    long source = o.isMemory() ? c.read16(c.address(o, 2, Ept.READ)) : c.gpr[o.rm()] & 0xffff;
    long value = c.cr0 & ~0xeL | source & 0xf;
    if (mayComplete(c, 0, LMSW, 0, source, value)) {
      c.writeCr0(value);
    }
  }

  private static int debugRegister(Cpu c, Op o) {
    int n = o.reg();
    if (n > 7 || (n & 6) == 4 && (c.cr4 & Cpu.CR4_DE) != 0) {
      throw c.ud();
    }
    if ((c.dr[7] & 1 << 13) != 0) {
      c.dr[6] |= Cpu.DR6_BD;
      c.dr[7] &= ~(1 << 13);
      throw c.fault(GuestFault.DB, 0);
    }
    return (n & 6) == 4 ? n + 2 : n;
  }

  public static void moveFromDr(Cpu c, Op o) {
    c.setReg(o.size(), o.rm(), c.dr[debugRegister(c, o)]);
  }

  public static void moveToDr(Cpu c, Op o) {
    int n = debugRegister(c, o);
    long value = c.reg(o.size(), o.rm());
    if (n >= 6 && value >>> 32 != 0) {
      throw c.gp(0);
    }
    switch (n) {
      case 6 -> c.dr[6] = value & 0xe00f | 0xffff0ff0L;
      case 7 -> c.writeDr7(value);
      default -> c.dr[n] = value;
    }
  }

  public static void cpuid(Cpu c, Op o) {
    if (c.takeCompletion()) {
      int[] result = c.answer().result;
      c.gpr[Cpu.RAX] = result[0] & 0xffffffffL;
      c.gpr[Cpu.RBX] = result[1] & 0xffffffffL;
      c.gpr[Cpu.RCX] = result[2] & 0xffffffffL;
      c.gpr[Cpu.RDX] = result[3] & 0xffffffffL;
      return;
    }
    VmExit exit = c.leave(ExitReason.CPUID);
    exit.leaf = (int) c.gpr[Cpu.RAX];
    exit.subleaf = (int) c.gpr[Cpu.RCX];
  }

  private static void setPair(Cpu c, long value) {
    c.gpr[Cpu.RAX] = value & 0xffffffffL;
    c.gpr[Cpu.RDX] = value >>> 32;
  }

  private static long pair(Cpu c) {
    return c.gpr[Cpu.RAX] & 0xffffffffL | c.gpr[Cpu.RDX] << 32;
  }

  public static void rdmsr(Cpu c, Op o) {
    int index = (int) c.gpr[Cpu.RCX];
    boolean own = Cpu.isOwnMsr(index);
    if (Cpu.isPassedThrough(index)) {
      setPair(c, c.readMsr(index));
    } else if (c.takeCompletion()) {
      if (c.answer().fault) {
        throw c.gp(0);
      }
      setPair(c, c.answer().value);
    } else {
      VmExit exit = c.leave(ExitReason.RDMSR);
      exit.index = index;
      exit.answered = own;
      if (own) {
        exit.value = c.readMsr(index);
        exit.captured |= VmExit.VALUE;
      }
    }
  }

  public static void wrmsr(Cpu c, Op o) {
    int index = (int) c.gpr[Cpu.RCX];
    // The machine's clocks follow a write of the TSC, so that one always exits.
    boolean own = Cpu.isOwnMsr(index);
    if (Cpu.isPassedThrough(index) && index != Msrs.TSC) {
      c.writeMsr(index, pair(c));
    } else if (c.takeCompletion()) {
      if (c.answer().fault) {
        throw c.gp(0);
      }
      if (own) {
        c.writeMsr(index, pair(c));
      }
    } else {
      VmExit exit = c.leave(ExitReason.WRMSR);
      exit.index = index;
      exit.write = true;
      exit.value = pair(c);
      exit.captured |= VmExit.VALUE;
      exit.answered = own && index != Msrs.TSC;
      exit.fault = own && c.badMsr(index, exit.value);
    }
  }

  private static void checkTimeStamp(Cpu c) {
    if ((c.cr4 & Cpu.CR4_TSD) != 0 && c.cpl != 0) {
      throw c.gp(0);
    }
  }

  public static void rdtsc(Cpu c, Op o) {
    checkTimeStamp(c);
    setPair(c, c.tsc());
  }

  public static void rdtscp(Cpu c, Op o) {
    checkTimeStamp(c);
    setPair(c, c.tsc());
    c.gpr[Cpu.RCX] = c.tscAux;
  }

  public static void hlt(Cpu c, Op o) {
    if (!c.takeCompletion()) {
      c.leave(ExitReason.HLT);
    }
  }

  public static void vmcall(Cpu c, Op o) {
    if (c.takeCompletion()) {
      c.gpr[Cpu.RAX] = c.answer().value;
      return;
    }
    VmExit exit = c.leave(ExitReason.VMCALL);
    exit.hypercall = c.gpr[Cpu.RAX];
    exit.arguments[0] = c.gpr[Cpu.RBX];
    exit.arguments[1] = c.gpr[Cpu.RCX];
    exit.arguments[2] = c.gpr[Cpu.RDX];
    exit.arguments[3] = c.gpr[Cpu.RSI];
    exit.arguments[4] = c.gpr[Cpu.RDI];
    exit.arguments[5] = c.gpr[Cpu.RBP];
  }

  public static void invlpg(Cpu c, Op o) {
    int seg = o.seg();
    long base = seg < 0 ? 0 : c.segBase[seg >= Op.BASE_ONLY ? seg - Op.BASE_ONLY : seg];
    long linear = base + c.offset(o);
    c.flushPage(c.code64() ? linear : linear & 0xffffffffL);
  }
}
