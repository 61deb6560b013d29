package io.trapscope.vmm.kvm;

import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.DirtyPages;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.memory.MemoryLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * KVM's dirty ring of one vCPU: the pages that this vCPU has written since the last look, each at
 * least once. When it is full, KVM_RUN returns until it was looked at. Used by the vCPU's thread.
 *
 * <p>An entry changes hands by its flags (Documentation/virt/kvm/api.rst, section 8.29): KVM sets
 * DIRTY, user space sets RESET once it has read the entry, and KVM_RESET_DIRTY_RINGS gives all of
 * those back to KVM, which write-protects their pages again.
 */
final class DirtyRing implements AutoCloseable {
  /** Bytes of a ring, where KVM offers as many: 16,384 entries. */
  private static final int BYTES = 256 << 10;

  private static final VarHandle INT =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private final List<KvmMemory.Slot> slots;
  private final List<ByteBuffer> bitmaps = new ArrayList<>();
  private final ByteBuffer ring;
  private final long address;
  private final Runnable reset;
  private int next;

  /**
   * The ring of a vCPU, in a machine for which rings of so many bytes were enabled.
   *
   * @param reset has KVM take back the entries that were read
   * @throws HypervisorException where it cannot be mapped
   */
  static DirtyRing map(int vcpu, int bytes, List<KvmMemory.Slot> slots, Runnable reset) {
    long at = (long) KvmAbi.KVM_DIRTY_LOG_PAGE_OFFSET * MemoryLayout.PAGE_SIZE;
    long address =
        LibC.check(
            LibC.mmap(0, bytes, LibC.PROT_READ_WRITE, LibC.MAP_SHARED, vcpu, at),
            "mapping a dirty ring");
    return new DirtyRing(LibC.view(address, bytes), address, slots, reset);
  }

  /** How large rings to enable, where KVM takes up to {@code offered} bytes. */
  static int bytes(int offered) {
    return Math.min(BYTES, Integer.highestOneBit(offered));
  }

  DirtyRing(ByteBuffer ring, long address, List<KvmMemory.Slot> slots, Runnable reset) {
    this.ring = ring;
    this.address = address;
    this.slots = slots;
    this.reset = reset;
    slots.forEach(slot -> bitmaps.add(DirtyLog.bitmap(slot)));
  }

  /**
   * Tells the ranges that were written, and has KVM begin anew.
   *
   * @throws HypervisorException where KVM has not kept to its ring
   */
  void read(DirtyPages to) {
    int entries = 0;
    while (((int) INT.getAcquire(ring, next) & KvmAbi.KVM_DIRTY_GFN_F_DIRTY) != 0) {
      mark(ring.getInt(next + KvmAbi.DIRTY_GFN_SLOT), ring.getLong(next + KvmAbi.DIRTY_GFN_OFFSET));
      INT.setRelease(ring, next, KvmAbi.KVM_DIRTY_GFN_F_RESET);
      next = (next + KvmAbi.DIRTY_GFN_BYTES) % ring.capacity();
      entries++;
    }
    if (entries * KvmAbi.DIRTY_GFN_BYTES == ring.capacity()) {
      // KVM is to stop some hundred entries short of that. One that interprets the guest may stop
      // too late, and writes over its own entries.
      throw new HypervisorException(
          "KVM has overrun its dirty ring, so that written pages are missing; take --dirty=log");
    }
    if (entries > 0) {
      reset.run();
      tell(to);
    }
  }

  private void mark(int slot, long page) {
    if (slot < 0 || slot >= bitmaps.size()) {
      return; // an address space, or a slot, that this machine does not have
    }
    ByteBuffer bitmap = bitmaps.get(slot);
    int at = (int) (page >>> 3);
    bitmap.put(at, (byte) (bitmap.get(at) | 1 << (page & 7)));
  }

  private void tell(DirtyPages to) {
    for (KvmMemory.Slot slot : slots) {
      ByteBuffer bitmap = bitmaps.get(slot.number());
      DirtyLog.ranges(bitmap, slot.gpa(), to);
      for (int at = 0; at < bitmap.capacity(); at += 8) {
        bitmap.putLong(at, 0);
      }
    }
  }

  /** The vCPU's thread has ended. */
  @Override
  public void close() {
    LibC.munmap(address, ring.capacity());
  }
}
