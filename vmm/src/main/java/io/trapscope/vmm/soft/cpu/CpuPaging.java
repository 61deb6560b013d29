package io.trapscope.vmm.soft.cpu;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.soft.mmu.Bytes;
import io.trapscope.vmm.soft.mmu.Ept;
import io.trapscope.vmm.soft.mmu.Frame;
import io.trapscope.vmm.soft.mmu.GuestRam;

/**
 * The guest's page tables (SDM volume 3, chapter 4), each entry itself translated by EPT.
 *
 * <p>PAE page-directory-pointer entries are read in memory at every walk and not kept in registers.
 */
public abstract class CpuPaging extends CpuExits {
  /** Physical-address width: bits above it are reserved in entries. CPUID must say the same. */
  public static final int PHYSICAL_BITS = 40;

  private static final int PRESENT = 1;
  private static final int WRITABLE = 2;
  private static final int USER = 4;
  private static final int ACCESSED = 1 << 5;
  private static final int DIRTY = 1 << 6;
  private static final int LARGE = 1 << 7;
  private static final int GLOBAL = 1 << 8;
  private static final long NX = Long.MIN_VALUE;
  private static final long ADDRESS = 0xf_ffff_ffff_f000L;
  private static final long BEYOND = ADDRESS & -(1L << PHYSICAL_BITS);

  /** Error-code bits of #PF. */
  private static final int ERROR_PRESENT = 1;

  private static final int ERROR_WRITE = 2;
  private static final int ERROR_USER = 4;
  private static final int ERROR_RESERVED = 8;
  private static final int ERROR_FETCH = 16;

  protected final GuestRam ram;
  protected final Ept ept;

  /** log2 of the page size of the last walk; 0 without paging. */
  protected int walkShift;

  /** Whether the last walk's page may be written as it was walked, its dirty bit being set. */
  protected boolean walkWritable;

  /** Whether the last walk's page is global. */
  protected boolean walkGlobal;

  private final long[] entryAddress = new long[4];
  private final long[] entry = new long[4];

  protected CpuPaging(GuestRam ram, Ept ept) {
    this.ram = ram;
    this.ept = ept;
  }

  /**
   * Translates a linear address through the guest's tables, sets accessed and dirty bits.
   *
   * @param user whether the access counts as user-mode
   * @param smap whether a supervisor data access to a user page faults
   * @return the guest-physical address
   */
  protected final long walk(long linear, int access, boolean user, boolean smap) {
    if ((cr0 & CR0_PG) == 0) {
      walkShift = 0;
      walkWritable = true;
      walkGlobal = false;
      return linear;
    }
    int error = (access == Ept.WRITE ? ERROR_WRITE : 0) | (user ? ERROR_USER : 0);
    if (access == Ept.FETCH
        && ((efer & EFER_NXE) != 0 && (cr4 & CR4_PAE) != 0 || (cr4 & CR4_SMEP) != 0)) {
      error |= ERROR_FETCH;
    }
    boolean wide = (cr4 & CR4_PAE) != 0;
    int levels = descend(linear, wide, error);
    long rights = WRITABLE | USER;
    long noExecute = 0;
    boolean pae = wide && !longMode();
    for (int i = pae ? 1 : 0; i < levels; i++) {
      rights &= entry[i];
      noExecute |= entry[i] & NX;
    }
    boolean userPage = (rights & USER) != 0;
    boolean writable = (rights & WRITABLE) != 0 || !user && (cr0 & CR0_WP) == 0;
    boolean allowed = !user || userPage;
    if (access == Ept.FETCH) {
      allowed &= noExecute == 0 && (user || !userPage || (cr4 & CR4_SMEP) == 0);
    } else {
      allowed &= (access != Ept.WRITE || writable) && (user || !userPage || !smap);
    }
    if (!allowed) {
      throw pageFault(linear, error | ERROR_PRESENT);
    }
    int last = levels - 1;
    for (int i = pae ? 1 : 0; i < levels; i++) {
      mark(i, i == last && access == Ept.WRITE ? ACCESSED | DIRTY : ACCESSED, wide);
    }
    walkWritable = writable && (entry[last] & DIRTY) != 0;
    walkGlobal = (entry[last] & GLOBAL) != 0 && (cr4 & CR4_PGE) != 0;
    long offset = linear & (1L << walkShift) - 1;
    return leafAddress(entry[last], wide) & -(1L << walkShift) | offset;
  }

  private static long leafAddress(long leaf, boolean wide) {
    return wide ? leaf & ADDRESS : leaf & 0xfffff000L;
  }

  /** Reads the entries down to the leaf; returns how many. */
  private int descend(long linear, boolean wide, int error) {
    boolean longPaging = longMode();
    int shift = longPaging ? 39 : wide ? 30 : 22;
    int bits = wide ? 9 : 10;
    int entrySize = wide ? 8 : 4;
    long table = cr3 & (longPaging ? ADDRESS : wide ? 0xffffffe0L : 0xfffff000L);
    for (int i = 0; ; i++, shift -= bits) {
      long slot = linear >>> shift & (1 << bits) - 1;
      if (!longPaging && wide && i == 0) {
        slot &= 3;
      }
      long at = table + slot * entrySize;
      long e = readEntry(at, entrySize, linear);
      entryAddress[i] = at;
      entry[i] = e;
      if ((e & PRESENT) == 0) {
        throw pageFault(linear, error);
      }
      boolean leaf = shift == 12 || (e & LARGE) != 0 && mayBeLeaf(shift, wide, longPaging);
      if (wide && reserved(e, shift, leaf, longPaging)) {
        throw pageFault(linear, error | ERROR_PRESENT | ERROR_RESERVED);
      }
      if (leaf) {
        walkShift = shift;
        return i + 1;
      }
      table = wide ? e & ADDRESS : e & 0xfffff000L;
    }
  }

  private boolean mayBeLeaf(int shift, boolean wide, boolean longPaging) {
    return wide ? shift == 21 || longPaging && shift == 30 : (cr4 & CR4_PSE) != 0;
  }

  private boolean reserved(long e, int shift, boolean leaf, boolean longPaging) {
    long mask = BEYOND;
    if ((efer & EFER_NXE) == 0) {
      mask |= NX;
    }
    if (!longPaging) {
      mask |= shift == 30 ? NX | 0x1e6 : 0x7ff0_0000_0000_0000L;
    } else if (shift == 39) {
      mask |= LARGE;
    }
    if (leaf && shift > 12) {
      mask |= (1L << shift) - 1 & ~0x1fffL;
    }
    return (e & mask) != 0;
  }

  /** Reads a paging-structure entry. Memory that is not RAM reads as not present. */
  private long readEntry(long gpa, int size, long linear) {
    Frame frame = guestFrame(gpa, Ept.WRITE, linear, false);
    return frame == null ? 0 : Bytes.load(frame.bytes, (int) gpa & 4095, size);
  }

  private void mark(int i, int bits, boolean wide) {
    long e = entry[i];
    if ((e & bits) == bits) {
      return;
    }
    long gpa = entryAddress[i];
    Frame frame = ept.translate(gpa, Ept.WRITE);
    int at = (int) gpa & 4095;
    if (frame.hasCode(at, 8)) {
      storeToCode(frame, at, 8);
    }
    entry[i] = e | bits;
    Bytes.store(frame.bytes, at, wide ? 8 : 4, entry[i]);
  }

  /** A store is about to change these bytes, which have been decoded. */
  protected abstract void storeToCode(Frame frame, int offset, int length);

  /**
   * The frame behind a guest-physical address, or null where no RAM lies; exits with an EPT
   * violation where RAM is not mapped.
   *
   * @param last whether this is the translation of the access itself, not of a table on the way to
   *     it
   */
  protected final Frame guestFrame(long gpa, int access, long linear, boolean last) {
    Frame frame = ept.translate(gpa, access);
    if (frame != null) {
      return frame;
    }
    if (!ram.isRam(gpa)) {
      return null;
    }
    begin(ExitReason.EPT_VIOLATION);
    exit.captured |= VmExit.GPA | VmExit.GVA | VmExit.QUALIFICATION;
    exit.gpa = gpa;
    exit.gva = linear;
    exit.write = access == Ept.WRITE;
    exit.size = 0;
    int kind = last ? access : Ept.READ | Ept.WRITE;
    exit.qualification = kind | ept.rights() << 3 | 1 << 7 | (last ? 1 << 8 : 0);
    if (last && walkShift != 0) {
      exit.captured |= VmExit.GUEST_PAGE;
      exit.guestPageShift = walkShift;
    }
    throw exitSignal;
  }
}
