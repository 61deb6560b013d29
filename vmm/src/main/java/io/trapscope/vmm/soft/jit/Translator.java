package io.trapscope.vmm.soft.jit;

import io.trapscope.vmm.soft.cpu.Block;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.decode.Opcode;

/**
 * Writes the instructions of a block: those with a {@link Opcode.Kind} of their own as bytecode
 * that does what their handler does, all others as calls of their handlers.
 */
final class Translator {
  private final Emitter e;
  private final FlagState flags;
  private final Moves moves;
  private final Arithmetic arithmetic;

  private Block block;
  private int base;
  private int at;

  Translator(Emitter emitter) {
    e = emitter;
    flags = new FlagState(emitter);
    moves = new Moves(emitter, flags);
    arithmetic = new Arithmetic(emitter, flags, this);
  }

  FlagState flags() {
    return flags;
  }

  Moves moves() {
    return moves;
  }

  /**
   * Begins a block: nothing is known of registers and flags.
   *
   * @param firstIndex index of its first instruction in the region
   */
  void begin(Block next, int firstIndex) {
    block = next;
    base = firstIndex;
    e.forgetRegisters();
    flags.forget();
  }

  /** Goes on to instruction {@code i} of the block. */
  void at(int i) {
    at = i;
    e.at(base + i);
  }

  /** Writes instruction {@code i} of the block. */
  void translate(int i) {
    at(i);
    Op op = block.ops[i];
    if (!moves.translate(op) && !arithmetic.translate(op)) {
      handle();
    }
  }

  /** Calls the handler of the current instruction. */
  void handle() {
    flags.flush();
    e.cpu();
    e.constant(base + at);
    e.call("handle", "(I)V");
    e.forgetRegisters();
    flags.forget();
  }

  /**
   * Whether the flags that the current instruction leaves are overwritten in this block before
   * anybody can see them.
   */
  boolean flagsAreDead() {
    for (int i = at + 1; i < block.count; i++) {
      Op op = block.ops[i];
      switch (effect(op)) {
        case SEES -> {
          return false;
        }
        case SETS -> {
          return true;
        }
        case NONE -> {
          // The next one decides.
        }
      }
    }
    return false;
  }

  private enum Effect {
    /** Reads flags, or may fault. */
    SEES,
    /** Overwrites all six. */
    SETS,
    NONE
  }

  private static Effect effect(Op op) {
    return switch (op.opcode().kind()) {
      case ALU_MR, ALU_RM, ALU_MI ->
          op.isMemory() || op.sub() == Arithmetic.ADC || op.sub() == Arithmetic.SBB
              ? Effect.SEES
              : Effect.SETS;
      case TEST_MR, TEST_MI, NEG, IMUL_RM, IMUL_RMI, MUL ->
          op.isMemory() ? Effect.SEES : Effect.SETS;
      case MOV_MR, MOV_RM, MOV_MI, MOVZX_8, MOVZX_16, MOVSX_8, MOVSX_16, MOVSXD, NOT, XCHG ->
          op.isMemory() ? Effect.SEES : Effect.NONE;
      case LEA, EXTEND_A, EXTEND_A_TO_D, BSWAP, XCHG_A, NOP -> Effect.NONE;
      case SHIFT_I -> op.isMemory() || op.sub() < 4 || op.imm() == 0 ? Effect.SEES : Effect.SETS;
      case OTHER,
          INC,
          DEC,
          SHIFT_ONE,
          SHIFT_CL,
          CMOV,
          SET,
          PUSH,
          PUSH_I,
          POP,
          LEAVE,
          JCC,
          JMP,
          JMP_M,
          CALL,
          RET ->
          Effect.SEES;
    };
  }
}
