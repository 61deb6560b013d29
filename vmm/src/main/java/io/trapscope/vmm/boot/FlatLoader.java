package io.trapscope.vmm.boot;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;
import io.trapscope.vmm.memory.MemoryRegion;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/**
 * Boots an image without a format: its bytes go to one address, and the first vCPU starts at
 * another in a chosen mode, with interrupts off.
 *
 * <p>What the guest finds: in real mode flat segments from 0 (above 64 KiB, CS covers the entry)
 * and a stack that grows down from the image, or from 0xfff0 where there is no room below it. In
 * protected mode flat 4 GiB segments, CS 0x10 and the others 0x18, paging off. In long mode the
 * same selectors and an identity map of the first 4 GiB in 2 MiB pages. In every mode (E)SI or RSI
 * has the address of the command line, a NUL-terminated string (in real mode all of ESI).
 */
public final class FlatLoader implements BootSource {

  /** Mode the guest starts in: {@code --mode}. */
  public enum Mode {
    REAL,
    PROTECTED,
    LONG
  }

  private static final int CODE_SELECTOR = 0x10;
  private static final int DATA_SELECTOR = 0x18;

  /** Access rights of VMX: present, S, code or data, accessed; D/B and G, or L and G. */
  private static final int REAL_CODE = 0x009b;

  private static final int REAL_DATA = 0x0093;
  private static final int FLAT_CODE = 0xc09b;
  private static final int FLAT_DATA = 0xc093;
  private static final int LONG_CODE = 0xa09b;

  /** The same as descriptors of a GDT. */
  private static final long FLAT_CODE_DESCRIPTOR = 0x00cf_9b00_0000_ffffL;

  private static final long FLAT_DATA_DESCRIPTOR = 0x00cf_9300_0000_ffffL;
  private static final long LONG_CODE_DESCRIPTOR = 0x00af_9b00_0000_ffffL;
  private static final int GDT_BYTES = 0x20;

  private static final long CR0_PE = 1;
  private static final long CR0_NE = 1 << 5;
  private static final long CR0_PG = 1L << 31;
  private static final long CR4_PAE = 1 << 5;
  private static final long EFER_LME_LMA = 0x500;

  /** Present, writable; large in a page directory. */
  private static final long TABLE = 3;

  private static final long LARGE_PAGE = 0x83;
  private static final int LARGE_PAGE_SHIFT = 21;
  private static final int IDENTITY_GIB = 4;
  private static final int ENTRIES = 512;

  private static final long REAL_MODE_END = 0x100000;
  private static final long REAL_STACK = 0xfff0;

  private final String name;
  private final byte[] image;
  private final long load;
  private final long entry;
  private final Mode mode;
  private final byte[] commandLine;

  /**
   * A flat image to boot.
   *
   * @param name what it is, for messages
   * @param image its bytes
   * @param load GPA of the first byte
   * @param entry GPA of the first instruction, inside the image
   * @param commandLine text for the guest, may be empty
   * @throws BootException where these cannot go together
   */
  public FlatLoader(
      String name, byte[] image, long load, long entry, Mode mode, String commandLine) {
    this.name = name;
    this.image = image;
    this.load = load;
    this.entry = entry;
    this.mode = mode;
    this.commandLine = commandLine.getBytes(StandardCharsets.UTF_8);
    check();
  }

  private void check() {
    if (image.length == 0) {
      throw new BootException(name + " is empty");
    }
    if (load < 0 || load > Long.MAX_VALUE - image.length) {
      throw new BootException(name + ": " + hex(load) + " is no load address");
    }
    if (entry < load || entry >= load + image.length) {
      throw new BootException(
          String.format(
              Locale.ROOT,
              "%s: entry 0x%x lies outside the image, which goes from 0x%x to 0x%x",
              name,
              entry,
              load,
              load + image.length - 1));
    }
    if (mode == Mode.REAL && load + image.length > REAL_MODE_END) {
      throw new BootException(name + ": real mode reaches 1 MiB, and the image ends above it");
    }
    if (load + image.length > MemoryLayout.HIGH_RAM) {
      throw new BootException(name + ": the image ends above 4 GiB");
    }
    if (overlaps(MemoryLayout.BOOT_AREA, MemoryLayout.BOOT_AREA_END)) {
      throw new BootException(
          String.format(
              Locale.ROOT,
              "%s: the image overlaps 0x%x to 0x%x, where tables and the command line go",
              name,
              MemoryLayout.BOOT_AREA,
              MemoryLayout.BOOT_AREA_END - 1));
    }
    if (commandLine.length >= MemoryLayout.COMMAND_LINE_BYTES) {
      throw new BootException(
          "the command line has "
              + commandLine.length
              + " bytes; "
              + (MemoryLayout.COMMAND_LINE_BYTES - 1)
              + " fit");
    }
  }

  private boolean overlaps(long from, long to) {
    return load < to && from < load + image.length;
  }

  private static String hex(long value) {
    return "0x" + Long.toHexString(value);
  }

  @Override
  public String description() {
    return String.format(
        Locale.ROOT,
        "%s, %d bytes at 0x%x, %s mode",
        name,
        image.length,
        load,
        mode.name().toLowerCase(Locale.ROOT));
  }

  @Override
  public void load(GuestMemory memory, List<MemoryRegion> ram, int cpus, CpuState state) {
    if (!memory.contains(load, image.length)) {
      throw new BootException(
          String.format(
              Locale.ROOT,
              "%s: 0x%x to 0x%x is not all RAM; give the machine more memory",
              name,
              load,
              load + image.length - 1));
    }
    memory.write(load, image, 0, image.length);
    if (commandLine.length > 0) {
      memory.write(MemoryLayout.COMMAND_LINE, commandLine, 0, commandLine.length);
    }
    state.gpr[CpuState.RSI] = MemoryLayout.COMMAND_LINE;
    state.rflags = 2;
    switch (mode) {
      case REAL -> real(state);
      case PROTECTED -> protectedMode(memory, state);
      case LONG -> longMode(memory, state);
    }
  }

  private void real(CpuState state) {
    long base = entry <= 0xffff ? 0 : entry & ~0xfL;
    int selector = (int) (base >>> 4);
    for (CpuState.Segment segment : state.segments) {
      segment.set(0, 0, 0xffff, REAL_DATA);
    }
    state.segments[CpuState.CS].set(selector, base, 0xffff, REAL_CODE);
    state.rip = entry - base;
    boolean room = load > MemoryLayout.LOW_FREE && load <= REAL_STACK;
    state.gpr[CpuState.RSP] = room ? load & ~1L : REAL_STACK;
  }

  private void protectedMode(GuestMemory memory, CpuState state) {
    descriptors(memory, state, FLAT_CODE_DESCRIPTOR, FLAT_CODE);
    state.cr0 = state.cr0 & ~CR0_PG | CR0_PE | CR0_NE;
  }

  private void longMode(GuestMemory memory, CpuState state) {
    descriptors(memory, state, LONG_CODE_DESCRIPTOR, LONG_CODE);
    identityMap(memory);
    state.cr3 = MemoryLayout.BOOT_PML4;
    state.cr4 |= CR4_PAE;
    state.efer |= EFER_LME_LMA;
    state.cr0 |= CR0_PE | CR0_NE | CR0_PG;
  }

  private void descriptors(GuestMemory memory, CpuState state, long descriptor, int access) {
    memory.writeLong(MemoryLayout.BOOT_GDT + CODE_SELECTOR, descriptor);
    memory.writeLong(MemoryLayout.BOOT_GDT + DATA_SELECTOR, FLAT_DATA_DESCRIPTOR);
    state.gdtBase = MemoryLayout.BOOT_GDT;
    state.gdtLimit = GDT_BYTES - 1;
    for (CpuState.Segment segment : state.segments) {
      segment.set(DATA_SELECTOR, 0, -1, FLAT_DATA);
    }
    state.segments[CpuState.CS].set(CODE_SELECTOR, 0, -1, access);
    state.rip = entry;
    state.gpr[CpuState.RSP] = MemoryLayout.BOOT_STACK;
  }

  /** Writes page tables that map the first 4 GiB to themselves. */
  static void identityMap(GuestMemory memory) {
    memory.writeLong(MemoryLayout.BOOT_PML4, MemoryLayout.BOOT_PDPT | TABLE);
    for (int gib = 0; gib < IDENTITY_GIB; gib++) {
      long directory = MemoryLayout.BOOT_PD + (long) gib * MemoryLayout.PAGE_SIZE;
      memory.writeLong(MemoryLayout.BOOT_PDPT + 8L * gib, directory | TABLE);
      for (int i = 0; i < ENTRIES; i++) {
        long page = (long) gib * ENTRIES + i;
        memory.writeLong(directory + 8L * i, page << LARGE_PAGE_SHIFT | LARGE_PAGE);
      }
    }
  }
}
