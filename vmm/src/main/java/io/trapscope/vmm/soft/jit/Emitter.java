package io.trapscope.vmm.soft.jit;

import io.trapscope.vmm.soft.cpu.CpuRegisters;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.mmu.Ept;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Writes bytecode for one block after another: access to registers, memory, fields and methods of
 * the processor.
 *
 * <p>Registers are written through: {@code Cpu.gpr} always has what it must have when an
 * instruction begins, so that a fault needs no repair. What was read or written in this block is
 * kept in a local variable as well, and not read from the array again.
 *
 * <p>Local variables:
 *
 * <pre>
 *   0 this   1 Cpu   2 Cpu.gpr   3 int
 *   4 + 2n   general register n, where {@link #cached} says so
 *   36 ...   longs: operands of the flags, see {@link FlagState}, and temporaries
 * </pre>
 */
final class Emitter {
  static final String CPU = "io/trapscope/vmm/soft/cpu/Cpu";
  static final String OP = "io/trapscope/vmm/soft/cpu/Op";
  static final String CODE = "io/trapscope/vmm/soft/cpu/Code";
  private static final String SUPPORT = "io/trapscope/vmm/soft/jit/Support";

  static final int CPU_LOCAL = 1;
  private static final int GPR_LOCAL = 2;

  /** An int: which kind of flags an ADC or SBB has left; at the end, instructions to count. */
  static final int INT_LOCAL = 3;

  private static final int FIRST_REGISTER_LOCAL = 4;
  static final int FLAG_RESULT = 36;
  static final int FLAG_A = 38;
  static final int FLAG_B = 40;

  /** Temporaries of one instruction. */
  static final int ADDRESS = 42;

  static final int VALUE = 44;
  private static final int LOCALS_END = 46;

  private static final long LOW_32 = 0xffffffffL;

  final MethodVisitor m;

  /** Index in the region of the instruction that is being written. */
  private int index;

  /** Registers whose value is in their local variable, a bit each. */
  private int cached;

  private boolean framed;

  Emitter(MethodVisitor m) {
    this.m = m;
  }

  /** Gives every local variable a value, so that all labels have the same frame. */
  void prologue() {
    cpu();
    m.visitFieldInsn(Opcodes.GETFIELD, CPU, "gpr", "[J");
    m.visitVarInsn(Opcodes.ASTORE, GPR_LOCAL);
    constant(0);
    m.visitVarInsn(Opcodes.ISTORE, INT_LOCAL);
    for (int local = FIRST_REGISTER_LOCAL; local < LOCALS_END; local += 2) {
      constant(0L);
      store(local);
    }
  }

  /** Comes before each instruction: its index in the region. */
  void at(int nextIndex) {
    index = nextIndex;
  }

  /** Tells the processor which instruction it is, before anything else that can fault or leave. */
  void tellIndex() {
    putInt("index", index);
  }

  /** Forgets what the local variables hold: another way leads here, or a handler has run. */
  void forgetRegisters() {
    cached = 0;
  }

  /** Places a label that is jumped to. */
  void label(Label label) {
    m.visitLabel(label);
    if (framed) {
      m.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
      return;
    }
    framed = true;
    Object[] locals = new Object[FIRST_REGISTER_LOCAL + (LOCALS_END - FIRST_REGISTER_LOCAL) / 2];
    java.util.Arrays.fill(locals, Opcodes.LONG);
    locals[0] = RegionWriter.NAME;
    locals[CPU_LOCAL] = CPU;
    locals[GPR_LOCAL] = "[J";
    locals[INT_LOCAL] = Opcodes.INTEGER;
    m.visitFrame(Opcodes.F_FULL, locals.length, locals, 0, new Object[0]);
  }

  void cpu() {
    m.visitVarInsn(Opcodes.ALOAD, CPU_LOCAL);
  }

  void constant(long value) {
    if (value == (int) value && value != 0 && value != 1) {
      constant((int) value);
      m.visitInsn(Opcodes.I2L);
    } else if (value == 0 || value == 1) {
      m.visitInsn(value == 0 ? Opcodes.LCONST_0 : Opcodes.LCONST_1);
    } else {
      m.visitLdcInsn(value);
    }
  }

  void constant(int value) {
    if (value >= -1 && value <= 5) {
      m.visitInsn(Opcodes.ICONST_0 + value);
    } else if (value == (byte) value) {
      m.visitIntInsn(Opcodes.BIPUSH, value);
    } else if (value == (short) value) {
      m.visitIntInsn(Opcodes.SIPUSH, value);
    } else {
      m.visitLdcInsn(value);
    }
  }

  void load(int local) {
    m.visitVarInsn(Opcodes.LLOAD, local);
  }

  void store(int local) {
    m.visitVarInsn(Opcodes.LSTORE, local);
  }

  void getLong(String field) {
    cpu();
    m.visitFieldInsn(Opcodes.GETFIELD, CPU, field, "J");
  }

  /** Sets a long field of the processor to the value of a local variable. */
  void putLong(String field, int local) {
    cpu();
    load(local);
    m.visitFieldInsn(Opcodes.PUTFIELD, CPU, field, "J");
  }

  void putConstant(String field, long value) {
    cpu();
    constant(value);
    m.visitFieldInsn(Opcodes.PUTFIELD, CPU, field, "J");
  }

  void putInt(String field, int value) {
    cpu();
    constant(value);
    m.visitFieldInsn(Opcodes.PUTFIELD, CPU, field, "I");
  }

  /** Calls a method of the processor; it and the arguments are on the stack. */
  void call(String method, String descriptor) {
    m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, CPU, method, descriptor, false);
  }

  /** Calls a static method of {@link Support}. */
  void support(String method, String descriptor) {
    m.visitMethodInsn(Opcodes.INVOKESTATIC, SUPPORT, method, descriptor, false);
  }

  // ---- registers -----------------------------------------------------------------------------

  /** Pushes all of general register {@code n}. */
  void gpr(int n) {
    int local = FIRST_REGISTER_LOCAL + 2 * n;
    if ((cached >> n & 1) == 0) {
      m.visitVarInsn(Opcodes.ALOAD, GPR_LOCAL);
      constant(n);
      m.visitInsn(Opcodes.LALOAD);
      store(local);
      cached |= 1 << n;
    }
    load(local);
  }

  /** Pops all of general register {@code n}. */
  void setGpr(int n) {
    int local = FIRST_REGISTER_LOCAL + 2 * n;
    store(local);
    cached |= 1 << n;
    m.visitVarInsn(Opcodes.ALOAD, GPR_LOCAL);
    constant(n);
    load(local);
    m.visitInsn(Opcodes.LASTORE);
  }

  /** Pushes a register as {@link CpuRegisters#reg} reads it: zero-extended. */
  void reg(int size, int n) {
    gpr(n & 15);
    if (n > 15) {
      constant(8);
      m.visitInsn(Opcodes.LUSHR);
    }
    unsigned(size);
  }

  /** Pushes a register, sign-extended. */
  void signedReg(int size, int n) {
    gpr(n & 15);
    if (n > 15) {
      constant(8);
      m.visitInsn(Opcodes.LUSHR);
    }
    signed(size);
  }

  /** Pops a register as {@link CpuRegisters#setReg} sets it. */
  void setReg(int size, int n) {
    if (size < 4) {
      int shift = n > 15 ? 8 : 0;
      long mask = (size == 2 ? 0xffffL : 0xffL) << shift;
      if (shift != 0) {
        constant(shift);
        m.visitInsn(Opcodes.LSHL);
      }
      and(mask);
      gpr(n & 15);
      and(~mask);
      m.visitInsn(Opcodes.LOR);
    } else {
      unsigned(size);
    }
    setGpr(n & 15);
  }

  void and(long mask) {
    constant(mask);
    m.visitInsn(Opcodes.LAND);
  }

  /** Zero-extends the long on the stack. */
  void unsigned(int size) {
    switch (size) {
      case 4 -> and(LOW_32);
      case 2 -> and(0xffff);
      case 1 -> and(0xff);
      default -> {
        // All of it.
      }
    }
  }

  /** Sign-extends the long on the stack. */
  void signed(int size) {
    if (size == 8) {
      return;
    }
    m.visitInsn(Opcodes.L2I);
    if (size == 2) {
      m.visitInsn(Opcodes.I2S);
    } else if (size == 1) {
      m.visitInsn(Opcodes.I2B);
    }
    m.visitInsn(Opcodes.I2L);
  }

  // ---- memory --------------------------------------------------------------------------------

  /** Pushes the offset of the memory operand in its segment, as {@code CpuSegments.offset}. */
  void offset(Op op) {
    boolean any = false;
    if (op.base() >= 0) {
      gpr(op.base());
      any = true;
    }
    if (op.index() >= 0) {
      gpr(op.index());
      if (op.scale() > 0) {
        constant(op.scale());
        m.visitInsn(Opcodes.LSHL);
      }
      add(any);
      any = true;
    }
    if (op.disp() != 0 || !any) {
      constant(op.disp());
      add(any);
    }
    unsigned(op.asize());
  }

  private void add(boolean any) {
    if (any) {
      m.visitInsn(Opcodes.LADD);
    }
  }

  /**
   * Pushes the linear address of the memory operand, checked against its segment where there is
   * something to check.
   */
  void address(Op op, int size, int access) {
    int seg = op.seg();
    if (seg < 0) {
      offset(op);
    } else if (seg >= Op.BASE_ONLY) {
      offset(op);
      cpu();
      m.visitFieldInsn(Opcodes.GETFIELD, CPU, "segBase", "[J");
      constant(seg - Op.BASE_ONLY);
      m.visitInsn(Opcodes.LALOAD);
      m.visitInsn(Opcodes.LADD);
    } else {
      tellIndex();
      cpu();
      constant(seg);
      offset(op);
      constant(size);
      constant(access);
      call("linear", "(IJII)J");
    }
  }

  /** Reads {@code size} bytes at the address on the stack, the processor below it. */
  void read(int size) {
    constant(index);
    call("load" + 8 * size, "(JI)J");
  }

  /** Stores the low bytes of the value on the stack; below it are the address and the processor. */
  void write(int size) {
    constant(index);
    call("store" + 8 * size, "(JJI)V");
  }

  /** Pushes what is at an address and will be written back: faults as a write does. */
  void readForWrite(int size, int address) {
    cpu();
    constant(size);
    load(address);
    call("readForWrite", "(IJ)J");
  }

  /** Pushes the memory operand, zero-extended. */
  void loadMemory(Op op, int size) {
    cpu();
    address(op, size, Ept.READ);
    read(size);
  }
}
