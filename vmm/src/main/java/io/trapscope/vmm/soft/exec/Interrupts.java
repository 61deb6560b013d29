package io.trapscope.vmm.soft.exec;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.GuestFault;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.mmu.Ept;

/** INT n, INT3, INTO, INT1, BOUND. */
public final class Interrupts {
  private Interrupts() {}

  public static void intN(Cpu c, Op o) {
    if (c.isV86() && c.iopl() < 3) {
      throw c.gp(0);
    }
    c.deliver((int) o.imm(), true, false, 0, o.next());
  }

  public static void int3(Cpu c, Op o) {
    exception(c, o, GuestFault.BP);
  }

  public static void into(Cpu c, Op o) {
    if (c.overflow()) {
      exception(c, o, GuestFault.OF);
    }
  }

  /** A software exception: unlike INT n the exception bitmap counts. */
  private static void exception(Cpu c, Op o, int vector) {
    if ((c.exceptionBitmap >>> vector & 1) != 0 && !c.takeCompletion()) {
      VmExit exit = c.leave(ExitReason.EXCEPTION_OR_NMI);
      exit.index = vector;
      exit.captured |= VmExit.QUALIFICATION;
      exit.qualification = 0;
      return;
    }
    c.deliver(vector, true, false, 0, o.next());
  }

  /** INT1: a #DB of its own kind, not subject to the gate's DPL. */
  public static void int1(Cpu c, Op o) {
    c.deliver(GuestFault.DB, false, false, 0, o.next());
  }

  public static void bound(Cpu c, Op o) {
    int size = o.size();
    long at = c.address(o, 2 * size, Ept.READ);
    long low = Cpu.signed(size, c.read(size, at));
    long index = Cpu.signed(size, c.gpr[o.reg()]);
    // Hardware does not read the upper bound of an index that is below the lower.
    if (index < low || index > Cpu.signed(size, c.read(size, at + size))) {
      throw c.fault(GuestFault.BR, 0);
    }
  }
}
