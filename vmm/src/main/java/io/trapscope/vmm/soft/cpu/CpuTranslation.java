package io.trapscope.vmm.soft.cpu;

import io.trapscope.vmm.soft.mmu.Bytes;
import io.trapscope.vmm.soft.mmu.Ept;
import io.trapscope.vmm.soft.mmu.Frame;
import io.trapscope.vmm.soft.mmu.GuestRam;
import io.trapscope.vmm.soft.mmu.Tlb;
import java.util.Arrays;

/**
 * Memory accesses the long way: misses of the TLB, page crossings, devices, stores to decoded code,
 * data breakpoints; and the flushes.
 */
public abstract class CpuTranslation extends CpuPaging {
  /** What accesses meet, as bits for the values of DR7's R/W fields. */
  private static final int ON_WRITE = 1 << 1;

  private static final int ON_PORT = 1 << 2;
  private static final int ON_ACCESS = 1 << 3;

  /**
   * Supervisor, user, supervisor with SMAP lifted by RFLAGS.AC, user with alignment checks by it;
   * the last stays empty, so that every access comes here.
   */
  protected final Tlb[] tlbs = {new Tlb(), new Tlb(), new Tlb(), new Tlb()};

  /** The one that counts now. */
  protected Tlb tlb = tlbs[0];

  /**
   * Whether the run loop executes one instruction by itself, so that it may change its own bytes.
   */
  protected boolean alone;

  /** A data or I/O breakpoint is armed: every access takes the slow path and is compared. */
  protected boolean watchesData;

  /** DR6 bits of such breakpoints that this instruction has hit. */
  protected long debugHits;

  /** Linear pages, hashed, whose blocks may run without a look-up: INVLPG of others spares them. */
  private final long[] codePages = new long[16];

  private long gpa;

  protected CpuTranslation(GuestRam ram, Ept ept) {
    super(ram, ept);
    for (Tlb t : tlbs) {
      ram.attach(t);
    }
  }

  /** Faults as an access of this kind would, and does nothing else. At most a page. */
  public final void probe(long a, int length, int access) {
    touch(tlb, a, length, access);
  }

  /** Reads as the processor itself does, whatever the privilege level: descriptor tables, TSS. */
  public final long readSystem(int size, long a) {
    return readSlow(tlbs[0], a, size);
  }

  public final void writeSystem(int size, long a, long value) {
    writeSlow(tlbs[0], a, size, value);
  }

  /** Writes as supervisor (0) or user (1), whatever the privilege level is now. */
  protected final void writeAs(int level, int size, long a, long value) {
    writeSlow(tlbs[level], a, size, value);
  }

  /** Faults as a system write would. */
  public final void probeSystemWrite(long a, int length) {
    touch(tlbs[0], a, length, Ept.WRITE);
  }

  protected final void touch(Tlb t, long a, int length, int access) {
    translate(t, a, access);
    long end = wrap(a + length - 1);
    if ((a ^ end) >>> 12 != 0) {
      translate(t, end & -4096L, access);
    }
  }

  /** Linear addresses have 32 bits outside 64-bit mode. */
  protected final long wrap(long a) {
    return !code64() && a >>> 32 == 1 ? a & 0xffffffffL : a;
  }

  /** The frame of a linear page, or null for a device; leaves the guest-physical address. */
  protected final Frame translate(Tlb t, long a, int access) {
    if (a != a << 16 >> 16 && longMode()) {
      throw nonCanonical();
    }
    boolean user = t == tlbs[1] || t == tlbs[3];
    boolean smap = t == tlbs[0] && (cr4 & CR4_SMAP) != 0;
    gpa = walk(a, access, user, smap);
    Frame frame = guestFrame(gpa, access, a, true);
    if (frame != null) {
      if (access != Ept.FETCH && watchesData || t == tlbs[3]) {
        return frame;
      }
      boolean writable = walkWritable && access == Ept.WRITE;
      t.enter(a, frame, access, writable, walkShift > 12, walkGlobal);
    }
    return frame;
  }

  /** #SS(0) for a stack access, else #GP(0). */
  private GuestFault nonCanonical() {
    return fault(!fetching && current().usesStack() ? GuestFault.SS : GuestFault.GP, 0);
  }

  private void checkAlignment(Tlb t, long a, int size) {
    if (t == tlbs[3] && (a & size - 1) != 0) {
      throw fault(GuestFault.AC, 0);
    }
  }

  protected final long readSlow(Tlb t, long a, int size) {
    checkAlignment(t, a, size);
    if (watchesData) {
      watch(a, size, ON_ACCESS);
    }
    int at = (int) a & 4095;
    if (at + size <= Frame.SIZE) {
      Frame frame = translate(t, a, Ept.READ);
      return frame == null ? device(a, size, false, 0) : Bytes.load(frame.bytes, at, size);
    }
    int first = Frame.SIZE - at;
    long second = wrap(a + first);
    translate(t, a, Ept.READ);
    translate(t, second, Ept.READ);
    return readPart(t, a, first) | readPart(t, second, size - first) << 8 * first;
  }

  private long readPart(Tlb t, long a, int length) {
    Frame frame = translate(t, a, Ept.READ);
    if (frame != null) {
      return Bytes.load(frame.bytes, (int) a & 4095, length);
    }
    long value = 0;
    for (int done = 0; done < length; ) {
      int part = piece(gpa + done, length - done);
      long from = gpa;
      value |= mmio(from + done, a + done, walkShift, part, false, 0) << 8 * done;
      done += part;
    }
    return value;
  }

  private long device(long a, int size, boolean write, long value) {
    long answer = mmio(gpa, a, walkShift, size, write, value);
    return size == 8 ? answer : answer & (1L << 8 * size) - 1;
  }

  /** The largest naturally aligned power of two that fits. */
  private static int piece(long at, int left) {
    int size = 4;
    while (size > left || (at & size - 1) != 0) {
      size >>= 1;
    }
    return size;
  }

  /** Notes breakpoints on these ports, which an instruction that is complete has accessed. */
  public final void watchPorts(int port, int size) {
    if (watchesData && (cr4 & CR4_DE) != 0) {
      watch(port, size, ON_PORT);
    }
  }

  /**
   * Notes data and I/O breakpoints that lie in these bytes (SDM volume 3, section 18.2.4).
   *
   * @param kinds a bit for each R/W field of DR7 that this access meets
   */
  private void watch(long a, int size, int kinds) {
    for (int i = 0; i < 4; i++) {
      int kind = (int) (dr[7] >>> 16 + 4 * i) & 3;
      int encoded = (int) (dr[7] >>> 18 + 4 * i) & 3;
      long length = encoded == 2 ? 8 : encoded + 1;
      long from = dr[i] & -length;
      if ((dr[7] >>> 2 * i & 3) != 0
          && (kinds >>> kind & 1) != 0
          && a < from + length
          && from < a + size) {
        debugHits |= 1L << i;
        attention |= STEP;
      }
    }
  }

  protected final void writeSlow(Tlb t, long a, int size, long value) {
    checkAlignment(t, a, size);
    if (watchesData) {
      watch(a, size, ON_WRITE | ON_ACCESS);
    }
    int at = (int) a & 4095;
    if (at + size <= Frame.SIZE) {
      Frame frame = translate(t, a, Ept.WRITE);
      if (frame == null) {
        device(a, size, true, unsigned(size, value));
      } else {
        beforeStore(frame, at, size);
        Bytes.store(frame.bytes, at, size, value);
      }
      return;
    }
    int first = Frame.SIZE - at;
    long second = wrap(a + first);
    // The lower page's fault comes first; translated again at the end, as a walk leaves its GPA.
    translate(t, a, Ept.WRITE);
    Frame high = translate(t, second, Ept.WRITE);
    if (high != null) {
      beforeStore(high, 0, size - first);
    }
    Frame low = translate(t, a, Ept.WRITE);
    if (low != null) {
      beforeStore(low, at, first);
    }
    writePart(t, a, first, value);
    writePart(t, second, size - first, value >>> 8 * first);
  }

  private void writePart(Tlb t, long a, int length, long value) {
    Frame frame = translate(t, a, Ept.WRITE);
    if (frame != null) {
      Bytes.store(frame.bytes, (int) a & 4095, length, value);
      return;
    }
    for (int done = 0; done < length; ) {
      int part = piece(gpa + done, length - done);
      long bits = unsigned(part, value >>> 8 * done);
      mmio(gpa + done, a + done, walkShift, part, true, bits);
      done += part;
    }
  }

  private void beforeStore(Frame frame, int at, int length) {
    if (frame.hasCode(at, length)) {
      storeToCode(frame, at, length);
    }
  }

  @Override
  protected final void storeToCode(Frame frame, int offset, int length) {
    if (!frame.hitsBlock(offset, length)) {
      return;
    }
    if (!alone) {
      throw aloneSignal;
    }
    frame.invalidate(offset, length);
  }

  /** Drops all translations. */
  public final void flushTlb() {
    for (Tlb t : tlbs) {
      t.flush();
    }
    newGeneration(true);
  }

  /** Drops all translations but global ones. */
  public final void flushNonGlobal() {
    for (Tlb t : tlbs) {
      t.flushNonGlobal();
    }
    newGeneration(false);
  }

  /** INVLPG. */
  public final void flushPage(long linear) {
    boolean large = false;
    for (Tlb t : tlbs) {
      large |= t.mayBeLarge(linear);
      t.flushPage(linear);
    }
    if (large || (codePages[codePage(linear) >> 6] >>> codePage(linear) & 1) != 0) {
      newGeneration(true);
    }
  }

  /** Whether the page with this code, which has been fetched from, is global. */
  protected final boolean isGlobalCode(long linear) {
    return tlb.isGlobalCode(linear);
  }

  /** Notes that blocks of this page have been found in this generation. */
  protected final void noteCode(long linear) {
    codePages[codePage(linear) >> 6] |= 1L << codePage(linear);
  }

  /** No page has had blocks found in this generation. */
  protected final void forgetCode() {
    Arrays.fill(codePages, 0);
  }

  private static int codePage(long linear) {
    return (int) (linear >>> 12 ^ linear >>> 22) & 1023;
  }

  /**
   * Blocks must be looked up again before they run: a translation may have changed.
   *
   * @param globalToo also one of a global page
   */
  protected abstract void newGeneration(boolean globalToo);

  /**
   * The frame holding code at a linear address; faults and exits as a fetch does. Null for a
   * device.
   */
  protected final Frame fetchFrame(long linear) {
    int i = Tlb.index(linear);
    if (tlb.execTags[i] == (linear & -4096L)) {
      return tlb.execFrames[i];
    }
    fetching = true;
    Frame frame = translate(tlb, linear, Ept.FETCH);
    fetching = false;
    return frame;
  }

  /** As {@link #fetchFrame}, for the decoder: the rest of an instruction that crosses a page. */
  public final Frame codeFrame(long linear) {
    Frame frame = fetchFrame(wrap(linear));
    if (frame == null) {
      throw gp(0);
    }
    return frame;
  }
}
