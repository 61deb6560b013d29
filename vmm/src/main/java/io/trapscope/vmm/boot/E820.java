package io.trapscope.vmm.boot;

import io.trapscope.vmm.memory.MemoryLayout;
import io.trapscope.vmm.memory.MemoryRegion;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The map of usable memory that firmware would give: PVH start info and Multiboot information carry
 * the same (ACPI 6.4, section 15).
 */
final class E820 {
  static final int RAM = 1;
  static final int RESERVED = 2;

  /** One range: {@code type} is {@link #RAM} or {@link #RESERVED}. */
  record Entry(long base, long length, int type) {
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT, "%#x-%#x %s", base, base + length - 1, type == RAM ? "usable" : "reserved");
    }
  }

  private E820() {}

  /** The map of a machine whose RAM lies at {@code ram}: base memory ends where the tables are. */
  static List<Entry> of(List<MemoryRegion> ram) {
    List<Entry> map = new ArrayList<>();
    map.add(new Entry(0, MemoryLayout.MP_TABLE, RAM));
    map.add(
        new Entry(
            MemoryLayout.MP_TABLE, MemoryLayout.HIGH_MEMORY - MemoryLayout.MP_TABLE, RESERVED));
    for (MemoryRegion region : ram) {
      long base = Math.max(region.base(), MemoryLayout.HIGH_MEMORY);
      map.add(new Entry(base, region.end() - base, RAM));
    }
    return map;
  }
}
