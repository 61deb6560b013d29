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
    return Move::lea;
  }

  static Handler push(Decoded d) {
    return d.size == 8 ? Stack::pushReg64 : Stack::pushReg;
  }

  static Handler pop(Decoded d) {
    return d.size == 8 ? Stack::popReg64 : Stack::popReg;
  }
}
