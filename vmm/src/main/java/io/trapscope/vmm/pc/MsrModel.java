package io.trapscope.vmm.pc;

import io.trapscope.vmm.hypervisor.VmExit;

/**
 * Model-specific registers whose accesses exit. The exit carries the question ({@code index}, for a
 * write {@code value}) and takes the answer ({@code value} of a read).
 */
public interface MsrModel {

  /** Sets {@code exit.value}; false raises #GP(0) in the guest: there is no such MSR. */
  boolean read(int vcpu, VmExit exit);

  /** Takes {@code exit.value}; false raises #GP(0) in the guest. */
  boolean write(int vcpu, VmExit exit);
}
