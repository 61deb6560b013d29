package io.trapscope.vmm.run;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.memory.GuestMemory;

/**
 * Words of a guest's memory by linear address, through its own page tables: every paging mode of
 * Intel SDM volume 3, chapter 4. Changes nothing in them, no accessed bit either; allocates
 * nothing.
 */
final class GuestWords {
  private static final long CR0_PE = 1;
  private static final long CR0_PG = 1L << 31;
  private static final long CR4_PSE = 1 << 4;
  private static final long CR4_PAE = 1 << 5;
  private static final long CR4_LA57 = 1 << 12;
  private static final long EFER_LMA = 1 << 10;
  private static final int CS_L = 1 << 13;
  private static final int CS_D = 1 << 14;

  private static final long PRESENT = 1;
  private static final long LARGE = 1 << 7;
  private static final long ADDRESS = 0x000f_ffff_ffff_f000L;
  private static final long U32 = 0xffff_ffffL;
  private static final int PAGE_SHIFT = 12;
  private static final long PAGE_MASK = (1 << PAGE_SHIFT) - 1;
  private static final int LEGACY_LARGE_SHIFT = 22;

  private final GuestMemory memory;
  private CpuState state;

  /** The page translated last, and where it lies; -1 for none. */
  private long page;

  private long gpa;

  GuestWords(GuestMemory memory) {
    this.memory = memory;
  }

  /** Takes the registers as they are now; forgets what tables have said before. */
  void begin(CpuState now) {
    state = now;
    page = -1;
  }

  /** Whether the guest runs 64-bit code; else 32-bit code, or none whose stack can be read. */
  boolean wide() {
    return (state.efer & EFER_LMA) != 0 && (state.segments[CpuState.CS].access & CS_L) != 0;
  }

  /** Whether all of these bytes, less than a page of them, are there to be read. */
  boolean has(long linear, int bytes) {
    boolean is32 = (state.cr0 & CR0_PE) != 0 && (state.segments[CpuState.CS].access & CS_D) != 0;
    return (wide() || is32) && translate(linear) >= 0 && translate(linear + bytes - 1) >= 0;
  }

  /** The 64-bit word at an aligned address that is there. */
  long wide(long linear) {
    return memory.readLong(translate(linear));
  }

  /** The 32-bit word at an aligned address that is there. */
  long narrow(long linear) {
    return memory.readInt(translate(linear)) & U32;
  }

  /** The GPA of a linear address; -1 where it is not mapped or no RAM. */
  private long translate(long linear) {
    if (linear >>> PAGE_SHIFT != page) {
      long at = (state.cr0 & CR0_PG) == 0 ? linear & U32 & ~PAGE_MASK : walk(linear);
      page = linear >>> PAGE_SHIFT;
      gpa = at >= 0 && memory.contains(at, PAGE_MASK + 1) ? at : -1;
    }
    return gpa < 0 ? -1 : gpa + (linear & PAGE_MASK);
  }

  private long walk(long linear) {
    if ((state.efer & EFER_LMA) != 0) {
      int levels = (state.cr4 & CR4_LA57) != 0 ? 5 : 4;
      return walk(linear, state.cr3 & ADDRESS, levels);
    }
    long low = linear & U32;
    if ((state.cr4 & CR4_PAE) != 0) {
      // Four entries of the page-directory-pointer table, which is aligned to 32 bytes.
      long entry = entry((state.cr3 & U32 & ~0x1fL) + 8 * (low >>> 30));
      return (entry & PRESENT) == 0 ? -1 : walk(low, entry & ADDRESS, 2);
    }
    return walkLegacy(low);
  }

  /** The GPA of a page by tables of 512 entries; -1 where an entry is not present. */
  private long walk(long linear, long top, int levels) {
    long table = top;
    for (int level = levels; level >= 1; level--) {
      int shift = PAGE_SHIFT + 9 * (level - 1);
      long entry = entry(table + 8 * (linear >>> shift & 0x1ff));
      if ((entry & PRESENT) == 0) {
        return -1;
      }
      if (level == 1 || level <= 3 && (entry & LARGE) != 0) {
        long inPage = (1L << shift) - 1;
        return entry & ADDRESS & ~inPage | linear & inPage & ~PAGE_MASK;
      }
      table = entry & ADDRESS;
    }
    return -1;
  }

  private long walkLegacy(long linear) {
    long directory = word((state.cr3 & U32 & ~PAGE_MASK) + 4 * (linear >>> LEGACY_LARGE_SHIFT));
    if ((directory & PRESENT) == 0) {
      return -1;
    }
    if ((directory & LARGE) != 0 && (state.cr4 & CR4_PSE) != 0) {
      long inPage = (1L << LEGACY_LARGE_SHIFT) - 1;
      return directory & ~inPage & U32 | linear & inPage & ~PAGE_MASK;
    }
    long entry = word((directory & ~PAGE_MASK) + 4 * (linear >>> PAGE_SHIFT & 0x3ff));
    return (entry & PRESENT) == 0 ? -1 : entry & ~PAGE_MASK;
  }

  /** An entry of a table; one that is not present where no RAM is. */
  private long entry(long at) {
    return memory.contains(at, 8) ? memory.readLong(at) : 0;
  }

  private long word(long at) {
    return memory.contains(at, 4) ? memory.readInt(at) & U32 : 0;
  }
}
