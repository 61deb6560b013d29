package io.trapscope.vmm.kvm;

import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.DirtyPages;
import io.trapscope.vmm.memory.MemoryLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * KVM's dirty log: which pages of a slot the guest has written since the last look. What the VMM
 * writes is not in it, nor which vCPU has written.
 */
final class DirtyLog {
  private final KvmHypervisor hypervisor;
  private final int vm;
  private final List<KvmMemory.Slot> slots;
  private final List<ByteBuffer> bitmaps = new ArrayList<>();
  private final ByteBuffer request = LibC.allocate(KvmAbi.DIRTY_LOG_BYTES);

  /** Of a machine whose slots were made with KVM_MEM_LOG_DIRTY_PAGES. */
  DirtyLog(KvmHypervisor hypervisor, int vm, List<KvmMemory.Slot> slots) {
    this.hypervisor = hypervisor;
    this.vm = vm;
    this.slots = slots;
    slots.forEach(slot -> bitmaps.add(bitmap(slot)));
  }

  /** A bit a page of the slot, in whole words. */
  static ByteBuffer bitmap(KvmMemory.Slot slot) {
    long words = slot.bytes() / MemoryLayout.PAGE_SIZE + Long.SIZE - 1 >>> 6;
    return LibC.allocate((int) (words << 3));
  }

  /** Tells the ranges that were written, and has KVM begin anew. */
  void read(DirtyPages to) {
    for (KvmMemory.Slot slot : slots) {
      ByteBuffer bitmap = bitmaps.get(slot.number());
      request.putInt(KvmAbi.DIRTY_LOG_SLOT, slot.number());
      request.putLong(KvmAbi.DIRTY_LOG_BITMAP, LibC.address(bitmap));
      hypervisor.ioctl(
          vm,
          KvmAbi.KVM_GET_DIRTY_LOG,
          LibC.address(request),
          "KVM_GET_DIRTY_LOG of slot " + slot.number());
      ranges(bitmap, slot.gpa(), to);
    }
  }

  /** Tells each run of set bits; bit 0 of the first byte is the page at {@code gpa}. */
  static void ranges(ByteBuffer bitmap, long gpa, DirtyPages to) {
    long begin = -1;
    long page = 0;
    for (int at = 0; at < bitmap.capacity(); at += 8, page += Long.SIZE) {
      long word = bitmap.getLong(at);
      if (word == 0 && begin < 0 || word == -1 && begin >= 0) {
        continue;
      }
      for (int bit = 0; bit < Long.SIZE; bit++) {
        boolean set = (word >>> bit & 1) != 0;
        if (set && begin < 0) {
          begin = page + bit;
        } else if (!set && begin >= 0) {
          to.range(gpa + begin * MemoryLayout.PAGE_SIZE, page + bit - begin);
          begin = -1;
        }
      }
    }
    if (begin >= 0) {
      to.range(gpa + begin * MemoryLayout.PAGE_SIZE, page - begin);
    }
  }
}
