package io.trapscope.vmm.hypervisor;

/**
 * What a machine is made with.
 *
 * @param memoryBytes guest RAM; a multiple of 4 KiB, placed as {@code MemoryLayout} says
 * @param cpus number of vCPUs, at least 1
 * @param cpuModel name of the documented CPUID model, for {@code soft}; {@code kvm} filters the
 *     host's
 * @param memory what is done to guest memory, for {@code kvm}
 */
public record VmConfig(long memoryBytes, int cpus, String cpuModel, MemoryOptions memory) {

  /** A machine without options. */
  public VmConfig(long memoryBytes, int cpus, String cpuModel) {
    this(memoryBytes, cpus, cpuModel, MemoryOptions.DEFAULT);
  }
}
