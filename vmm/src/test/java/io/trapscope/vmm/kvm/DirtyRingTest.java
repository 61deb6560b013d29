package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.vmm.hypervisor.DirtyPages;
import io.trapscope.vmm.hypervisor.HypervisorException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
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

  /** A KVM that keeps to its rings: it stops a vCPU at the soft limit, and takes back in order. */
  private static final class Kvm {
    static final int RING = 64;
    static final int SOFT_LIMIT = RING - 16;
    static final VarHandle FLAGS =
        MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    final ByteBuffer[] rings = {ring(), ring()};
    final int[] dirty = new int[2];
    final AtomicIntegerArray taken = new AtomicIntegerArray(2);

    static ByteBuffer ring() {
      return ByteBuffer.allocateDirect(16 * RING).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** By the thread of the vCPU, inside KVM_RUN; whether the write was made. */
    boolean write(int vcpu, int slot, long page) {
      if (dirty[vcpu] - taken.get(vcpu) >= SOFT_LIMIT) {
        return false; // KVM_EXIT_DIRTY_RING_FULL
      }
      int at = dirty[vcpu]++ % RING * 16;
      assertThat(rings[vcpu].getInt(at)).as("an entry that is KVM's").isEqualTo(NEITHER);
      rings[vcpu].putInt(at + 4, slot).putLong(at + 8, page);
      FLAGS.setRelease(rings[vcpu], at, DIRTY);
      return true;
    }

    /** KVM_RESET_DIRTY_RINGS: of all vCPUs, under a lock. */
    synchronized void reset() {
      for (int vcpu = 0; vcpu < 2; vcpu++) {
        int next = taken.get(vcpu);
        while ((int) FLAGS.getAcquire(rings[vcpu], next % RING * 16) == RESET) {
          FLAGS.setRelease(rings[vcpu], next % RING * 16, NEITHER);
          next++;
        }
        taken.set(vcpu, next);
      }
    }
  }

  @Test
  void twoVcpusThatFillTheirRingsAtOnceLoseNoPage() throws Exception {
    Kvm kvm = new Kvm();
    AtomicInteger full = new AtomicInteger();
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      List<Future<?>> both = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        int vcpu = i;
        both.add(threads.submit(() -> writeAndLook(kvm, vcpu, full)));
      }
      for (Future<?> each : both) {
        each.get();
      }
    } finally {
      threads.shutdown();
    }
    assertThat(full.get()).as("exits for a full ring").isGreaterThan(100);
    assertThat(kvm.taken.get(0)).isEqualTo(kvm.dirty[0]);
    assertThat(kvm.taken.get(1)).isEqualTo(kvm.dirty[1]);
  }

  /** vCPU 0 writes even pages only, vCPU 1 odd ones; looks whenever its ring is full. */
  private void writeAndLook(Kvm kvm, int vcpu, AtomicInteger full) {
    DirtyRing own = new DirtyRing(kvm.rings[vcpu], 0, slots, kvm::reset);
    Random random = new Random(vcpu);
    BitSet written = new BitSet();
    BitSet told = new BitSet();
    DirtyPages tell = (gpa, pages) -> told.set(page(gpa), page(gpa) + (int) pages);
    for (int i = 0; i < 20_000; i++) {
      int slot = random.nextInt(2);
      int page = 2 * random.nextInt(128) + vcpu;
      while (!kvm.write(vcpu, slot, page)) {
        full.incrementAndGet();
        own.read(tell);
        assertThat(told).as("pages of vCPU %d, one look", vcpu).isEqualTo(written);
        told.clear();
        written.clear();
      }
      written.set(256 * slot + page);
    }
    own.read(tell);
    assertThat(told).as("pages of vCPU %d, the last look", vcpu).isEqualTo(written);
  }

  /** Pages of slot 1 behind those of slot 0. */
  private static int page(long gpa) {
    return (int) (gpa >> 32) * 256 + (int) ((gpa & 0xffff_ffffL) >> 12);
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
