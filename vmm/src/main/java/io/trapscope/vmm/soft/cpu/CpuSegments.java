package io.trapscope.vmm.soft.cpu;

import io.trapscope.vmm.soft.mmu.Ept;
import io.trapscope.vmm.soft.mmu.GuestRam;

/** Effective addresses, segmentation, the stack, and the operand access that most handlers use. */
public abstract class CpuSegments extends CpuMemory {
  /** Access-rights bits (VMX format, SDM volume 3, section 25.4.1). */
  public static final int ACCESS_S = 1 << 4;

  public static final int ACCESS_P = 1 << 7;
  public static final int ACCESS_L = 1 << 13;
  public static final int ACCESS_DB = 1 << 14;
  public static final int ACCESS_G = 1 << 15;
  public static final int ACCESS_UNUSABLE = 1 << 16;
  public static final int ACCESS_CODE = 1 << 3;
  public static final int ACCESS_DOWN = 1 << 2;
  public static final int ACCESS_WRITABLE = 1 << 1;

  protected CpuSegments(GuestRam ram, Ept ept) {
    super(ram, ept);
  }

  /** Offset of the memory operand within its segment. */
  public final long offset(Op op) {
    long a = op.disp();
    if (op.base() >= 0) {
      a += gpr[op.base()];
    }
    if (op.index() >= 0) {
      a += gpr[op.index()] << op.scale();
    }
    return switch (op.asize()) {
      case 8 -> a;
      case 4 -> a & 0xffffffffL;
      default -> a & 0xffff;
    };
  }

  /** Linear address of the memory operand, checked against its segment. */
  public final long address(Op op, int size, int access) {
    return linear(op.seg(), offset(op), size, access);
  }

  /** Linear address to read {@code op.size()} bytes from. */
  public final long readAddress(Op op) {
    return op.scale() == Op.BASE_DISP ? gpr[op.base()] + op.disp() : generalReadAddress(op);
  }

  private long generalReadAddress(Op op) {
    if (op.scale() == Op.BASE_DISP_32) {
      return gpr[op.base()] + op.disp() & 0xffffffffL;
    }
    return linear(op.seg(), offset(op), op.size(), Ept.READ);
  }

  /** Linear address to write {@code op.size()} bytes to. */
  public final long writeAddress(Op op) {
    return op.scale() == Op.BASE_DISP ? gpr[op.base()] + op.disp() : generalWriteAddress(op);
  }

  private long generalWriteAddress(Op op) {
    if (op.scale() == Op.BASE_DISP_32) {
      return gpr[op.base()] + op.disp() & 0xffffffffL;
    }
    return linear(op.seg(), offset(op), op.size(), Ept.WRITE);
  }

  /**
   * Linear address of an offset in a segment.
   *
   * @param seg as {@link Op#seg()}
   */
  public final long linear(int seg, long offset, int size, int access) {
    if (seg < 0) {
      return offset;
    }
    if (seg >= Op.BASE_ONLY) {
      return offset + segBase[seg - Op.BASE_ONLY];
    }
    return checked(seg, offset, size, access);
  }

  private long checked(int seg, long offset, int size, int access) {
    int rights = segAccess[seg];
    boolean bad = (rights & (ACCESS_UNUSABLE | ACCESS_P)) != ACCESS_P;
    if ((rights & ACCESS_CODE) != 0) {
      bad |= isProtected() && (access == Ept.WRITE || (rights & ACCESS_WRITABLE) == 0);
    } else {
      bad |= access == Ept.WRITE && (rights & ACCESS_WRITABLE) == 0;
    }
    long end = offset + size - 1;
    long limit = segLimit[seg];
    if ((rights & (ACCESS_CODE | ACCESS_DOWN)) == ACCESS_DOWN) {
      long top = (rights & ACCESS_DB) != 0 ? 0xffffffffL : 0xffff;
      bad |= offset <= limit || end > top;
    } else {
      // Accesses that wrap around a 4 GiB segment pass, as on hardware.
      bad |= end > limit && limit != 0xffffffffL;
    }
    if (bad) {
      throw fault(seg == SS ? GuestFault.SS : GuestFault.GP, 0);
    }
    return segBase[seg] + offset & 0xffffffffL;
  }

  /**
   * Linear address of an offset in a segment register as the current mode has it, for accesses that
   * are not the ModRM operand: stack and string instructions.
   *
   * @param seg 0 to 5
   */
  public final long linearIn(int seg, long offset, int size, int access) {
    if (code64()) {
      return seg >= FS ? offset + segBase[seg] : offset;
    }
    return checked(seg, offset, size, access);
  }

  /** ModRM.rm, zero-extended: register or memory. */
  public final long loadRm(Op op) {
    return op.isMemory() ? read(op.size(), readAddress(op)) : reg(op.size(), op.rm());
  }

  /** Writes ModRM.rm: register or memory. */
  public final void storeRm(Op op, long value) {
    if (op.isMemory()) {
      write(op.size(), writeAddress(op), value);
    } else {
      setReg(op.size(), op.rm(), value);
    }
  }

  /** Stack pointer's width as a mask. */
  public final long stackMask() {
    return code64() ? -1L : (mode & Mode.STACK_32) != 0 ? 0xffffffffL : 0xffff;
  }

  /** Sets the part of RSP that the stack size covers. */
  public final void setStackPointer(long value) {
    long mask = stackMask();
    if (mask == 0xffff) {
      gpr[RSP] = gpr[RSP] & ~0xffffL | value & 0xffff;
    } else {
      gpr[RSP] = value & mask;
    }
  }

  /**
   * Raises #SS(0) where RSP, moved by {@code by}, is not canonical: for instructions whose other
   * operand is in memory, where {@link Op#usesStack()} cannot tell which of the two is bad.
   */
  public final void checkStack(int by) {
    long a = gpr[RSP] + by;
    if (code64() && a != a << 16 >> 16) {
      throw fault(GuestFault.SS, 0);
    }
  }

  /** Pushes {@code size} bytes. */
  public final void push(int size, long value) {
    if (code64()) {
      long a = gpr[RSP] - size;
      write(size, a, value);
      gpr[RSP] = a;
    } else {
      long a = gpr[RSP] - size & stackMask();
      write(size, checked(SS, a, size, Ept.WRITE), value);
      setStackPointer(a);
    }
  }

  /** The value on top of the stack, displaced by {@code skip} bytes; RSP stays. */
  public final long peek(int size, long skip) {
    if (code64()) {
      return read(size, gpr[RSP] + skip);
    }
    return read(size, checked(SS, gpr[RSP] + skip & stackMask(), size, Ept.READ));
  }

  /** Moves RSP up, after {@link #peek}. */
  public final void drop(long bytes) {
    setStackPointer(gpr[RSP] + bytes);
  }
}
