package io.trapscope.vmm.soft.jit;

import io.trapscope.vmm.soft.cpu.CpuRegisters;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * What is known of the arithmetic flags where code is being written. An instruction leaves its
 * operands in local variables; they go into the processor's fields only where somebody may look:
 * before whatever can fault or leave, and at the end of a block. So flags that the next instruction
 * overwrites cost nothing, and a branch compares the operands themselves.
 */
final class FlagState {
  /** Which operation the local variables describe. All values are sign-extended. */
  enum Known {
    /** None: the processor's fields have the flags. */
    NOTHING,
    ADD,
    SUB,
    /** As ADD with a carry that came in; the kind is in a local variable. */
    ADC,
    SBB,
    /** Only the result counts. */
    LOGIC,
    /** B is the carry that stays. */
    INC,
    DEC,
    /** A shifted by {@link #count}. */
    SHL,
    SHR,
    SAR,
    /** A times B, signed. */
    IMUL,
    /** B is the high half. */
    MUL
  }

  private static final int OVERFLOW_SHIFT = 11;
  private static final int CARRY_AND_OVERFLOW = CpuRegisters.CF | CpuRegisters.OF;

  private final Emitter e;
  private final MethodVisitor m;

  private Known known = Known.NOTHING;
  private int size;
  private int count;

  /** Whether the processor's fields have them too. */
  private boolean flushed;

  FlagState(Emitter emitter) {
    e = emitter;
    m = emitter.m;
  }

  /** The processor's fields have the flags. */
  void forget() {
    known = Known.NOTHING;
  }

  /** The local variables describe the flags of an operation of this operand size. */
  void set(Known operation, int operandSize) {
    set(operation, operandSize, 0);
  }

  void set(Known operation, int operandSize, int shiftCount) {
    known = operation;
    size = operandSize;
    count = shiftCount;
    flushed = false;
  }

  /** Puts the flags into the processor's fields. */
  void flush() {
    if (known == Known.NOTHING || flushed) {
      return;
    }
    flushed = true;
    switch (known) {
      case ADD -> flush(CpuRegisters.ADD);
      case SUB -> flush(CpuRegisters.SUB);
      case INC -> flush(CpuRegisters.INC);
      case DEC -> flush(CpuRegisters.DEC);
      case ADC, SBB -> {
        e.cpu();
        m.visitVarInsn(Opcodes.ILOAD, Emitter.INT_LOCAL);
        m.visitFieldInsn(Opcodes.PUTFIELD, Emitter.CPU, "flagKind", "I");
        operands();
      }
      case LOGIC -> {
        e.putInt("flagKind", CpuRegisters.LOGIC);
        e.putLong("flagResult", Emitter.FLAG_RESULT);
      }
      case SHL, SHR, SAR, IMUL, MUL -> {
        e.putInt("flagKind", CpuRegisters.BITS);
        e.putLong("flagResult", Emitter.FLAG_RESULT);
        e.cpu();
        bits();
        m.visitInsn(Opcodes.I2L);
        m.visitFieldInsn(Opcodes.PUTFIELD, Emitter.CPU, "flagB", "J");
      }
      case NOTHING -> throw new AssertionError();
    }
  }

  private void flush(int kind) {
    e.putInt("flagKind", kind);
    operands();
  }

  private void operands() {
    e.putLong("flagResult", Emitter.FLAG_RESULT);
    e.putLong("flagA", Emitter.FLAG_A);
    e.putLong("flagB", Emitter.FLAG_B);
  }

  /** Pushes CF and OF as an int of RFLAGS bits. */
  private void bits() {
    carry();
    switch (known) {
      case SHL -> {
        m.visitInsn(Opcodes.DUP);
        bit(Emitter.FLAG_RESULT, 63);
        m.visitInsn(Opcodes.IXOR);
        overflow();
      }
      case SHR -> {
        if (count == 1) {
          bit(Emitter.FLAG_A, 8 * size - 1);
          overflow();
        }
      }
      case IMUL, MUL -> {
        m.visitInsn(Opcodes.INEG);
        e.constant(CARRY_AND_OVERFLOW);
        m.visitInsn(Opcodes.IAND);
      }
      case NOTHING, ADD, SUB, ADC, SBB, LOGIC, INC, DEC, SAR -> {
        // OF is clear, or not asked for.
      }
    }
  }

  /** Adds the int on the stack as OF to the one below. */
  private void overflow() {
    e.constant(OVERFLOW_SHIFT);
    m.visitInsn(Opcodes.ISHL);
    m.visitInsn(Opcodes.IOR);
  }

  /** Pushes bit {@code n} of a local variable as an int. */
  private void bit(int local, int n) {
    e.load(local);
    e.constant(n);
    m.visitInsn(Opcodes.LUSHR);
    m.visitInsn(Opcodes.L2I);
    e.constant(1);
    m.visitInsn(Opcodes.IAND);
  }

  /** Pushes CF as an int, 0 or 1. */
  void carry() {
    switch (known) {
      case NOTHING -> {
        e.cpu();
        e.call("carry", "()Z");
      }
      case ADD, ADC -> operandCarry("carryOfSum");
      case SUB, SBB -> operandCarry("carryOfDifference");
      case LOGIC -> e.constant(0);
      case INC, DEC -> {
        e.load(Emitter.FLAG_B);
        m.visitInsn(Opcodes.L2I);
      }
      case SHL -> bit(Emitter.FLAG_A, 8 * size - count);
      case SHR, SAR -> bit(Emitter.FLAG_A, count - 1);
      case IMUL -> {
        e.load(Emitter.FLAG_A);
        e.load(Emitter.FLAG_B);
        e.load(Emitter.FLAG_RESULT);
        e.support(size == 8 ? "overflows64" : "overflows", "(JJJ)I");
      }
      case MUL -> {
        e.load(Emitter.FLAG_B);
        e.support("isNotZero", "(J)I");
      }
    }
  }

  private void operandCarry(String method) {
    e.load(Emitter.FLAG_RESULT);
    e.load(Emitter.FLAG_A);
    e.load(Emitter.FLAG_B);
    e.support(method, "(JJJ)I");
  }

  /**
   * Jumps where a condition holds.
   *
   * @param code as the low four bits of Jcc encode it
   */
  void jumpIf(int code, Label target) {
    boolean negated = (code & 1) != 0;
    switch (code >> 1) {
      case 1 -> jumpIfCarry(negated, target);
      case 2 -> jumpIfResult(code, negated ? Opcodes.IFNE : Opcodes.IFEQ, target);
      case 3 -> compare(code, true, negated ? Opcodes.IFGT : Opcodes.IFLE, target);
      case 4 -> jumpIfResult(code, negated ? Opcodes.IFGE : Opcodes.IFLT, target);
      case 6 -> compare(code, false, negated ? Opcodes.IFGE : Opcodes.IFLT, target);
      case 7 -> compare(code, false, negated ? Opcodes.IFGT : Opcodes.IFLE, target);
      default -> ask(code, target);
    }
  }

  private void jumpIfCarry(boolean negated, Label target) {
    if (known == Known.SUB) {
      compareUnsigned(
          Emitter.FLAG_A, Emitter.FLAG_B, negated ? Opcodes.IFGE : Opcodes.IFLT, target);
    } else if (known == Known.ADD) {
      int other = Emitter.FLAG_A;
      compareUnsigned(Emitter.FLAG_RESULT, other, negated ? Opcodes.IFGE : Opcodes.IFLT, target);
    } else {
      carry();
      m.visitJumpInsn(negated ? Opcodes.IFEQ : Opcodes.IFNE, target);
    }
  }

  /** ZF and SF follow from the result alone. */
  private void jumpIfResult(int code, int jump, Label target) {
    if (known == Known.NOTHING) {
      ask(code, target);
      return;
    }
    e.load(Emitter.FLAG_RESULT);
    e.constant(0L);
    m.visitInsn(Opcodes.LCMP);
    m.visitJumpInsn(jump, target);
  }

  /** What a comparison tells by its operands, and a logic operation by its result. */
  private void compare(int code, boolean unsigned, int jump, Label target) {
    switch (known) {
      case SUB -> {
        if (unsigned) {
          compareUnsigned(Emitter.FLAG_A, Emitter.FLAG_B, jump, target);
        } else {
          e.load(Emitter.FLAG_A);
          e.load(Emitter.FLAG_B);
          m.visitInsn(Opcodes.LCMP);
          m.visitJumpInsn(jump, target);
        }
      }
      case LOGIC -> {
        int onResult = !unsigned ? jump : jump == Opcodes.IFLE ? Opcodes.IFEQ : Opcodes.IFNE;
        jumpIfResult(code, onResult, target);
      }
      case NOTHING, ADD, ADC, SBB, INC, DEC, SHL, SHR, SAR, IMUL, MUL -> ask(code, target);
    }
  }

  private void compareUnsigned(int a, int b, int jump, Label target) {
    flipped(a);
    flipped(b);
    m.visitInsn(Opcodes.LCMP);
    m.visitJumpInsn(jump, target);
  }

  private void flipped(int local) {
    e.load(local);
    e.constant(Long.MIN_VALUE);
    m.visitInsn(Opcodes.LADD);
  }

  /** Has the processor look at its fields. */
  private void ask(int code, Label target) {
    flush();
    e.cpu();
    e.constant(code);
    e.call("condition", "(I)Z");
    m.visitJumpInsn(Opcodes.IFNE, target);
  }
}
