package io.trapscope.vmm.hypervisor;

import java.util.concurrent.locks.Lock;

/**
 * Takes faults on guest RAM that happen while a vCPU is inside {@link Vcpu#run} and stays there.
 * Called by one thread of the back end; the vCPU waits, or may have been called out meanwhile.
 */
public interface FaultHandler {

  /**
   * Held from before faults are looked for until all that were found are told. A vCPU that has been
   * in a fault and goes on can so wait until it is told: what is recorded of it stays in the order
   * of time.
   */
  Lock telling();

  /**
   * Must have {@link Vm#resolveEptViolation} resolve the fault.
   *
   * @param vcpu whose fault it is, or -1 where the host cannot tell
   * @param exit EPT_VIOLATION with GPA, HVA, access where the host can tell, and the time just
   *     before faults were looked for; reused for the next fault
   * @param seen when they had been found; what the vCPU does later comes behind its fault
   */
  void fault(int vcpu, VmExit exit, long seen);
}
