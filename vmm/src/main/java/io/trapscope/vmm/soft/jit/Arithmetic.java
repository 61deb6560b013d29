package io.trapscope.vmm.soft.jit;

import io.trapscope.vmm.soft.cpu.CpuRegisters;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.decode.Opcode.Kind;
import io.trapscope.vmm.soft.jit.FlagState.Known;
import io.trapscope.vmm.soft.mmu.Ept;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Translates arithmetic, logic, shifts and multiplication; see {@code exec.Alu}, {@code exec.Shift}
 * and {@code exec.Multiply}. Operands are sign-extended longs of whatever size, in the local
 * variables that {@link FlagState} reads.
 */
final class Arithmetic {
  /** Operations as {@code sub} of the op has them. */
  static final int ADD = 0;

  static final int OR = 1;
  static final int ADC = 2;
  static final int SBB = 3;
  static final int AND = 4;
  static final int SUB = 5;
  static final int XOR = 6;
  static final int CMP = 7;

  private static final int ROL = 0;
  private static final int ROR = 1;
  private static final int SHR = 5;
  private static final int SAR = 7;

  private final Emitter e;
  private final MethodVisitor m;
  private final FlagState flags;
  private final Translator block;

  Arithmetic(Emitter emitter, FlagState flags, Translator block) {
    e = emitter;
    m = emitter.m;
    this.flags = flags;
    this.block = block;
  }

  /** Whether it was arithmetic that is known here; where not, nothing is written. */
  boolean translate(Op op) {
    switch (op.opcode().kind()) {
      case ALU_MR, ALU_MI -> intoOperand(op);
      case ALU_RM -> intoRegister(op);
      case TEST_MR, TEST_MI -> test(op);
      case INC -> step(op, Known.INC);
      case DEC -> step(op, Known.DEC);
      case NEG -> negate(op);
      case NOT -> {
        return not(op);
      }
      case SHIFT_I -> {
        return shift(op, (int) op.imm());
      }
      case SHIFT_ONE -> {
        return shift(op, 1);
      }
      case SHIFT_CL -> {
        return shiftByCl(op);
      }
      case IMUL_RM, IMUL_RMI -> multiplySigned(op);
      case MUL -> {
        return multiply(op);
      }
      case OTHER,
          MOV_MR,
          MOV_RM,
          MOV_MI,
          LEA,
          MOVZX_8,
          MOVZX_16,
          MOVSX_8,
          MOVSX_16,
          MOVSXD,
          EXTEND_A,
          EXTEND_A_TO_D,
          CMOV,
          SET,
          BSWAP,
          XCHG,
          XCHG_A,
          NOP,
          PUSH,
          PUSH_I,
          POP,
          LEAVE,
          JCC,
          JMP,
          JMP_M,
          CALL,
          RET -> {
        return false;
      }
    }
    return true;
  }

  /** Pushes ModRM.rm, sign-extended. */
  private void operand(Op op) {
    if (op.isMemory()) {
      e.loadMemory(op, op.size());
      e.signed(op.size());
    } else {
      e.signedReg(op.size(), op.rm());
    }
  }

  /** The same of an operand that the result goes to; its address stays in a local variable. */
  private void changingOperand(Op op) {
    if (op.isMemory()) {
      e.tellIndex();
      e.address(op, op.size(), Ept.WRITE);
      e.store(Emitter.ADDRESS);
      e.readForWrite(op.size(), Emitter.ADDRESS);
      e.signed(op.size());
    } else {
      e.signedReg(op.size(), op.rm());
    }
  }

  /** Puts a local variable into the operand that {@link #changingOperand} has read. */
  private void storeOperand(Op op, int value) {
    if (op.isMemory()) {
      e.cpu();
      e.load(Emitter.ADDRESS);
      e.load(value);
      e.write(op.size());
    } else {
      e.load(value);
      e.setReg(op.size(), op.rm());
    }
  }

  private void flushForMemory(Op op) {
    if (op.isMemory()) {
      flags.flush();
    }
  }

  private void second(Op op) {
    if (op.opcode().kind() == Kind.ALU_MI) {
      e.constant(CpuRegisters.signed(op.size(), op.imm()));
    } else {
      e.signedReg(op.size(), op.reg());
    }
  }

  private void intoOperand(Op op) {
    flushForMemory(op);
    carryIn(op);
    if (op.sub() == CMP) {
      operand(op);
    } else {
      changingOperand(op);
    }
    e.store(Emitter.FLAG_A);
    second(op);
    e.store(Emitter.FLAG_B);
    combine(op);
    if (op.sub() != CMP) {
      storeOperand(op, Emitter.FLAG_RESULT);
    }
    flags.set(known(op.sub()), op.size());
  }

  private void intoRegister(Op op) {
    flushForMemory(op);
    carryIn(op);
    operand(op);
    e.store(Emitter.FLAG_B);
    e.signedReg(op.size(), op.reg());
    e.store(Emitter.FLAG_A);
    combine(op);
    if (op.sub() != CMP) {
      e.load(Emitter.FLAG_RESULT);
      e.setReg(op.size(), op.reg());
    }
    flags.set(known(op.sub()), op.size());
  }

  /** Keeps the carry for ADC and SBB before the operands replace those it follows from. */
  private void carryIn(Op op) {
    if (op.sub() == ADC || op.sub() == SBB) {
      flags.carry();
      m.visitVarInsn(Opcodes.ISTORE, Emitter.INT_LOCAL);
    }
  }

  /** FLAG_RESULT from FLAG_A and FLAG_B. */
  private void combine(Op op) {
    e.load(Emitter.FLAG_A);
    e.load(Emitter.FLAG_B);
    switch (op.sub()) {
      case ADD -> m.visitInsn(Opcodes.LADD);
      case ADC -> withCarry(Opcodes.LADD, CpuRegisters.ADD);
      case SBB -> withCarry(Opcodes.LSUB, CpuRegisters.SUB);
      case OR -> m.visitInsn(Opcodes.LOR);
      case AND -> m.visitInsn(Opcodes.LAND);
      case XOR -> m.visitInsn(Opcodes.LXOR);
      default -> m.visitInsn(Opcodes.LSUB);
    }
    e.signed(op.size());
    e.store(Emitter.FLAG_RESULT);
  }

  /** The kind of flags with a carry coming in is the next after the one without. */
  private void withCarry(int operation, int kindWithout) {
    m.visitInsn(operation);
    m.visitVarInsn(Opcodes.ILOAD, Emitter.INT_LOCAL);
    m.visitInsn(Opcodes.I2L);
    m.visitInsn(operation);
    m.visitIincInsn(Emitter.INT_LOCAL, kindWithout);
  }

  private static Known known(int operation) {
    return switch (operation) {
      case ADD -> Known.ADD;
      case ADC -> Known.ADC;
      case SBB -> Known.SBB;
      case SUB, CMP -> Known.SUB;
      default -> Known.LOGIC;
    };
  }

  private void test(Op op) {
    flushForMemory(op);
    operand(op);
    if (op.opcode().kind() == Kind.TEST_MI) {
      e.constant(CpuRegisters.signed(op.size(), op.imm()));
    } else {
      e.signedReg(op.size(), op.reg());
    }
    m.visitInsn(Opcodes.LAND);
    e.store(Emitter.FLAG_RESULT);
    flags.set(Known.LOGIC, op.size());
  }

  private void step(Op op, Known kind) {
    flushForMemory(op);
    flags.carry();
    m.visitInsn(Opcodes.I2L);
    e.store(Emitter.VALUE);
    changingOperand(op);
    e.store(Emitter.FLAG_A);
    e.load(Emitter.VALUE);
    e.store(Emitter.FLAG_B);
    e.load(Emitter.FLAG_A);
    e.constant(1L);
    m.visitInsn(kind == Known.INC ? Opcodes.LADD : Opcodes.LSUB);
    e.signed(op.size());
    e.store(Emitter.FLAG_RESULT);
    storeOperand(op, Emitter.FLAG_RESULT);
    flags.set(kind, op.size());
  }

  private void negate(Op op) {
    flushForMemory(op);
    changingOperand(op);
    e.store(Emitter.FLAG_B);
    e.constant(0L);
    e.store(Emitter.FLAG_A);
    e.load(Emitter.FLAG_B);
    m.visitInsn(Opcodes.LNEG);
    e.signed(op.size());
    e.store(Emitter.FLAG_RESULT);
    storeOperand(op, Emitter.FLAG_RESULT);
    flags.set(Known.SUB, op.size());
  }

  private boolean not(Op op) {
    if (op.isMemory()) {
      return false;
    }
    e.gpr(op.rm() & 15);
    e.constant(-1L);
    m.visitInsn(Opcodes.LXOR);
    if (op.rm() > 15) {
      e.constant(8);
      m.visitInsn(Opcodes.LUSHR);
    }
    e.setReg(op.size(), op.rm());
    return true;
  }

  /** Shifts and rotates of 32 and 64 bits in a register by a count that is known and not 0. */
  private boolean shift(Op op, int count) {
    int size = op.size();
    if (op.isMemory() || size < 4 || count == 0) {
      return false;
    }
    switch (op.sub()) {
      case ROL, ROR -> {
        return rotate(op, count);
      }
      case 2, 3 -> {
        return false;
      }
      default -> {
        // A shift.
      }
    }
    e.signedReg(size, op.rm());
    e.store(Emitter.FLAG_A);
    e.load(Emitter.FLAG_A);
    if (op.sub() == SHR) {
      e.unsigned(size);
    }
    e.constant(count);
    m.visitInsn(shiftInstruction(op.sub()));
    e.signed(size);
    e.store(Emitter.FLAG_RESULT);
    e.load(Emitter.FLAG_RESULT);
    e.setReg(size, op.rm());
    flags.set(op.sub() == SHR ? Known.SHR : op.sub() == SAR ? Known.SAR : Known.SHL, size, count);
    return true;
  }

  private static int shiftInstruction(int operation) {
    return operation == SHR ? Opcodes.LUSHR : operation == SAR ? Opcodes.LSHR : Opcodes.LSHL;
  }

  /** Rotates change two flags only; they are translated where nobody sees them. */
  private boolean rotate(Op op, int count) {
    if (!block.flagsAreDead()) {
      return false;
    }
    if (op.size() == 8) {
      e.gpr(op.rm());
      e.constant(count);
      m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Long", name(op), "(JI)J", false);
    } else {
      e.gpr(op.rm());
      m.visitInsn(Opcodes.L2I);
      e.constant(count);
      m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Integer", name(op), "(II)I", false);
      m.visitInsn(Opcodes.I2L);
    }
    e.setReg(op.size(), op.rm());
    return true;
  }

  private static String name(Op op) {
    return op.sub() == ROL ? "rotateLeft" : "rotateRight";
  }

  /** A count of 0 leaves the flags, so that this is translated where nobody sees them. */
  private boolean shiftByCl(Op op) {
    int size = op.size();
    if (op.isMemory() || size < 4 || op.sub() < 4 || !block.flagsAreDead()) {
      return false;
    }
    if (op.sub() == SHR) {
      e.reg(size, op.rm());
    } else {
      e.signedReg(size, op.rm());
    }
    e.gpr(CpuRegisters.RCX);
    m.visitInsn(Opcodes.L2I);
    e.constant(size == 8 ? 63 : 31);
    m.visitInsn(Opcodes.IAND);
    m.visitInsn(shiftInstruction(op.sub()));
    e.setReg(size, op.rm());
    return true;
  }

  private void multiplySigned(Op op) {
    flushForMemory(op);
    operand(op);
    e.store(Emitter.FLAG_A);
    if (op.opcode().kind() == Kind.IMUL_RMI) {
      e.constant(op.imm());
    } else {
      e.signedReg(op.size(), op.reg());
    }
    e.store(Emitter.FLAG_B);
    e.load(Emitter.FLAG_A);
    e.load(Emitter.FLAG_B);
    m.visitInsn(Opcodes.LMUL);
    e.signed(op.size());
    e.store(Emitter.FLAG_RESULT);
    e.load(Emitter.FLAG_RESULT);
    e.setReg(op.size(), op.reg());
    flags.set(Known.IMUL, op.size());
  }

  /** MUL of 32 and 64 bits. */
  private boolean multiply(Op op) {
    int size = op.size();
    if (size < 4) {
      return false;
    }
    flushForMemory(op);
    if (op.isMemory()) {
      e.loadMemory(op, size);
    } else {
      e.reg(size, op.rm());
    }
    e.store(Emitter.FLAG_A);
    e.reg(size, CpuRegisters.RAX);
    e.store(Emitter.FLAG_B);
    e.load(Emitter.FLAG_A);
    e.load(Emitter.FLAG_B);
    m.visitInsn(Opcodes.LMUL);
    e.store(Emitter.FLAG_RESULT);
    if (size == 8) {
      e.load(Emitter.FLAG_A);
      e.load(Emitter.FLAG_B);
      m.visitMethodInsn(
          Opcodes.INVOKESTATIC,
          "io/trapscope/vmm/soft/exec/Multiply",
          "unsignedHigh",
          "(JJ)J",
          false);
    } else {
      e.load(Emitter.FLAG_RESULT);
      e.constant(32);
      m.visitInsn(Opcodes.LUSHR);
    }
    e.store(Emitter.FLAG_B);
    e.load(Emitter.FLAG_RESULT);
    e.signed(size);
    e.store(Emitter.FLAG_RESULT);
    e.load(Emitter.FLAG_RESULT);
    e.setReg(size, CpuRegisters.RAX);
    e.load(Emitter.FLAG_B);
    e.setReg(size, CpuRegisters.RDX);
    flags.set(Known.MUL, size);
    return true;
  }
}
