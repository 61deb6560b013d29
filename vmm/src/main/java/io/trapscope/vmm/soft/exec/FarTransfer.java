package io.trapscope.vmm.soft.exec;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.CpuDescriptors;
import io.trapscope.vmm.soft.cpu.GuestFault;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.mmu.Ept;

/** Far jumps, calls and returns, call gates, and IRET (SDM volume 3, sections 5.8 and 6.12). */
public final class FarTransfer {
  private FarTransfer() {}

  private static int selector(Op o) {
    return (int) (o.imm() >>> 32) & 0xffff;
  }

  public static void jumpPointer(Cpu c, Op o) {
    jump(c, o, selector(o), o.imm() & 0xffffffffL);
  }

  public static void callPointer(Cpu c, Op o) {
    call(c, o, selector(o), o.imm() & 0xffffffffL);
  }

  public static void jumpMem(Cpu c, Op o) {
    long at = c.address(o, o.size() + 2, Ept.READ);
    long offset = c.read(o.size(), at);
    jump(c, o, (int) c.read16(at + o.size()), offset);
  }

  public static void callMem(Cpu c, Op o) {
    long at = c.address(o, o.size() + 2, Ept.READ);
    long offset = c.read(o.size(), at);
    call(c, o, (int) c.read16(at + o.size()), offset);
  }

  /** Reads a code segment's descriptor for a direct transfer and checks it; CPL stays. */
  private static long codeSegment(Cpu c, int selector) {
    if ((selector & ~3) == 0) {
      throw c.gp(0);
    }
    long d = c.descriptor(selector, GuestFault.GP);
    int access = CpuDescriptors.descriptorAccess(d);
    if (!CpuDescriptors.isCode(access)) {
      return d;
    }
    int dpl = CpuDescriptors.dpl(access);
    boolean bad =
        CpuDescriptors.isConforming(access) ? dpl > c.cpl : (selector & 3) > c.cpl || dpl != c.cpl;
    if (bad) {
      throw c.gp(selector & ~3);
    }
    checkWidth(c, selector, access);
    if (!CpuDescriptors.isPresent(access)) {
      throw c.fault(GuestFault.NP, selector & ~3);
    }
    return d;
  }

  private static void checkWidth(Cpu c, int selector, int access) {
    int both = CpuDescriptors.ACCESS_L | CpuDescriptors.ACCESS_DB;
    if (c.longMode() && (access & both) == both) {
      throw c.gp(selector & ~3);
    }
  }

  /**
   * Checks where a transfer leads: RIP for 64-bit code, its lower half for all other.
   *
   * @return RIP
   */
  private static long target(Cpu c, long d, long offset) {
    boolean is64 =
        c.longMode() && (CpuDescriptors.descriptorAccess(d) & CpuDescriptors.ACCESS_L) != 0;
    long rip = is64 ? offset : offset & 0xffffffffL;
    if (is64 ? !Cpu.isCanonical(rip) : rip > CpuDescriptors.descriptorLimit(d)) {
      throw c.gp(0);
    }
    return rip;
  }

  private static void jump(Cpu c, Op o, int selector, long offset) {
    if (!c.isProtected()) {
      c.setRealSegment(Cpu.CS, selector);
      c.rip = offset;
      c.updateMode();
      return;
    }
    long d = codeSegment(c, selector);
    if (CpuDescriptors.isCode(CpuDescriptors.descriptorAccess(d))) {
      long rip = target(c, d, offset);
      c.setCs(selector, d, c.cpl);
      c.rip = rip;
      return;
    }
    long gate = gate(c, selector, d);
    int target = (int) (gate >>> 16) & 0xffff;
    long code = gateTarget(c, target, false);
    long rip = target(c, code, gateOffset(c, selector, gate));
    c.setCs(target, code, c.cpl);
    c.rip = rip;
  }

  /** Checks a system descriptor that must be a call gate. */
  private static long gate(Cpu c, int selector, long d) {
    int access = CpuDescriptors.descriptorAccess(d);
    int type = CpuDescriptors.type(access);
    boolean isGate =
        CpuDescriptors.isSystem(access)
            && (type == CpuDescriptors.TYPE_CALL
                || type == CpuDescriptors.TYPE_CALL16 && !c.longMode());
    if (!isGate) {
      if (CpuDescriptors.isSystem(access)
          && !c.longMode()
          && (type == CpuDescriptors.TYPE_TASK_GATE || (type & 5) == 1)) {
        c.unimplemented("hardware task switch");
      }
      throw c.gp(selector & ~3);
    }
    if (CpuDescriptors.dpl(access) < Math.max(c.cpl, selector & 3)) {
      throw c.gp(selector & ~3);
    }
    if (!CpuDescriptors.isPresent(access)) {
      throw c.fault(GuestFault.NP, selector & ~3);
    }
    if (c.longMode()) {
      c.upperHalf(selector);
    }
    return d;
  }

  private static long gateOffset(Cpu c, int selector, long gate) {
    if (CpuDescriptors.type(CpuDescriptors.descriptorAccess(gate)) == CpuDescriptors.TYPE_CALL16) {
      return gate & 0xffff;
    }
    long offset = gate & 0xffff | gate >>> 32 & 0xffff0000L;
    return c.longMode() ? offset | c.upperHalf(selector) << 32 : offset;
  }

  private static long gateTarget(Cpu c, int target, boolean isCall) {
    if ((target & ~3) == 0) {
      throw c.gp(0);
    }
    long d = c.descriptor(target, GuestFault.GP);
    int access = CpuDescriptors.descriptorAccess(d);
    int dpl = CpuDescriptors.dpl(access);
    boolean bad = !CpuDescriptors.isCode(access) || dpl > c.cpl;
    bad |= !isCall && !CpuDescriptors.isConforming(access) && dpl != c.cpl;
    bad |= c.longMode() && (access & CpuDescriptors.ACCESS_L) == 0;
    if (bad) {
      throw c.gp(target & ~3);
    }
    if (!CpuDescriptors.isPresent(access)) {
      throw c.fault(GuestFault.NP, target & ~3);
    }
    return d;
  }

  private static void call(Cpu c, Op o, int selector, long offset) {
    int size = o.size();
    if (!c.isProtected()) {
      probeStack(c, size, 2);
      c.push(size, c.segSelector[Cpu.CS]);
      c.push(size, o.next());
      c.setRealSegment(Cpu.CS, selector);
      c.rip = offset;
      c.updateMode();
      return;
    }
    long d = codeSegment(c, selector);
    if (!CpuDescriptors.isCode(CpuDescriptors.descriptorAccess(d))) {
      callGate(c, o, selector, gate(c, selector, d));
      return;
    }
    long rip = target(c, d, offset);
    probeStack(c, size, 2);
    c.push(size, c.segSelector[Cpu.CS]);
    c.push(size, o.next());
    c.setCs(selector, d, c.cpl);
    c.rip = rip;
  }

  private static void probeStack(Cpu c, int size, int items) {
    for (int i = 1; i <= items; i++) {
      long sp = c.gpr[Cpu.RSP] - (long) i * size & c.stackMask();
      c.probe(c.linearIn(Cpu.SS, sp, size, Ept.WRITE), size, Ept.WRITE);
    }
  }

  private static void callGate(Cpu c, Op o, int selector, long gate) {
    int target = (int) (gate >>> 16) & 0xffff;
    long code = gateTarget(c, target, true);
    int access = CpuDescriptors.descriptorAccess(code);
    long offset = gateOffset(c, selector, gate);
    int type = CpuDescriptors.type(CpuDescriptors.descriptorAccess(gate));
    int size = c.longMode() ? 8 : type == CpuDescriptors.TYPE_CALL ? 4 : 2;
    int newCpl = CpuDescriptors.isConforming(access) ? c.cpl : CpuDescriptors.dpl(access);
    if (newCpl == c.cpl) {
      target(c, code, offset);
      probeStack(c, size, 2);
      c.push(size, c.segSelector[Cpu.CS]);
      c.push(size, o.next());
      c.setCs(target, code, newCpl);
      c.rip = offset;
      return;
    }
    if (c.longMode()) {
      c.longStack(newCpl);
    } else {
      c.stackFromTss(newCpl, 0);
    }
    target(c, code, offset);
    c.itemSize(size);
    c.pushItem(c.segSelector[Cpu.SS]);
    c.pushItem(c.gpr[Cpu.RSP]);
    if (!c.longMode()) {
      int count = (int) (gate >>> 32) & 31;
      for (int i = count - 1; i >= 0; i--) {
        c.pushItem(c.peek(size, (long) i * size));
      }
    }
    c.pushItem(c.segSelector[Cpu.CS]);
    c.pushItem(o.next());
    c.adoptStack();
    c.setCs(target, code, newCpl);
    c.setStackPointer(c.newStackPointer());
    c.rip = offset;
  }

  /** RETF, with an immediate or without. */
  public static void ret(Cpu c, Op o) {
    int size = o.size();
    long offset = c.peek(size, 0);
    int selector = (int) c.peek(size, size) & 0xffff;
    if (!c.isProtected()) {
      c.drop(2L * size + o.imm());
      c.setRealSegment(Cpu.CS, selector);
      c.rip = offset;
      c.updateMode();
      return;
    }
    long d = returnSegment(c, selector);
    int rpl = selector & 3;
    if (rpl == c.cpl) {
      long rip = target(c, d, offset);
      long sp = c.gpr[Cpu.RSP] + 2L * size + o.imm();
      c.setStackPointer(sp);
      c.setCs(selector, d, rpl);
      c.rip = rip;
      return;
    }
    long newSp = c.peek(size, 2L * size + o.imm());
    int newSs = (int) c.peek(size, 3L * size + o.imm()) & 0xffff;
    long ss = returnStack(c, newSs, rpl, d);
    long rip = target(c, d, offset);
    outward(c, selector, d, newSs, ss);
    c.rip = rip;
    setReturnedStack(c, newSp + o.imm(), size);
  }

  private static void setReturnedStack(Cpu c, long sp, int size) {
    if (size == 8 || c.code64()) {
      c.gpr[Cpu.RSP] = sp;
    } else {
      c.setStackPointer(sp);
    }
  }

  private static long returnSegment(Cpu c, int selector) {
    if ((selector & ~3) == 0) {
      throw c.gp(0);
    }
    long d = c.descriptor(selector, GuestFault.GP);
    int access = CpuDescriptors.descriptorAccess(d);
    int rpl = selector & 3;
    int dpl = CpuDescriptors.dpl(access);
    if (!CpuDescriptors.isCode(access)
        || rpl < c.cpl
        || (CpuDescriptors.isConforming(access) ? dpl > rpl : dpl != rpl)) {
      throw c.gp(selector & ~3);
    }
    checkWidth(c, selector, access);
    if (!CpuDescriptors.isPresent(access)) {
      throw c.fault(GuestFault.NP, selector & ~3);
    }
    return d;
  }

  /** Checks the stack segment to return to; 0 stands for a null selector, where that is allowed. */
  private static long returnStack(Cpu c, int selector, int rpl, long code) {
    if ((selector & ~3) == 0) {
      boolean to64 =
          c.longMode() && (CpuDescriptors.descriptorAccess(code) & CpuDescriptors.ACCESS_L) != 0;
      if (!to64 || rpl == 3 || (selector & 3) != rpl) {
        throw c.gp(0);
      }
      return 0;
    }
    long d = c.descriptor(selector, GuestFault.GP);
    int access = CpuDescriptors.descriptorAccess(d);
    if ((selector & 3) != rpl
        || CpuDescriptors.isSystem(access)
        || CpuDescriptors.isCode(access)
        || (access & CpuDescriptors.ACCESS_WRITABLE) == 0
        || CpuDescriptors.dpl(access) != rpl) {
      throw c.gp(selector & ~3);
    }
    if (!CpuDescriptors.isPresent(access)) {
      throw c.fault(GuestFault.SS, selector & ~3);
    }
    return d;
  }

  /** Sets CS and SS of an outer (or, for IRET in 64-bit mode, the same) privilege level. */
  private static void outward(Cpu c, int selector, long d, int newSs, long ss) {
    int rpl = selector & 3;
    int oldCpl = c.cpl;
    if (ss == 0) {
      c.setSegment(Cpu.SS, newSs, 0, 0, CpuDescriptors.ACCESS_UNUSABLE | rpl << 5);
    } else {
      c.markAccessed(newSs, ss);
      c.setSegment(Cpu.SS, newSs, ss);
    }
    c.setCs(selector, d, rpl);
    if (rpl > oldCpl) {
      dropInner(c, Cpu.ES);
      dropInner(c, Cpu.DS);
      dropInner(c, Cpu.FS);
      dropInner(c, Cpu.GS);
      c.updateMode();
    }
  }

  /** A segment that the outer level may not use becomes null. */
  private static void dropInner(Cpu c, int seg) {
    int access = c.segAccess[seg];
    boolean open = CpuDescriptors.isCode(access) && CpuDescriptors.isConforming(access);
    if ((access & CpuDescriptors.ACCESS_UNUSABLE) == 0
        && !open
        && CpuDescriptors.dpl(access) < c.cpl) {
      c.setSegment(seg, 0, 0, 0, CpuDescriptors.ACCESS_UNUSABLE);
    }
  }

  /** IRET, IRETD, IRETQ. */
  public static void iret(Cpu c, Op o) {
    int size = o.size();
    if (c.isV86() && c.iopl() < 3) {
      throw c.gp(0);
    }
    if (c.isProtected() && (c.eflags & Cpu.NT) != 0) {
      if (!c.longMode()) {
        c.unimplemented("hardware task switch");
      }
      throw c.gp(0);
    }
    long offset = c.peek(size, 0);
    int selector = (int) c.peek(size, size) & 0xffff;
    int flags = (int) c.peek(size, 2L * size);
    if (!c.isProtected()) {
      c.drop(3L * size);
      c.setRealSegment(Cpu.CS, selector);
      c.rip = offset;
      c.updateMode();
      restoreFlags(c, flags, size);
      return;
    }
    if ((flags & Cpu.VM) != 0 && c.cpl == 0 && size == 4 && !c.longMode()) {
      iretToV86(c, offset, selector, flags);
      return;
    }
    long d = returnSegment(c, selector);
    int rpl = selector & 3;
    if (rpl == c.cpl && !c.code64()) {
      long rip = target(c, d, offset);
      c.drop(3L * size);
      restoreFlags(c, flags, size);
      c.setCs(selector, d, rpl);
      c.rip = rip;
      return;
    }
    long newSp = c.peek(size, 3L * size);
    int newSs = (int) c.peek(size, 4L * size) & 0xffff;
    long ss = returnStack(c, newSs, rpl, d);
    long rip = target(c, d, offset);
    restoreFlags(c, flags, size);
    outward(c, selector, d, newSs, ss);
    c.rip = rip;
    setReturnedStack(c, newSp, size);
  }

  private static void restoreFlags(Cpu c, int flags, int size) {
    int mask = Cpu.TF | Cpu.DF | Cpu.NT | Cpu.AC | Cpu.ID | resumeFlag(c);
    mask |= c.isProtected() && c.cpl == 0 ? Cpu.VIF | Cpu.VIP : 0;
    c.nmiBlocked = false;
    Stack.setFlags(c, flags, mask, size);
  }

  /** RF is of use, and taken, only where it may hold back a breakpoint. */
  private static int resumeFlag(Cpu c) {
    return c.hasInstructionBreakpoints() ? Cpu.RF : 0;
  }

  private static void iretToV86(Cpu c, long offset, int selector, int flags) {
    long sp = c.peek(4, 12);
    int[] selectors = new int[6];
    for (int i = 0; i < 5; i++) {
      selectors[V86_ORDER[i]] = (int) c.peek(4, 16 + 4L * i) & 0xffff;
    }
    selectors[Cpu.CS] = selector;
    c.setArithmeticFlags(flags);
    c.eflags = flags & ~Cpu.ARITHMETIC & (0x3e7fd5 | resumeFlag(c)) | 2;
    c.cpl = 3;
    c.nmiBlocked = false;
    for (int seg = 0; seg < 6; seg++) {
      c.setSegment(seg, selectors[seg], (long) selectors[seg] << 4, 0xffff, 0xf3);
    }
    c.updateMode();
    c.gpr[Cpu.RSP] = sp & 0xffffffffL;
    c.rip = offset & 0xffff;
    c.flagsChanged();
  }

  private static final int[] V86_ORDER = {Cpu.SS, Cpu.ES, Cpu.DS, Cpu.FS, Cpu.GS};
}
