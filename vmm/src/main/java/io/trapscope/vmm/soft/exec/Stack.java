package io.trapscope.vmm.soft.exec;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.mmu.Ept;

/** PUSH, POP and their kin, ENTER, LEAVE, the flags on the stack. */
public final class Stack {
  private Stack() {}

  public static void pushReg(Cpu c, Op o) {
    c.push(o.size(), c.reg(o.size(), o.rm()));
  }

  public static void pushReg64(Cpu c, Op o) {
    long sp = c.gpr[Cpu.RSP] - 8;
    c.write64(sp, c.gpr[o.rm()]);
    c.gpr[Cpu.RSP] = sp;
  }

  public static void pushImm(Cpu c, Op o) {
    c.push(o.size(), o.imm());
  }

  public static void pushRm(Cpu c, Op o) {
    long value = c.loadRm(o);
    c.checkStack(-o.size());
    c.push(o.size(), value);
  }

  public static void popReg(Cpu c, Op o) {
    long value = c.peek(o.size(), 0);
    c.drop(o.size());
    c.setReg(o.size(), o.rm(), value);
  }

  public static void popReg64(Cpu c, Op o) {
    long sp = c.gpr[Cpu.RSP];
    long value = c.read64(sp);
    c.gpr[Cpu.RSP] = sp + 8;
    c.gpr[o.rm()] = value;
  }

  /** POP r/m: an address based on RSP is taken after the increment. */
  public static void popRm(Cpu c, Op o) {
    c.checkStack(0);
    long value = c.peek(o.size(), 0);
    if (!o.isMemory()) {
      c.drop(o.size());
      c.setReg(o.size(), o.rm(), value);
      return;
    }
    long old = c.gpr[Cpu.RSP];
    c.drop(o.size());
    long moved = c.gpr[Cpu.RSP];
    long offset = c.offset(o);
    c.gpr[Cpu.RSP] = old;
    c.write(o.size(), c.linear(o.seg(), offset, o.size(), Ept.WRITE), value);
    c.gpr[Cpu.RSP] = moved;
  }

  /** PUSHA, PUSHAD. */
  public static void pushAll(Cpu c, Op o) {
    int size = o.size();
    long sp = c.gpr[Cpu.RSP];
    long mask = c.stackMask();
    for (int i = 0; i < 8; i++) {
      // As on hardware, what was pushed before a fault stays in memory; RSP has not moved.
      long at = c.linearIn(Cpu.SS, sp - size * (i + 1) & mask, size, Ept.WRITE);
      c.write(size, at, c.gpr[i]);
    }
    c.setStackPointer(sp - 8L * size);
  }

  /** POPA, POPAD. */
  public static void popAll(Cpu c, Op o) {
    int size = o.size();
    for (int i = 0; i < 8; i++) {
      // As on hardware, registers popped before a fault keep what they got; RSP stays, so the
      // instruction can start again.
      long value = c.peek(size, (long) i * size);
      if (7 - i != Cpu.RSP) {
        c.setReg(size, 7 - i, value);
      }
    }
    c.drop(8L * size);
  }

  public static void pushFlags(Cpu c, Op o) {
    if (c.isV86() && c.iopl() < 3) {
      throw c.gp(0);
    }
    c.push(o.size(), c.rflags() & ~(Cpu.RF | Cpu.VM));
  }

  public static void popFlags(Cpu c, Op o) {
    if (c.isV86() && c.iopl() < 3) {
      throw c.gp(0);
    }
    int value = (int) c.peek(o.size(), 0);
    c.drop(o.size());
    int mask = Cpu.TF | Cpu.DF | Cpu.NT | Cpu.AC | Cpu.ID;
    setFlags(c, value, mask, o.size());
  }

  /**
   * Sets RFLAGS as POPF and IRET do: the arithmetic flags, those of {@code mask}, IF where CPL
   * allows it, IOPL at CPL 0; a 16-bit operand leaves the upper half.
   */
  static void setFlags(Cpu c, int value, int mask, int size) {
    int settable = mask;
    if (c.cpl == 0 && !c.isV86()) {
      settable |= Cpu.IOPL;
    }
    if (c.cpl <= c.iopl()) {
      settable |= Cpu.IF;
    }
    if (size == 2) {
      settable &= 0xffff;
    }
    c.setArithmeticFlags(value);
    int old = c.eflags;
    c.eflags = c.eflags & ~settable | value & settable | 2;
    if (((old ^ c.eflags) & (Cpu.AC | Cpu.VM)) != 0) {
      c.updateMode();
    }
    c.flagsChanged();
  }

  public static void enter(Cpu c, Op o) {
    int size = o.size();
    int level = (int) (o.imm() >> 16) & 31;
    long bytes = o.imm() & 0xffff;
    long mask = c.stackMask();
    long sp = c.gpr[Cpu.RSP] - size & mask;
    long frame = sp;
    c.write(size, c.linearIn(Cpu.SS, sp, size, Ept.WRITE), c.gpr[Cpu.RBP]);
    long bp = c.gpr[Cpu.RBP];
    for (int i = 1; i < level; i++) {
      bp = bp - size & mask;
      sp = sp - size & mask;
      long value = c.read(size, c.linearIn(Cpu.SS, bp, size, Ept.READ));
      c.write(size, c.linearIn(Cpu.SS, sp, size, Ept.WRITE), value);
    }
    if (level > 0) {
      sp = sp - size & mask;
      c.write(size, c.linearIn(Cpu.SS, sp, size, Ept.WRITE), frame);
    }
    sp = sp - bytes & mask;
    c.probe(c.linearIn(Cpu.SS, sp, size, Ept.WRITE), size, Ept.WRITE);
    c.setReg(size, Cpu.RBP, frame);
    c.setStackPointer(sp);
  }

  public static void leave(Cpu c, Op o) {
    int size = o.size();
    long mask = c.stackMask();
    long frame = c.gpr[Cpu.RBP] & mask;
    long value = c.read(size, c.linearIn(Cpu.SS, frame, size, Ept.READ));
    c.setStackPointer(frame + size);
    c.setReg(size, Cpu.RBP, value);
  }

  public static void pushSegment(Cpu c, Op o) {
    // 32-bit pushes of a segment register write 16 bits only on real processors, and leave the
    // rest.
    int seg = segment(o);
    if (o.size() == 4 && !c.code64()) {
      long sp = c.gpr[Cpu.RSP] - 4 & c.stackMask();
      c.write16(c.linearIn(Cpu.SS, sp, 4, Ept.WRITE), c.segSelector[seg]);
      c.setStackPointer(sp);
    } else {
      c.push(o.size(), c.segSelector[seg]);
    }
  }

  public static void popSegment(Cpu c, Op o) {
    int seg = segment(o);
    int selector = (int) c.peek(o.size() == 2 ? 2 : 4, 0) & 0xffff;
    c.loadSegment(seg, selector);
    if (seg == Cpu.SS) {
      c.stackShadow();
    }
    c.drop(o.size());
  }

  /** ES 06, CS 0E, SS 16, DS 1E; FS 0F A0, GS 0F A8. */
  private static int segment(Op o) {
    return o.opcode().mnemonic().endsWith("fs")
        ? Cpu.FS
        : o.opcode().mnemonic().endsWith("gs") ? Cpu.GS : o.sub() & 3;
  }
}
