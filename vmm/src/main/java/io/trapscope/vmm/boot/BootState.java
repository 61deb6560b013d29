package io.trapscope.vmm.boot;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;

/** The processor states that boot protocols start kernels in. */
final class BootState {
  private static final int CR0_PE = 1;
  private static final int CR0_ET = 1 << 4;
  private static final long CR0_PG = 1L << 31;
  private static final int CR4_PAE = 1 << 5;
  private static final int EFER_LME = 1 << 8;
  private static final int EFER_LMA = 1 << 10;

  /** Selectors of the Linux boot protocol: __BOOT_CS and __BOOT_DS. */
  private static final int CODE = 0x10;

  private static final int DATA = 0x18;
  private static final int TASK = 0x20;

  /** Access rights: present, accessed; code is execute/read, data read/write. */
  private static final int CODE_64 = 0xa09b;

  private static final int CODE_32 = 0xc09b;
  private static final int DATA_32 = 0xc093;
  private static final int TSS_32_BUSY = 0x8b;
  private static final int TSS_64_BUSY = 0x8b;
  private static final int LDT_UNUSABLE = 0x1_0000;

  private static final long PAGE_PRESENT_WRITABLE = 3;
  private static final long PAGE_LARGE = 0x80;

  private BootState() {}

  /**
   * Protected mode with flat 4 GiB segments, no paging, interrupts off: what PVH, Multiboot and
   * Linux's 32-bit protocol ask for.
   */
  static void protectedMode(GuestMemory memory, CpuState state, long entry) {
    flat(memory, state, entry, CODE_32);
    state.cr0 = CR0_PE | CR0_ET;
    state.cr4 = 0;
    state.efer = 0;
  }

  /** Long mode with the first 4 GiB mapped to themselves, interrupts off. */
  static void longMode(GuestMemory memory, CpuState state, long entry) {
    memory.writeLong(MemoryLayout.BOOT_PML4, MemoryLayout.BOOT_PDPT | PAGE_PRESENT_WRITABLE);
    for (int gib = 0; gib < 4; gib++) {
      long directory = MemoryLayout.BOOT_PD + gib * (long) MemoryLayout.PAGE_SIZE;
      memory.writeLong(MemoryLayout.BOOT_PDPT + 8L * gib, directory | PAGE_PRESENT_WRITABLE);
      for (int i = 0; i < 512; i++) {
        long page = (long) gib << 30 | (long) i << 21;
        memory.writeLong(directory + 8L * i, page | PAGE_LARGE | PAGE_PRESENT_WRITABLE);
      }
    }
    flat(memory, state, entry, CODE_64);
    state.tr.set(TASK, 0, 0x67, TSS_64_BUSY);
    state.cr3 = MemoryLayout.BOOT_PML4;
    state.cr4 = CR4_PAE;
    state.efer = EFER_LME | EFER_LMA;
    state.cr0 = CR0_PE | CR0_ET | CR0_PG;
  }

  private static void flat(GuestMemory memory, CpuState state, long entry, int code) {
    descriptor(memory, CODE, code);
    descriptor(memory, DATA, DATA_32);
    // A task descriptor of 0x68 bytes at 0: nobody switches tasks, but TR must hold something.
    memory.writeLong(MemoryLayout.BOOT_GDT + TASK, 0x0000_8900_0000_0067L);
    for (CpuState.Segment segment : state.segments) {
      segment.set(DATA, 0, -1, DATA_32);
    }
    state.segments[CpuState.CS].set(CODE, 0, -1, code);
    state.tr.set(TASK, 0, 0x67, TSS_32_BUSY);
    state.ldtr.set(0, 0, 0, LDT_UNUSABLE);
    state.gdtBase = MemoryLayout.BOOT_GDT;
    state.gdtLimit = 0x2f;
    state.idtBase = 0;
    state.idtLimit = 0;
    java.util.Arrays.fill(state.gpr, 0);
    state.gpr[CpuState.RSP] = MemoryLayout.BOOT_STACK;
    state.rflags = 2;
    state.rip = entry;
  }

  /** Writes a flat descriptor with these access rights to the GDT (SDM volume 3, section 3.4.5). */
  private static void descriptor(GuestMemory memory, int selector, int access) {
    long attributes = (access & 0xf000L) << 40 | (access & 0xffL) << 40;
    memory.writeLong(MemoryLayout.BOOT_GDT + selector, 0x000f_0000_0000_ffffL | attributes);
  }
}
