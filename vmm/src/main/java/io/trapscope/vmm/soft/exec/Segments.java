package io.trapscope.vmm.soft.exec;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.CpuDescriptors;
import io.trapscope.vmm.soft.cpu.GuestFault;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.mmu.Ept;

/** Segment registers, descriptor-table registers, and the instructions that look at descriptors. */
public final class Segments {
  private Segments() {}

  /** MOV r/m, Sreg: memory gets 16 bits, a register the operand size. */
  public static void moveFrom(Cpu c, Op o) {
    int value = c.segSelector[o.sub()];
    if (o.isMemory()) {
      c.write16(c.address(o, 2, Ept.WRITE), value);
    } else {
      c.setReg(o.size(), o.rm(), value);
    }
  }

  /** MOV Sreg, r/m16. */
  public static void moveTo(Cpu c, Op o) {
    long value = o.isMemory() ? c.read16(c.address(o, 2, Ept.READ)) : c.gpr[o.rm()] & 0xffff;
    c.loadSegment(o.sub(), (int) value);
    if (o.sub() == Cpu.SS) {
      c.stackShadow();
    }
  }

  private static void loadFar(Cpu c, Op o, int seg) {
    long at = c.address(o, o.size() + 2, Ept.READ);
    long offset = c.read(o.size(), at);
    c.loadSegment(seg, (int) c.read16(at + o.size()));
    c.setReg(o.size(), o.reg(), offset);
  }

  public static void les(Cpu c, Op o) {
    loadFar(c, o, Cpu.ES);
  }

  public static void lds(Cpu c, Op o) {
    loadFar(c, o, Cpu.DS);
  }

  public static void lss(Cpu c, Op o) {
    loadFar(c, o, Cpu.SS);
  }

  public static void lfs(Cpu c, Op o) {
    loadFar(c, o, Cpu.FS);
  }

  public static void lgs(Cpu c, Op o) {
    loadFar(c, o, Cpu.GS);
  }

  private static void userTables(Cpu c) {
    if ((c.cr4 & Cpu.CR4_UMIP) != 0 && c.cpl > 0) {
      throw c.gp(0);
    }
  }

  private static void storeTable(Cpu c, Op o, int limit, long base) {
    userTables(c);
    int width = c.code64() ? 8 : 4;
    long at = c.address(o, 2 + width, Ept.WRITE);
    c.probe(at, 2 + width, Ept.WRITE);
    c.write16(at, limit);
    c.write(width, at + 2, base);
  }

  public static void sgdt(Cpu c, Op o) {
    storeTable(c, o, c.gdtLimit, c.gdtBase);
  }

  public static void sidt(Cpu c, Op o) {
    storeTable(c, o, c.idtLimit, c.idtBase);
  }

  private static long tableBase(Cpu c, Op o, long at) {
    if (c.code64()) {
      long base = c.read64(at + 2);
      if (!Cpu.isCanonical(base)) {
        throw c.gp(0);
      }
      return base;
    }
    long base = c.read32(at + 2);
    return o.size() == 2 ? base & 0xffffff : base;
  }

  public static void lgdt(Cpu c, Op o) {
    long at = c.address(o, c.code64() ? 10 : 6, Ept.READ);
    int limit = (int) c.read16(at);
    c.gdtBase = tableBase(c, o, at);
    c.gdtLimit = limit;
  }

  public static void lidt(Cpu c, Op o) {
    long at = c.address(o, c.code64() ? 10 : 6, Ept.READ);
    int limit = (int) c.read16(at);
    c.idtBase = tableBase(c, o, at);
    c.idtLimit = limit;
  }

  private static void storeSelector(Cpu c, Op o, int selector) {
    userTables(c);
    if (o.isMemory()) {
      c.write16(c.address(o, 2, Ept.WRITE), selector);
    } else {
      c.setReg(o.size(), o.rm(), selector);
    }
  }

  public static void sldt(Cpu c, Op o) {
    storeSelector(c, o, c.segSelector[Cpu.LDTR]);
  }

  public static void str(Cpu c, Op o) {
    storeSelector(c, o, c.segSelector[Cpu.TR]);
  }

  private static int selector(Cpu c, Op o) {
    return (int) (o.isMemory() ? c.read16(c.address(o, 2, Ept.READ)) : c.gpr[o.rm()]) & 0xffff;
  }

  private static long systemDescriptor(Cpu c, int selector) {
    int bytes = c.longMode() ? 16 : 8;
    long at = (selector & 4) != 0 ? -1 : c.descriptorAddress(selector, bytes);
    if (at == -1) {
      throw c.gp(selector & ~3);
    }
    return at;
  }

  private static long systemBase(Cpu c, int selector, long d) {
    long base = CpuDescriptors.descriptorBase(d);
    return c.longMode() ? base | c.upperHalf(selector) << 32 : base;
  }

  public static void lldt(Cpu c, Op o) {
    int selector = selector(c, o);
    if ((selector & ~3) == 0) {
      c.setSegment(Cpu.LDTR, selector, 0, 0, CpuDescriptors.ACCESS_UNUSABLE);
      return;
    }
    long at = systemDescriptor(c, selector);
    long d = c.readSystem(8, at);
    int access = CpuDescriptors.descriptorAccess(d);
    if (!CpuDescriptors.isSystem(access)
        || CpuDescriptors.type(access) != CpuDescriptors.TYPE_LDT) {
      throw c.gp(selector & ~3);
    }
    if (!CpuDescriptors.isPresent(access)) {
      throw c.fault(GuestFault.NP, selector & ~3);
    }
    long base = systemBase(c, selector, d);
    c.setSegment(Cpu.LDTR, selector, base, CpuDescriptors.descriptorLimit(d), access);
  }

  public static void ltr(Cpu c, Op o) {
    int selector = selector(c, o);
    if ((selector & ~3) == 0) {
      throw c.gp(0);
    }
    long at = systemDescriptor(c, selector);
    long d = c.readSystem(8, at);
    int access = CpuDescriptors.descriptorAccess(d);
    int type = CpuDescriptors.type(access);
    boolean available =
        type == CpuDescriptors.TYPE_TSS || type == CpuDescriptors.TYPE_TSS16 && !c.longMode();
    if (!CpuDescriptors.isSystem(access) || !available) {
      throw c.gp(selector & ~3);
    }
    if (!CpuDescriptors.isPresent(access)) {
      throw c.fault(GuestFault.NP, selector & ~3);
    }
    long base = systemBase(c, selector, d);
    c.writeSystem(1, at + 5, access & 0xff | 2);
    c.setSegment(Cpu.TR, selector, base, CpuDescriptors.descriptorLimit(d), access | 2);
  }

  private static void zeroFlag(Cpu c, boolean value) {
    c.setArithmeticFlags(c.arithmeticFlags() & ~Cpu.ZF | (value ? Cpu.ZF : 0));
  }

  /** The descriptor if LAR, LSL, VERR, VERW may look at it, else -1. */
  private static long visible(Cpu c, int selector) {
    long at = (selector & ~3) == 0 ? -1 : c.descriptorAddress(selector, 8);
    if (at == -1) {
      return -1;
    }
    long d = c.readSystem(8, at);
    int access = CpuDescriptors.descriptorAccess(d);
    boolean conforming = CpuDescriptors.isCode(access) && CpuDescriptors.isConforming(access);
    if (!conforming && CpuDescriptors.dpl(access) < Math.max(c.cpl, selector & 3)) {
      return -1;
    }
    return d;
  }

  /** System types for which LAR and, of these, LSL succeed: bit masks by type. */
  private static final int LAR_TYPES = 0x1a3e;

  private static final int LSL_TYPES = 0x0a0e;
  private static final int LAR_TYPES_LONG = 0x1a04;
  private static final int LSL_TYPES_LONG = 0x0a04;

  private static boolean typeIn(int access, int types) {
    return !CpuDescriptors.isSystem(access) || (types >> CpuDescriptors.type(access) & 1) != 0;
  }

  public static void lar(Cpu c, Op o) {
    long d = visible(c, selector(c, o));
    boolean ok =
        d != -1
            && typeIn(
                CpuDescriptors.descriptorAccess(d), c.longMode() ? LAR_TYPES_LONG : LAR_TYPES);
    if (ok) {
      c.setReg(o.size(), o.reg(), d >>> 32 & 0xffff00);
    }
    zeroFlag(c, ok);
  }

  public static void lsl(Cpu c, Op o) {
    long d = visible(c, selector(c, o));
    boolean ok =
        d != -1
            && typeIn(
                CpuDescriptors.descriptorAccess(d), c.longMode() ? LSL_TYPES_LONG : LSL_TYPES);
    if (ok) {
      c.setReg(o.size(), o.reg(), CpuDescriptors.descriptorLimit(d));
    }
    zeroFlag(c, ok);
  }

  public static void verr(Cpu c, Op o) {
    long d = visible(c, selector(c, o));
    int access = d == -1 ? 0 : CpuDescriptors.descriptorAccess(d);
    boolean code = CpuDescriptors.isCode(access);
    zeroFlag(
        c,
        d != -1
            && !CpuDescriptors.isSystem(access)
            && (!code || (access & CpuDescriptors.ACCESS_WRITABLE) != 0));
  }

  public static void verw(Cpu c, Op o) {
    long d = visible(c, selector(c, o));
    int access = d == -1 ? 0 : CpuDescriptors.descriptorAccess(d);
    zeroFlag(
        c,
        d != -1
            && !CpuDescriptors.isSystem(access)
            && !CpuDescriptors.isCode(access)
            && (access & CpuDescriptors.ACCESS_WRITABLE) != 0);
  }

  public static void arpl(Cpu c, Op o) {
    long at = o.isMemory() ? c.address(o, 2, Ept.WRITE) : 0;
    long selector = o.isMemory() ? c.readForWrite(2, at) : c.gpr[o.rm()] & 0xffff;
    long rpl = c.gpr[o.reg()] & 3;
    boolean raise = (selector & 3) < rpl;
    if (raise && o.isMemory()) {
      c.write16(at, selector & ~3L | rpl);
    } else if (raise) {
      c.setReg(2, o.rm(), selector & ~3L | rpl);
    }
    zeroFlag(c, raise);
  }
}
