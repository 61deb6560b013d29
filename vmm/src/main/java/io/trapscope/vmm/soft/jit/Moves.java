package io.trapscope.vmm.soft.jit;

import io.trapscope.vmm.soft.cpu.CpuRegisters;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.mmu.Ept;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** Translates data movement and the 64-bit stack; see {@code exec.Move} and {@code exec.Stack}. */
final class Moves {
  private final Emitter e;
  private final MethodVisitor m;
  private final FlagState flags;

  Moves(Emitter emitter, FlagState flags) {
    e = emitter;
    m = emitter.m;
    this.flags = flags;
  }

  /** Whether it was a move; where not, nothing is written. */
  boolean translate(Op op) {
    int size = op.size();
    switch (op.opcode().kind()) {
      case MOV_MR -> {
        e.reg(size, op.reg());
        storeOperand(op);
      }
      case MOV_MI -> {
        e.constant(op.imm());
        storeOperand(op);
      }
      case MOV_RM -> extend(op, size, false);
      case MOVZX_8 -> extend(op, 1, false);
      case MOVZX_16 -> extend(op, 2, false);
      case MOVSX_8 -> extend(op, 1, true);
      case MOVSX_16 -> extend(op, 2, true);
      case MOVSXD -> {
        return extend32(op);
      }
      case LEA -> {
        e.offset(op);
        e.setReg(size, op.reg());
      }
      case EXTEND_A -> {
        e.signedReg(size >> 1, CpuRegisters.RAX);
        e.setReg(size, CpuRegisters.RAX);
      }
      case EXTEND_A_TO_D -> {
        e.signedReg(size, CpuRegisters.RAX);
        e.constant(63);
        m.visitInsn(Opcodes.LSHR);
        e.setReg(size, CpuRegisters.RDX);
      }
      case CMOV -> conditional(op);
      case SET -> setOnCondition(op);
      case BSWAP -> {
        return byteSwap(op);
      }
      case XCHG -> {
        return exchange(op, op.reg());
      }
      case XCHG_A -> {
        return op.rm() == CpuRegisters.RAX || exchange(op, CpuRegisters.RAX);
      }
      case NOP -> {
        // Nothing to do.
      }
      case PUSH, PUSH_I, POP, LEAVE -> {
        return size == 8 && stack(op);
      }
      case OTHER,
          ALU_MR,
          ALU_RM,
          ALU_MI,
          TEST_MR,
          TEST_MI,
          INC,
          DEC,
          NEG,
          NOT,
          SHIFT_I,
          SHIFT_ONE,
          SHIFT_CL,
          IMUL_RM,
          IMUL_RMI,
          MUL,
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

  /** Pops what goes into ModRM.rm. */
  private void storeOperand(Op op) {
    if (!op.isMemory()) {
      e.setReg(op.size(), op.rm());
      return;
    }
    e.store(Emitter.VALUE);
    flags.flush();
    e.cpu();
    e.address(op, op.size(), Ept.WRITE);
    e.load(Emitter.VALUE);
    e.write(op.size());
  }

  /** From ModRM.rm, {@code from} bytes, to ModRM.reg. */
  private void extend(Op op, int from, boolean signed) {
    if (op.isMemory()) {
      flags.flush();
      e.loadMemory(op, from);
    } else {
      e.reg(from, op.rm());
    }
    if (signed) {
      e.signed(from);
    }
    e.setReg(op.size(), op.reg());
  }

  private boolean extend32(Op op) {
    if (op.size() < 4) {
      return false;
    }
    extend(op, 4, true);
    return true;
  }

  private void conditional(Op op) {
    int size = op.size();
    if (op.isMemory()) {
      flags.flush();
      e.loadMemory(op, size);
    } else {
      e.reg(size, op.rm());
    }
    e.store(Emitter.VALUE);
    e.gpr(op.reg()); // in its local variable on both ways
    m.visitInsn(Opcodes.POP2);
    Label take = new Label();
    flags.jumpIf(op.sub(), take);
    e.gpr(op.reg());
    e.store(Emitter.VALUE);
    e.label(take);
    e.load(Emitter.VALUE);
    e.setReg(size, op.reg());
  }

  private void setOnCondition(Op op) {
    Label holds = new Label();
    if (op.isMemory()) {
      flags.flush();
    }
    e.constant(1L);
    e.store(Emitter.VALUE);
    flags.jumpIf(op.sub(), holds);
    e.constant(0L);
    e.store(Emitter.VALUE);
    e.label(holds);
    e.load(Emitter.VALUE);
    storeOperand(op);
  }

  private boolean byteSwap(Op op) {
    if (op.size() < 4) {
      return false;
    }
    e.gpr(op.rm());
    m.visitMethodInsn(Opcodes.INVOKESTATIC, "java/lang/Long", "reverseBytes", "(J)J", false);
    if (op.size() == 4) {
      e.constant(32);
      m.visitInsn(Opcodes.LUSHR);
    }
    e.setReg(op.size(), op.rm());
    return true;
  }

  private boolean exchange(Op op, int other) {
    if (op.isMemory()) {
      return false;
    }
    int size = op.size();
    e.reg(size, other);
    e.store(Emitter.VALUE);
    e.reg(size, op.rm());
    e.store(Emitter.ADDRESS);
    e.load(Emitter.VALUE);
    e.setReg(size, op.rm());
    e.load(Emitter.ADDRESS);
    e.setReg(size, other);
    return true;
  }

  private boolean stack(Op op) {
    flags.flush();
    switch (op.opcode().kind()) {
      case PUSH -> {
        e.gpr(op.rm());
        push();
      }
      case PUSH_I -> {
        e.constant(op.imm());
        push();
      }
      case POP -> {
        pop(CpuRegisters.RSP);
        e.setGpr(op.rm());
      }
      default -> { // LEAVE
        pop(CpuRegisters.RBP);
        e.setGpr(CpuRegisters.RBP);
      }
    }
    return true;
  }

  /** Pushes the long on the stack to the guest's. */
  void push() {
    e.store(Emitter.VALUE);
    e.gpr(CpuRegisters.RSP);
    e.constant(-8);
    m.visitInsn(Opcodes.I2L);
    m.visitInsn(Opcodes.LADD);
    e.store(Emitter.ADDRESS);
    e.cpu();
    e.load(Emitter.ADDRESS);
    e.load(Emitter.VALUE);
    e.write(8);
    e.load(Emitter.ADDRESS);
    e.setGpr(CpuRegisters.RSP);
  }

  /** Pushes what the guest's stack holds where a register points; sets RSP behind it. */
  void pop(int from) {
    e.cpu();
    e.gpr(from);
    e.read(8);
    e.gpr(from);
    e.constant(8L);
    m.visitInsn(Opcodes.LADD);
    e.setGpr(CpuRegisters.RSP);
  }
}
