package io.trapscope.vmm.hypervisor;

/**
 * What a machine is made with.
 *
 * @param memoryBytes guest RAM; a multiple of 4 KiB, placed as {@code MemoryLayout} says
 * @param cpus number of vCPUs, at least 1
 * @param cpuModel name of the documented CPUID model, for {@code soft}; {@code kvm} filters the
 *     host's
 * @param host what is asked of the host's KVM
 */
public record VmConfig(long memoryBytes, int cpus, String cpuModel, HostOptions host) {

  /** A machine without options. */
  public VmConfig(long memoryBytes, int cpus, String cpuModel) {
    this(memoryBytes, cpus, cpuModel, HostOptions.DEFAULT);
  }
}
