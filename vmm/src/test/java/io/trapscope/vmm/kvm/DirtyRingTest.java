package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.vmm.hypervisor.HypervisorException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A ring whose KVM is the test: it puts entries in, and takes back what was read. */
class DirtyRingTest {
  private static final int ENTRIES = 8;
  private static final int NEITHER = 0;
  private static final int DIRTY = 1;
  private static final int RESET = 2;

  private final ByteBuffer memory =
      ByteBuffer.allocateDirect(16 * ENTRIES).order(ByteOrder.LITTLE_ENDIAN);
  private final List<KvmMemory.Slot> slots =
      List.of(slot(0, 0, 1 << 20), slot(1, 1L << 32, 1 << 20));
  private final DirtyRing ring = new DirtyRing(memory, 0, slots, this::takeBack);
  private final List<String> ranges = new ArrayList<>();
  private int put;
  private int taken;
  private int resets;

  private static KvmMemory.Slot slot(int number, long gpa, long bytes) {
    return new KvmMemory.Slot(number, gpa, bytes, 0, new ByteBuffer[0]);
  }

  private void write(int slot, long page) {
    int at = put++ % ENTRIES * 16;
    memory.putInt(at + 4, slot).putLong(at + 8, page).putInt(at, DIRTY);
  }

  private void takeBack() {
    resets++;
    while (memory.getInt(taken % ENTRIES * 16) == RESET) {
      memory.putInt(taken++ % ENTRIES * 16, NEITHER);
    }
  }

  private List<String> read() {
    ranges.clear();
    ring.read((gpa, pages) -> ranges.add(Long.toHexString(gpa) + "+" + pages));
    return List.copyOf(ranges);
  }

  @Test
  void aLookTellsEachPageOnceInRangesOfEachSlot() {
    write(1, 3);
    write(0, 7);
    write(1, 2);
    write(1, 3);
    write(0, 255);
    assertThat(read()).containsExactly("7000+1", "ff000+1", "100002000+2");
    assertThat(taken).isEqualTo(5);
    assertThat(read()).isEmpty();
    assertThat(resets).as("none where nothing was written").isEqualTo(1);
  }

  @Test
  void theRingGoesOnAtItsBeginning() {
    for (int look = 0; look < 10; look++) {
      for (int i = 0; i < 5; i++) {
        write(0, 10 * look + i);
      }
      assertThat(read()).containsExactly(Long.toHexString(10L * look << 12) + "+5");
    }
    assertThat(taken).isEqualTo(50);
  }

  @Test
  void aSlotThatTheMachineDoesNotHaveIsPassedOver() {
    write(0, 1);
    write(1 << 16, 1); // the address space of system-management mode
    write(0, 2);
    assertThat(read()).containsExactly("1000+2");
    assertThat(taken).isEqualTo(3);
  }

  @Test
  void aRingThatKvmHasOverrunIsNotBelieved() {
    for (int i = 0; i < ENTRIES + 2; i++) {
      write(0, i);
    }
    assertThatThrownBy(this::read)
        .isInstanceOf(HypervisorException.class)
        .hasMessageContaining("--dirty=log");
  }

  @Test
  void ringsAreNoLargerThanKvmOffersAndAPowerOfTwo() {
    assertThat(DirtyRing.bytes(1 << 20)).isEqualTo(256 << 10);
    assertThat(DirtyRing.bytes(100_000)).isEqualTo(64 << 10);
  }
}
