package io.trapscope.vmm.soft.decode;

/** The system part of the opcode table: privileged, descriptor and control instructions. */
final class SystemOpcodes {
  private SystemOpcodes() {}

  static void register(OpcodeTable t) {}
}
