package io.trapscope.vmm.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class MemoryLayoutTest {

  @Test
  void ramIsOnePieceUntilThePciHole() {
    assertThat(MemoryLayout.ram(256 << 20))
        .containsExactly(new MemoryRegion(0, 256 << 20, "ram-low"));
    assertThat(MemoryLayout.ram(MemoryLayout.PCI_HOLE)).hasSize(1);
  }

  @Test
  void ramPastThePciHoleContinuesAtFourGiB() {
    long bytes = 5L << 30;
    assertThat(MemoryLayout.ram(bytes))
        .containsExactly(
            new MemoryRegion(0, 3L << 30, "ram-low"),
            new MemoryRegion(4L << 30, 2L << 30, "ram-high"));
    assertThat(MemoryLayout.lowRamEnd(bytes)).isEqualTo(3L << 30);
  }

  @Test
  void refusesSizesThatNoMachineCanHave() {
    assertThatThrownBy(() -> MemoryLayout.ram(4096)).hasMessageContaining("2 MiB or more");
    assertThatThrownBy(() -> MemoryLayout.ram((64 << 20) + 1)).hasMessageContaining("4 KiB");
  }

  @Test
  void aRegionContainsWhatLiesWhollyInside() {
    MemoryRegion region = new MemoryRegion(0x1000, 0x1000, "r");
    assertThat(region.contains(0x1000, 0x1000)).isTrue();
    assertThat(region.contains(0x1fff, 2)).isFalse();
    assertThat(region.contains(0xfff, 1)).isFalse();
    assertThat(region.contains(0x1800, Long.MAX_VALUE)).isFalse();
  }
}
