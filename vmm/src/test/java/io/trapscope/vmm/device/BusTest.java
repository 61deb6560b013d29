package io.trapscope.vmm.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BusTest {

  /** Answers with its offset and notes every access as {@code r|w size@offset[=value]}. */
  private static final class Probe implements Device {
    final List<String> seen = new ArrayList<>();
    private final String name;

    Probe(String name) {
      this.name = name;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public long read(long offset, int size) {
      seen.add("r" + size + "@" + offset);
      return (offset + 1) * 0x0101010101010101L & (size == 8 ? -1L : (1L << (8 * size)) - 1);
    }

    @Override
    public void write(long offset, int size, long value) {
      seen.add("w" + size + "@" + offset + "=" + Long.toHexString(value));
    }
  }

  private final Bus bus = new Bus();
  private final Probe a = new Probe("a");
  private final Probe b = new Probe("b");

  @Test
  void routesPortsByAddressAndPassesOffsets() {
    bus.mapPorts(0x3f8, 8, 1, a);
    bus.mapPorts(0x400, 4, b);
    assertThat(bus.readPort(0x3fa, 1)).isEqualTo(3);
    bus.writePort(0x400, 4, 0x1_2345_6789L);
    assertThat(a.seen).containsExactly("r1@2");
    assertThat(b.seen).containsExactly("w4@0=23456789");
  }

  @Test
  void splitsWhatIsWiderThanTheDevice() {
    bus.mapPorts(0x3f8, 8, 1, a);
    assertThat(bus.readPort(0x3f8, 4)).isEqualTo(0x04030201);
    bus.writePort(0x3f8, 2, 0xbeef);
    assertThat(a.seen).containsExactly("r1@0", "r1@1", "r1@2", "r1@3", "w1@0=ef", "w1@1=be");
    bus.mapMemory(0xd0000000L, 0x1000, 4, b);
    bus.writeMemory(0xd0000010L, 8, 0x1122334455667788L);
    assertThat(b.seen).containsExactly("w4@16=55667788", "w4@20=11223344");
  }

  @Test
  void splitsAtTheEndOfARegionIntoTheNext() {
    bus.mapPorts(0x10, 2, a);
    bus.mapPorts(0x12, 2, b);
    bus.writePort(0x11, 2, 0xaabb);
    assertThat(a.seen).containsExactly("w1@1=bb");
    assertThat(b.seen).containsExactly("w1@0=aa");
  }

  @Test
  void countsWhatNobodyClaims() {
    assertThat(bus.readPort(0x99, 4)).isEqualTo(0xffffffffL);
    bus.writePort(0x99, 1, 0);
    assertThat(bus.readMemory(0xd0000000L, 8)).isEqualTo(-1L);
    bus.writeMemory(0xd0000000L, 4, 1);
    assertThat(bus.unclaimedReads()).isEqualTo(5);
    assertThat(bus.unclaimedWrites()).isEqualTo(2);
  }

  @Test
  void refusesOverlapsAndRangesOutsideTheSpace() {
    bus.mapPorts(0x60, 4, a);
    bus.addRam(0, 0x1000_0000, "ram");
    assertThatThrownBy(() -> bus.mapPorts(0x63, 2, b))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("0063-0064 (device): b overlaps 0060-0063 (device): a");
    assertThatThrownBy(() -> bus.mapMemory(0x0fff_f000, 0x2000, b))
        .hasMessageContaining("overlaps");
    assertThatThrownBy(() -> bus.mapPorts(0xffff, 2, b)).hasMessageContaining("does not fit");
  }

  @Test
  void aRegionThatMovedAnswersAtItsNewPlaceOnly() {
    Bus.Region bar = bus.mapMemory(0xe0000000L, 0x1000, a);
    bus.readMemory(0xe0000004L, 4);
    bus.unmap(bar);
    bus.mapMemory(0xe0100000L, 0x1000, a);
    assertThat(bus.readMemory(0xe0000004L, 4)).isEqualTo(0xffffffffL);
    bus.readMemory(0xe0100008L, 4);
    assertThat(a.seen).containsExactly("r4@4", "r4@8");
  }

  @Test
  void showsTheTree() {
    bus.mapMemory(0xd0000000L, 0x1000, a);
    bus.addRam(0, 0x10000000, "ram");
    bus.container(Bus.Space.MEMORY, 0xc0000000L, 0x3ec00000, "pci-hole");
    bus.mapPorts(0x3f8, 8, b);
    assertThat(bus.tree())
        .isEqualTo(
            """
            address-space: memory
              0000000000000000-000000000fffffff (ram): ram
              00000000c0000000-00000000febfffff (container): pci-hole
                00000000d0000000-00000000d0000fff (device): a
            address-space: I/O
              03f8-03ff (device): b
            """);
  }
}
