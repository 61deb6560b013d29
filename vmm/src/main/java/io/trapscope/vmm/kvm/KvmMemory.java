package io.trapscope.vmm.kvm;

import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.MemoryOptions;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Guest RAM of a KVM machine: anonymous host memory, backed by the host at first touch, one mapping
 * a memslot.
 *
 * <p>Where faults are watched, RAM is a memory file that is mapped twice: once for the guest, whose
 * every first touch is a fault there, and once for the VMM. So what the loader and the devices
 * write is no touch of the guest's, and no thread of the JVM ever waits in a fault, where it would
 * keep a garbage collection from beginning, and with it the thread that resolves the fault.
 *
 * <p>A ByteBuffer reaches 2 GiB at most, so a slot is seen through windows of 1 GiB; an access that
 * crosses two of them goes byte by byte. Reads and writes race with running vCPUs as DMA does.
 */
final class KvmMemory implements GuestMemory, AutoCloseable {
  /**
   * One contiguous range of RAM: the guest has {@code [gpa, gpa + bytes)} at {@code hva}, the VMM
   * sees it through the windows.
   *
   * @param mappings what was mapped for it: addresses and lengths in turn
   */
  record Slot(int number, long gpa, long bytes, long hva, ByteBuffer[] windows, long... mappings) {
    private boolean holds(long address, long length) {
      long offset = address - gpa;
      return offset >= 0 && offset <= bytes && length <= bytes - offset;
    }
  }

  private static final int MEBI_SHIFT = 20;
  private static final int WINDOW_SHIFT = 30;
  private static final long WINDOW = 1L << WINDOW_SHIFT;

  /** Guest and host address agree in their low bits, so that large pages of both can meet. */
  private static final long ALIGNMENT = 2L << 20;

  private final MemoryOptions options;
  private volatile Slot[] slots = {};

  KvmMemory(MemoryOptions options) {
    this.options = options;
  }

  /**
   * Maps host memory for one more slot.
   *
   * @throws io.trapscope.vmm.hypervisor.HypervisorException where the host refuses
   */
  Slot map(long gpa, long bytes) {
    Slot slot = options.faults() ? twice(gpa, bytes) : once(gpa, bytes);
    List<Slot> all = new ArrayList<>(List.of(slots));
    all.add(slot);
    slots = all.toArray(new Slot[0]);
    return slot;
  }

  private Slot once(long gpa, long bytes) {
    if (options.pages().shift() > 0) {
      long hva = reserved(bytes, options.pages().shift());
      return new Slot(slots.length, gpa, bytes, hva, windows(hva, bytes), hva, bytes);
    }
    long mapped = bytes + ALIGNMENT;
    long start = anonymous(mapped, LibC.MAP_PRIVATE_ANONYMOUS_NORESERVE, bytes);
    long hva = start + ALIGNMENT - 1 & -ALIGNMENT;
    if (options.pages() == MemoryOptions.Pages.TRANSPARENT) {
      int result = LibC.madvise(hva, bytes, LibC.MADV_HUGEPAGE);
      if (result < 0) {
        LibC.munmap(start, mapped);
        throw LibC.failure("asking for transparent huge pages", -result);
      }
    }
    return new Slot(slots.length, gpa, bytes, hva, windows(hva, bytes), start, mapped);
  }

  private static long reserved(long bytes, int shift) {
    String name = shift == 30 ? "1 GiB" : "2 MiB";
    if (bytes % (1L << shift) != 0) {
      throw new HypervisorException(
          "guest memory in pages of " + name + " has to be a multiple of that: " + bytes);
    }
    int flags = LibC.MAP_PRIVATE_ANONYMOUS_HUGETLB | shift << LibC.MAP_HUGE_SHIFT;
    long hva = LibC.mmap(0, bytes, LibC.PROT_READ_WRITE, flags, -1, 0);
    if (hva == -LibC.ENOMEM || hva == -LibC.EINVAL) {
      throw new HypervisorException(
          "the host has not "
              + (bytes >> shift)
              + " free pages of "
              + name
              + ": reserve them, for 2 MiB with: sysctl vm.nr_hugepages=N; or take --huge-pages"
              + " transparent");
    }
    return LibC.check(hva, "mapping guest memory in pages of " + name);
  }

  private static long anonymous(long mapped, int flags, long bytes) {
    return LibC.check(LibC.mmap(0, mapped, LibC.PROT_READ_WRITE, flags, -1, 0), step(bytes));
  }

  private static String step(long bytes) {
    return "mapping " + (bytes >> 20) + " MiB of guest memory";
  }

  private Slot twice(long gpa, long bytes) {
    int file = LibC.check(LibC.memoryFile("guest-ram", bytes), step(bytes));
    try {
      long hva = shared(file, bytes);
      long own;
      try {
        own = shared(file, bytes);
      } catch (HypervisorException e) {
        LibC.munmap(hva, bytes);
        throw e;
      }
      return new Slot(slots.length, gpa, bytes, hva, windows(own, bytes), hva, bytes, own, bytes);
    } finally {
      LibC.close(file);
    }
  }

  private static long shared(int file, long bytes) {
    return LibC.check(
        LibC.mmap(0, bytes, LibC.PROT_READ_WRITE, LibC.MAP_SHARED, file, 0), step(bytes));
  }

  private static ByteBuffer[] windows(long address, long bytes) {
    ByteBuffer[] windows = new ByteBuffer[(int) ((bytes + WINDOW - 1) >>> WINDOW_SHIFT)];
    for (int i = 0; i < windows.length; i++) {
      long start = (long) i << WINDOW_SHIFT;
      windows[i] = LibC.view(address + start, Math.min(WINDOW, bytes - start));
    }
    return windows;
  }

  /**
   * Has the host back every page now.
   *
   * @throws HypervisorException where it has not so much: it would kill somebody to get it
   */
  void populate() {
    long wanted = Stream.of(slots).mapToLong(Slot::bytes).sum();
    long available = options.pages().shift() > 0 ? wanted : availableBytes();
    if (wanted > available) {
      throw new HypervisorException(
          "backing all guest memory takes "
              + (wanted >> MEBI_SHIFT)
              + " MiB, and the host has "
              + (available >> MEBI_SHIFT)
              + " MiB available: give the guest less, or leave out --prefault");
    }
    for (Slot slot : slots) {
      int result = LibC.madvise(slot.hva, slot.bytes, LibC.MADV_POPULATE_WRITE);
      if (result == -LibC.EINVAL) {
        touch(slot); // before Linux 5.14
      } else {
        LibC.check(result, "backing all guest memory");
      }
    }
  }

  /** Memory that the host can give without taking any away; all there is where it does not tell. */
  private static long availableBytes() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
      return lines
          .filter(line -> line.startsWith("MemAvailable:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
          .findFirst()
          .orElse(Long.MAX_VALUE);
    } catch (IOException | UncheckedIOException e) {
      return Long.MAX_VALUE;
    }
  }

  private static void touch(Slot slot) {
    for (ByteBuffer window : slot.windows) {
      for (int at = 0; at < window.capacity(); at += MemoryLayout.PAGE_SIZE) {
        window.put(at, window.get(at));
      }
    }
  }

  /** The slots, in the order they were mapped. */
  List<Slot> slots() {
    return List.of(slots);
  }

  /**
   * The guest-physical address that the guest's mapping has at {@code hva}.
   *
   * @throws IndexOutOfBoundsException where there is none
   */
  long gpa(long hva) {
    for (Slot slot : slots) {
      if (hva >= slot.hva && hva - slot.hva < slot.bytes) {
        return slot.gpa + hva - slot.hva;
      }
    }
    throw new IndexOutOfBoundsException("no guest memory at 0x" + Long.toHexString(hva));
  }

  /** The slot that holds an address of RAM. */
  Slot slotOf(long gpa) {
    return require(gpa, 1);
  }

  /** Unmaps everything. From then on every access is out of bounds; no thread may be inside one. */
  @Override
  public void close() {
    Slot[] mapped = slots;
    slots = new Slot[0];
    for (Slot slot : mapped) {
      for (int i = 0; i < slot.mappings.length; i += 2) {
        LibC.munmap(slot.mappings[i], slot.mappings[i + 1]);
      }
    }
  }

  @Override
  public boolean contains(long gpa, long length) {
    return length >= 0 && find(gpa, length) != null;
  }

  @Override
  public void read(long gpa, byte[] to, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, to.length);
    Slot slot = require(gpa, length);
    long at = gpa - slot.gpa;
    for (int done = 0; done < length; ) {
      int inWindow = (int) ((at + done) & (WINDOW - 1));
      int part = (int) Math.min(length - done, WINDOW - inWindow);
      slot.windows[(int) ((at + done) >>> WINDOW_SHIFT)].get(inWindow, to, offset + done, part);
      done += part;
    }
  }

  @Override
  public void write(long gpa, byte[] from, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, from.length);
    Slot slot = require(gpa, length);
    long at = gpa - slot.gpa;
    for (int done = 0; done < length; ) {
      int inWindow = (int) ((at + done) & (WINDOW - 1));
      int part = (int) Math.min(length - done, WINDOW - inWindow);
      slot.windows[(int) ((at + done) >>> WINDOW_SHIFT)].put(inWindow, from, offset + done, part);
      done += part;
    }
  }

  @Override
  public byte readByte(long gpa) {
    Slot slot = require(gpa, 1);
    return window(slot, gpa).get(inWindow(slot, gpa));
  }

  @Override
  public short readShort(long gpa) {
    Slot slot = require(gpa, 2);
    int at = inWindow(slot, gpa);
    return at <= WINDOW - 2 ? window(slot, gpa).getShort(at) : (short) readBytes(gpa, 2);
  }

  @Override
  public int readInt(long gpa) {
    Slot slot = require(gpa, 4);
    int at = inWindow(slot, gpa);
    return at <= WINDOW - 4 ? window(slot, gpa).getInt(at) : (int) readBytes(gpa, 4);
  }

  @Override
  public long readLong(long gpa) {
    Slot slot = require(gpa, 8);
    int at = inWindow(slot, gpa);
    return at <= WINDOW - 8 ? window(slot, gpa).getLong(at) : readBytes(gpa, 8);
  }

  @Override
  public void writeByte(long gpa, byte value) {
    Slot slot = require(gpa, 1);
    window(slot, gpa).put(inWindow(slot, gpa), value);
  }

  @Override
  public void writeShort(long gpa, short value) {
    Slot slot = require(gpa, 2);
    int at = inWindow(slot, gpa);
    if (at <= WINDOW - 2) {
      window(slot, gpa).putShort(at, value);
    } else {
      writeBytes(gpa, value, 2);
    }
  }

  @Override
  public void writeInt(long gpa, int value) {
    Slot slot = require(gpa, 4);
    int at = inWindow(slot, gpa);
    if (at <= WINDOW - 4) {
      window(slot, gpa).putInt(at, value);
    } else {
      writeBytes(gpa, value, 4);
    }
  }

  @Override
  public void writeLong(long gpa, long value) {
    Slot slot = require(gpa, 8);
    int at = inWindow(slot, gpa);
    if (at <= WINDOW - 8) {
      window(slot, gpa).putLong(at, value);
    } else {
      writeBytes(gpa, value, 8);
    }
  }

  private long readBytes(long gpa, int size) {
    long value = 0;
    for (int i = 0; i < size; i++) {
      value |= (readByte(gpa + i) & 0xFFL) << (8 * i);
    }
    return value;
  }

  private void writeBytes(long gpa, long value, int size) {
    for (int i = 0; i < size; i++) {
      writeByte(gpa + i, (byte) (value >>> (8 * i)));
    }
  }

  private static ByteBuffer window(Slot slot, long gpa) {
    return slot.windows[(int) ((gpa - slot.gpa) >>> WINDOW_SHIFT)];
  }

  private static int inWindow(Slot slot, long gpa) {
    return (int) ((gpa - slot.gpa) & (WINDOW - 1));
  }

  private Slot find(long gpa, long length) {
    for (Slot slot : slots) {
      if (slot.holds(gpa, length)) {
        return slot;
      }
    }
    return null;
  }

  private Slot require(long gpa, long length) {
    Slot slot = length < 0 ? null : find(gpa, length);
    if (slot == null) {
      throw new IndexOutOfBoundsException(
          "no RAM at all " + length + " bytes from GPA 0x" + Long.toHexString(gpa) + " on");
    }
    return slot;
  }
}
