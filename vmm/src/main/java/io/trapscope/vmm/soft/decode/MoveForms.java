package io.trapscope.vmm.soft.decode;

import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.exec.Move;
import io.trapscope.vmm.soft.exec.Stack;

/** Picks the handlers of the most frequent moves by size and operand. */
final class MoveForms {
  private MoveForms() {}

  static Handler rmReg(Decoded d) {
    return switch (d.size) {
      case 8 -> d.isMemory() ? Move::mem64Reg : Move::rm64Reg;
      case 4 -> d.isMemory() ? Move::mem32Reg : Move::rm32Reg;
      default -> Move::rmReg;
    };
  }

  static Handler regRm(Decoded d) {
    return switch (d.size) {
      case 8 -> d.isMemory() ? Move::reg64Mem : Move::reg64Reg;
      case 4 -> d.isMemory() ? Move::reg32Mem : Move::reg32Reg;
      default -> Move::regRm;
    };
  }

  static Handler lea(Decoded d) {
    return d.size == 8 ? Move::lea64 : d.size == 4 ? Move::lea32 : Move::lea;
  }

  static Handler regImm(Decoded d) {
    return d.size == 8 ? Move::reg64Imm : d.size == 4 ? Move::reg32Imm : Move::regImm;
  }

  static Handler zeroExtend8(Decoded d) {
    return d.isMemory() && d.size >= 4 ? Move::zeroExtendMem8 : Move::zeroExtend8;
  }

  static Handler zeroExtend16(Decoded d) {
    return d.isMemory() && d.size >= 4 ? Move::zeroExtendMem16 : Move::zeroExtend16;
  }

  static Handler push(Decoded d) {
    return d.size == 8 ? Stack::pushReg64 : Stack::pushReg;
  }

  static Handler pop(Decoded d) {
    return d.size == 8 ? Stack::popReg64 : Stack::popReg;
  }
}
