package io.trapscope.vmm.soft.exec;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.GuestFault;
import io.trapscope.vmm.soft.cpu.Op;

/** Instructions that do nothing but fault, as decoding found. */
public final class Faults {
  private Faults() {}

  /** #UD where the SDM defines it: UD2, a bad prefix, the wrong mode. */
  public static void undefined(Cpu c, Op o) {
    throw c.ud();
  }

  /** #UD for an opcode that is not in the table. */
  public static void undefinedAndCounted(Cpu c, Op o) {
    c.unimplemented(o.opcode().mnemonic());
    throw c.ud();
  }

  public static void generalProtection(Cpu c, Op o) {
    throw c.gp(0);
  }

  public static void noDevice(Cpu c, Op o) {
    throw c.fault(GuestFault.NM, 0);
  }
}
