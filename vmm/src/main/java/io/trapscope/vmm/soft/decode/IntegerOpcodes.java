package io.trapscope.vmm.soft.decode;

import static io.trapscope.vmm.soft.decode.Opcode.LOCK;
import static io.trapscope.vmm.soft.decode.Opcode.MODRM;
import static io.trapscope.vmm.soft.decode.OpcodeTable.ALL;
import static io.trapscope.vmm.soft.decode.OpcodeTable.ANY;
import static io.trapscope.vmm.soft.decode.OpcodeTable.ONE;

import io.trapscope.vmm.soft.decode.Opcode.Imm;
import io.trapscope.vmm.soft.decode.Opcode.Size;
import io.trapscope.vmm.soft.exec.Alu;

/** The general-purpose part of the opcode table (SDM volume 2, appendix A). */
final class IntegerOpcodes {
  private IntegerOpcodes() {}

  static void register(OpcodeTable t) {
    t.define(ONE, ANY, 0x01, ALL, "add", Imm.NONE, Size.V, MODRM | LOCK, Alu::rmReg);
  }
}
