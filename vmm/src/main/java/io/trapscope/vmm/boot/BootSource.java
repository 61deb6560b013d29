package io.trapscope.vmm.boot;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryRegion;
import java.util.List;
import java.util.Map;

/** Something a machine can boot. */
public interface BootSource {

  /** What it is, in a few words: for the trace header and messages. */
  String description();

  /**
   * Writes the image and whatever its boot protocol wants to guest memory, and sets the registers
   * the first vCPU starts with.
   *
   * @param memory guest RAM, all zero
   * @param ram where RAM lies, by address
   * @param cpus number of vCPUs, for tables that list them
   * @param state registers in reset state, to be changed
   * @throws BootException where the image or the machine does not fit; its message is one line for
   *     the user
   */
  void load(GuestMemory memory, List<MemoryRegion> ram, int cpus, CpuState state);

  /**
   * What {@link #load} put where, in words, by name and in order: for the trace header and {@code
   * info}. Empty before.
   */
  default Map<String, String> details() {
    return Map.of();
  }
}
