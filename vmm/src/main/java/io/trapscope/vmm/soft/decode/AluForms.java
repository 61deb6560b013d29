package io.trapscope.vmm.soft.decode;

import io.trapscope.vmm.soft.exec.Alu;

/** Picks the handlers of the eight basic arithmetic operations and TEST. */
final class AluForms {
  private static final int CMP = 7;

  private AluForms() {}

  static HandlerSelector rmReg(int kind) {
    return kind == CMP ? d -> Alu::cmpRmReg : d -> Alu::rmReg;
  }

  static HandlerSelector regRm(int kind) {
    return kind == CMP ? d -> Alu::cmpRegRm : d -> Alu::regRm;
  }

  static HandlerSelector rmImm(int kind) {
    return kind == CMP ? d -> Alu::cmpRmImm : d -> Alu::rmImm;
  }

  static io.trapscope.vmm.soft.cpu.Handler test(Decoded d) {
    return Alu::testRmReg;
  }
}
