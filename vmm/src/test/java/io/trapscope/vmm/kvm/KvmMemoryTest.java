package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.MemoryOptions;
import io.trapscope.vmm.hypervisor.MemoryOptions.Pages;
import io.trapscope.vmm.memory.MemoryLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How the host backs guest memory, and the bits of the dirty log. */
class KvmMemoryTest {
  private static final long BYTES = 8 << 20;

  private static KvmMemory memory(boolean faults, Pages pages) {
    KvmMemory memory =
        new KvmMemory(new MemoryOptions(faults, MemoryOptions.Dirty.NONE, false, pages));
    memory.map(0, BYTES);
    return memory;
  }

  @Test
  void theVmmAndTheGuestSeeOneMemoryThroughTwoMappings() {
    try (KvmMemory memory = memory(true, Pages.DEFAULT)) {
      KvmMemory.Slot slot = memory.slots().get(0);
      memory.writeLong(0x5008, 0x1234);
      ByteBuffer guest = io.trapscope.vmm.host.LibC.view(slot.hva(), BYTES);
      assertThat(guest.getLong(0x5008)).isEqualTo(0x1234);
      guest.putLong(0x6000, 77);
      assertThat(memory.readLong(0x6000)).isEqualTo(77);
      assertThat(memory.gpa(slot.hva() + 0x6000)).isEqualTo(0x6000);
      assertThatThrownBy(() -> memory.gpa(slot.hva() + BYTES))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void populatingBacksEveryPage() throws Exception {
    try (KvmMemory memory = memory(false, Pages.DEFAULT)) {
      long hva = memory.slots().get(0).hva();
      memory.writeByte(0x3000, (byte) 9);
      assertThat(residentBytes(hva)).isLessThan(BYTES);
      memory.populate();
      assertThat(residentBytes(hva)).isGreaterThanOrEqualTo(BYTES);
      assertThat(memory.readByte(0x3000)).isEqualTo((byte) 9);
    }
  }

  @Test
  void moreThanTheHostHasIsNotPopulated() {
    try (KvmMemory memory = memory(false, Pages.DEFAULT)) {
      memory.map(MemoryLayout.HIGH_RAM, 1L << 44);
      assertThatThrownBy(memory::populate)
          .isInstanceOf(HypervisorException.class)
          .hasMessageContaining("takes 16777224 MiB, and the host has")
          .hasMessageContaining("MiB available");
    }
  }

  /** Rss of the mapping that holds an address. */
  private static long residentBytes(long address) throws Exception {
    boolean inside = false;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        String[] ends = line.split(" ")[0].split("-");
        inside =
            Long.parseUnsignedLong(ends[0], 16) <= address
                && address < Long.parseUnsignedLong(ends[1], 16);
      } else if (inside && line.startsWith("Rss:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) << 10;
      }
    }
    throw new AssertionError("no mapping holds the address");
  }

  @Test
  void memoryThatFitsNoHugePageIsRefusedInOneLine() {
    try (KvmMemory memory =
        new KvmMemory(new MemoryOptions(false, MemoryOptions.Dirty.NONE, false, Pages.HUGE_1G))) {
      assertThatThrownBy(() -> memory.map(0, BYTES))
          .isInstanceOf(HypervisorException.class)
          .hasMessageContaining("1 GiB");
      assertThat(memory.slots()).isEmpty();
    }
  }

  @Test
  void runsOfSetBitsAreRanges() {
    ByteBuffer bitmap = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN);
    bitmap.putLong(0, 0b1011L).putLong(8, -1L << 60).putLong(16, -1L).putLong(24, 1L | 1L << 63);
    List<String> ranges = new ArrayList<>();
    DirtyLog.ranges(bitmap, 0x10_0000, (gpa, pages) -> ranges.add((gpa >> 12) + "+" + pages));
    assertThat(ranges).containsExactly("256+2", "259+1", "380+69", "511+1");
  }
}
