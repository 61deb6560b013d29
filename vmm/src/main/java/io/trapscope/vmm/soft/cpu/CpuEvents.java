package io.trapscope.vmm.soft.cpu;

import io.trapscope.vmm.soft.mmu.Ept;
import io.trapscope.vmm.soft.mmu.GuestRam;

/**
 * Delivery of interrupts and exceptions through IVT or IDT (SDM volume 3, chapter 6). Nothing is
 * changed but memory below the new stack pointer until the last step, so that a fault or exit on
 * the way can start it again.
 */
public abstract class CpuEvents extends CpuDescriptors {
  /** Stack under construction: linear base, pointer, mask of the pointer, item size, TLB choice. */
  private long stackBase;

  private long stackPointer;
  private long stackPointerMask;
  private int itemSize;
  private boolean userStack;

  /** The segment of that stack outside 64-bit mode, and the error code of its #SS. */
  private long stackLimit;

  private boolean stackDown;
  private int stackError;

  private int newSs;
  private long newSsDescriptor;

  protected CpuEvents(GuestRam ram, Ept ept) {
    super(ram, ept);
  }

  /**
   * Delivers an event.
   *
   * @param vector its vector
   * @param software whether it comes from INT n, INT3 or INTO, so that the gate's DPL counts
   * @param hasError whether to push {@code error}
   * @param returnRip RIP to push
   * @throws GuestFault where delivery itself faults
   */
  public final void deliver(
      int vector, boolean software, boolean hasError, int error, long returnRip) {
    if ((cr0 & CR0_PE) == 0) {
      deliverReal(vector, returnRip);
    } else if (longMode()) {
      deliverLong(vector, software, hasError, error, returnRip);
    } else {
      deliverProtected(vector, software, hasError, error, returnRip);
    }
  }

  private void deliverReal(int vector, long returnRip) {
    if (vector * 4 + 3 > idtLimit) {
      throw gp(0);
    }
    long entry = readSystem(4, idtBase + vector * 4L);
    long sp = gpr[RSP];
    long a = linearIn(SS, sp - 2 & 0xffff, 2, Ept.WRITE);
    long b = linearIn(SS, sp - 4 & 0xffff, 2, Ept.WRITE);
    long d = linearIn(SS, sp - 6 & 0xffff, 2, Ept.WRITE);
    write16(a, rflags());
    write16(b, segSelector[CS]);
    write16(d, returnRip);
    setStackPointer(sp - 6);
    eflags &= ~(IF | TF | AC | RF);
    setRealSegment(CS, (int) (entry >>> 16));
    rip = entry & 0xffff;
    updateMode();
  }

  private int gateError(int vector, boolean software) {
    return vector * 8 + 2 + (software ? 0 : 1);
  }

  private void deliverProtected(
      int vector, boolean software, boolean hasError, int error, long returnRip) {
    int ext = software ? 0 : 1;
    if (vector * 8 + 7 > idtLimit) {
      throw gp(gateError(vector, software));
    }
    long gate = readSystem(8, idtBase + vector * 8L);
    int access = descriptorAccess(gate);
    int type = type(access);
    boolean wide = (type & 8) != 0;
    if (!isSystem(access) || (type & 7) != 6 && (type & 7) != 7 && type != TYPE_TASK_GATE) {
      throw gp(gateError(vector, software));
    }
    if (software && dpl(access) < cpl) {
      throw gp(gateError(vector, true));
    }
    if (!isPresent(access)) {
      throw fault(GuestFault.NP, gateError(vector, software));
    }
    if (type == TYPE_TASK_GATE) {
      unimplemented("task gate in the IDT");
      throw gp(gateError(vector, software));
    }
    int selector = (int) (gate >>> 16) & 0xffff;
    long code = codeDescriptor(selector, ext);
    int codeAccess = descriptorAccess(code);
    int newCpl = isConforming(codeAccess) ? cpl : dpl(codeAccess);
    boolean v86 = isV86();
    if (v86 && newCpl != 0) {
      throw gp(selector & ~3 | ext);
    }
    long handler = wide ? gate & 0xffff | gate >>> 32 & 0xffff0000L : gate & 0xffff;
    if (handler > descriptorLimit(code)) {
      throw gp(ext);
    }
    boolean switched = newCpl != cpl;
    itemSize = wide ? 4 : 2;
    if (switched) {
      stackFromTss(newCpl, ext);
    } else {
      stackIn(segBase[SS], segLimit[SS], segAccess[SS], ext);
      stackPointer = gpr[RSP];
    }
    userStack = newCpl == 3;
    if (v86) {
      for (int seg : V86_PUSHED) {
        pushItem(segSelector[seg]);
      }
    }
    if (switched) {
      pushItem(segSelector[SS]);
      pushItem(gpr[RSP]);
    }
    pushItem(rflags());
    pushItem(segSelector[CS]);
    pushItem(returnRip);
    if (hasError) {
      pushItem(error);
    }
    eflags &= ~(TF | NT | RF | VM | ((type & 1) == 0 ? IF : 0));
    if (switched) {
      setSegment(SS, newSs, newSsDescriptor);
    }
    if (v86) {
      for (int seg : V86_PUSHED) {
        setSegment(seg, 0, 0, 0, ACCESS_UNUSABLE);
      }
    }
    setCs(selector, code, newCpl);
    setStackPointer(stackPointer);
    rip = handler;
  }

  private static final int[] V86_PUSHED = {GS, FS, DS, ES};

  private long codeDescriptor(int selector, int ext) {
    if ((selector & ~3) == 0) {
      throw gp(ext);
    }
    long at = descriptorAddress(selector, 8);
    if (at == -1) {
      throw gp(selector & ~3 | ext);
    }
    long code = readSystem(8, at);
    int access = descriptorAccess(code);
    boolean narrow = longMode() && (access & (ACCESS_L | ACCESS_DB)) != ACCESS_L;
    if (!isCode(access) || dpl(access) > cpl || narrow) {
      throw gp(selector & ~3 | ext);
    }
    if (!isPresent(access)) {
      throw fault(GuestFault.NP, selector & ~3 | ext);
    }
    return code;
  }

  /** Reads and checks the stack of an inner privilege level from a 16- or 32-bit TSS. */
  public final void stackFromTss(int newCpl, int ext) {
    boolean wide = (segAccess[TR] & 8) != 0;
    int at = wide ? 4 + newCpl * 8 : 2 + newCpl * 4;
    if (at + (wide ? 5 : 3) > segLimit[TR]) {
      throw fault(GuestFault.TS, segSelector[TR] & ~3 | ext);
    }
    stackPointer = readSystem(wide ? 4 : 2, segBase[TR] + at);
    int selector = (int) readSystem(2, segBase[TR] + at + (wide ? 4 : 2));
    if ((selector & ~3) == 0) {
      throw fault(GuestFault.TS, ext);
    }
    long at2 = descriptorAddress(selector, 8);
    if (at2 == -1) {
      throw fault(GuestFault.TS, selector & ~3 | ext);
    }
    long d = readSystem(8, at2);
    int access = descriptorAccess(d);
    if (isSystem(access)
        || isCode(access)
        || (access & ACCESS_WRITABLE) == 0
        || dpl(access) != newCpl
        || (selector & 3) != newCpl) {
      throw fault(GuestFault.TS, selector & ~3 | ext);
    }
    if (!isPresent(access)) {
      throw fault(GuestFault.SS, selector & ~3 | ext);
    }
    newSs = selector;
    newSsDescriptor = d;
    stackIn(descriptorBase(d), descriptorLimit(d), access, selector & ~3 | ext);
    userStack = newCpl == 3;
  }

  private void stackIn(long base, long limit, int access, int error) {
    stackBase = base;
    stackLimit = limit;
    stackDown = (access & ACCESS_DOWN) != 0;
    stackError = error;
    stackPointerMask = (access & ACCESS_DB) != 0 ? 0xffffffffL : 0xffff;
  }

  /** Size of the items that {@link #pushItem} pushes, for a call gate. */
  public final void itemSize(int bytes) {
    itemSize = bytes;
  }

  /** Pushes on the stack under construction. */
  public final void pushItem(long value) {
    long sp = stackPointer - itemSize & stackPointerMask;
    if (stackPointerMask != -1 && isOutside(sp)) {
      throw fault(GuestFault.SS, stackError);
    }
    long at = stackPointerMask == -1 ? sp : stackBase + sp & 0xffffffffL;
    if (userStack) {
      writeAs(1, itemSize, at, value);
    } else {
      writeSystem(itemSize, at, value);
    }
    stackPointer = stackPointer & ~stackPointerMask | sp;
  }

  private boolean isOutside(long sp) {
    long end = sp + itemSize - 1;
    return stackDown
        ? sp <= stackLimit || end > stackPointerMask
        : end > stackLimit && stackLimit != 0xffffffffL;
  }

  /** Makes the stack under construction the current one; the caller sets CS. */
  public final void adoptStack() {
    if ((newSs & ~3) == 0) {
      setSegment(SS, newSs, 0, 0, ACCESS_UNUSABLE | newSs << 5);
    } else {
      setSegment(SS, newSs, newSsDescriptor);
    }
  }

  /** The pointer of the stack under construction. */
  public final long newStackPointer() {
    return stackPointer;
  }

  private void deliverLong(
      int vector, boolean software, boolean hasError, int error, long returnRip) {
    int ext = software ? 0 : 1;
    if (vector * 16 + 15 > idtLimit) {
      throw gp(gateError(vector, software));
    }
    long gate = readSystem(8, idtBase + vector * 16L);
    long upper = readSystem(8, idtBase + vector * 16L + 8);
    int access = descriptorAccess(gate);
    int type = type(access);
    if (!isSystem(access) || type != TYPE_INTERRUPT && type != TYPE_TRAP) {
      throw gp(gateError(vector, software));
    }
    if (software && dpl(access) < cpl) {
      throw gp(gateError(vector, true));
    }
    if (!isPresent(access)) {
      throw fault(GuestFault.NP, gateError(vector, software));
    }
    int selector = (int) (gate >>> 16) & 0xffff;
    long code = codeDescriptor(selector, ext);
    int codeAccess = descriptorAccess(code);
    int newCpl = isConforming(codeAccess) ? cpl : dpl(codeAccess);
    int ist = (int) (gate >>> 32) & 7;
    stackPointer =
        ist != 0 ? tssStack(28 + ist * 8) : newCpl != cpl ? tssStack(4 + newCpl * 8) : gpr[RSP];
    if (!isCanonical(stackPointer)) {
      throw fault(GuestFault.SS, ext);
    }
    long handler = gate & 0xffff | gate >>> 32 & 0xffff0000L | upper << 32;
    if (!isCanonical(handler)) {
      throw gp(ext);
    }
    stackPointer &= ~15L;
    stackPointerMask = -1;
    itemSize = 8;
    userStack = newCpl == 3;
    pushItem(segSelector[SS]);
    pushItem(gpr[RSP]);
    pushItem(rflags());
    pushItem(segSelector[CS]);
    pushItem(returnRip);
    if (hasError) {
      pushItem(error);
    }
    eflags &= ~(TF | NT | RF | VM | (type == TYPE_INTERRUPT ? IF : 0));
    if (newCpl != cpl) {
      setSegment(SS, newCpl, 0, 0, ACCESS_UNUSABLE | newCpl << 5);
    }
    setCs(selector, code, newCpl);
    gpr[RSP] = stackPointer;
    rip = handler;
  }

  /** The stack of an inner privilege level in long mode, for a call gate. */
  public final void longStack(int newCpl) {
    stackPointer = tssStack(4 + newCpl * 8);
    if (!isCanonical(stackPointer)) {
      throw fault(GuestFault.SS, 0);
    }
    stackPointerMask = -1;
    userStack = false;
    newSs = newCpl;
    newSsDescriptor = 0;
  }

  /** A stack pointer from the 64-bit TSS. */
  public final long tssStack(int offset) {
    if (offset + 7 > segLimit[TR]) {
      throw fault(GuestFault.TS, segSelector[TR] & ~3);
    }
    return readSystem(8, segBase[TR] + offset);
  }

  /** Notes that the guest used something this processor does not have; see {@link Counters}. */
  public abstract void unimplemented(String what);
}
