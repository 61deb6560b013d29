package io.trapscope.vmm.hypervisor;

import java.util.List;

/**
 * How a back end gets from a guest-physical to a host address.
 *
 * @param gpa the address asked for
 * @param means what translates, in a few words: {@code EPT}, or {@code memslot 0 at 0x7f..}
 * @param steps the entries read, from the root to the leaf; empty where the back end's tables
 *     cannot be seen
 * @param pageShift log2 of the leaf's page size, or 0 where not known
 * @param hpa host-physical address, or -1 where not known
 * @param hva address in this process, or -1 where there is none
 */
public record NestedWalk(
    long gpa, String means, List<Step> steps, int pageShift, long hpa, long hva) {

  /**
   * One entry of a table.
   *
   * @param level 4 for the root of 4 levels, 1 for the last
   * @param index index of the entry in its table, 0 to 511
   * @param entryAddress where the entry lies, in the address space the tables lie in
   * @param entry its 64 bits
   */
  public record Step(int level, int index, long entryAddress, long entry) {}
}
