package io.trapscope.vmm.run;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.NestedWalk.Step;
import io.trapscope.vmm.memory.GuestMemory;
import java.util.ArrayList;
import java.util.List;

/**
 * A walk of the guest's own page tables, 4-level paging only (Intel SDM volume 3, section 4.5).
 *
 * @param gva the linear address asked for
 * @param steps the entries read, from the PML4 to the leaf or to the entry that is not present
 * @param pageShift log2 of the leaf's page size; 0 where there is none
 * @param gpa the address it translates to, or -1
 */
record GuestWalk(long gva, List<Step> steps, int pageShift, long gpa) {
  private static final long PRESENT = 1;
  private static final long PAGE_SIZE_BIT = 1 << 7;
  private static final long ADDRESS = 0x000f_ffff_ffff_f000L;
  private static final long CR0_PG = 1L << 31;
  private static final long EFER_LMA = 1 << 10;

  /** Whether the state uses the paging this walks. */
  static boolean applies(CpuState state) {
    return (state.cr0 & CR0_PG) != 0 && (state.efer & EFER_LMA) != 0;
  }

  /** Walks from CR3. Tables outside RAM end the walk as a missing entry does. */
  static GuestWalk of(GuestMemory memory, CpuState state, long gva) {
    List<Step> steps = new ArrayList<>();
    long table = state.cr3 & ADDRESS;
    for (int level = 4; level >= 1; level--) {
      int shift = 12 + 9 * (level - 1);
      int index = (int) (gva >>> shift) & 0x1ff;
      long at = table + 8L * index;
      if (!memory.contains(at, 8)) {
        break;
      }
      long entry = memory.readLong(at);
      steps.add(new Step(level, index, at, entry));
      if ((entry & PRESENT) == 0) {
        break;
      }
      if (level == 1 || level <= 3 && (entry & PAGE_SIZE_BIT) != 0) {
        long inPage = (1L << shift) - 1;
        return new GuestWalk(gva, steps, shift, entry & ADDRESS & ~inPage | gva & inPage);
      }
      table = entry & ADDRESS;
    }
    return new GuestWalk(gva, steps, 0, -1);
  }
}
