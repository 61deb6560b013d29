package io.trapscope.vmm.hypervisor;

/**
 * Takes faults on guest RAM that happen while a vCPU is inside {@link Vcpu#run} and stays there.
 * Called by one thread of the back end; the vCPU waits, or may have been called out meanwhile.
 */
public interface FaultHandler {

  /**
   * Must have {@link Vm#resolveEptViolation} resolve the fault.
   *
   * @param vcpu whose fault it is, or -1 where the host cannot tell
   * @param exit EPT_VIOLATION with GPA, HVA, access and time; reused for the next fault
   */
  void fault(int vcpu, VmExit exit);
}
