package io.trapscope.cli;

import io.trapscope.vmm.hypervisor.MemoryOptions;

/**
 * What is asked of a machine on KVM.
 *
 * @param memory what is done to guest memory
 */
record KvmPlan(MemoryOptions memory) {
  /** Nothing special. */
  static final KvmPlan DEFAULT = new KvmPlan(MemoryOptions.DEFAULT);
}
