package io.trapscope.vmm.soft.cpu;

import io.trapscope.vmm.soft.mmu.Ept;
import io.trapscope.vmm.soft.mmu.GuestRam;

/** Descriptor tables, segment loading, and the mode that follows from them. */
public abstract class CpuDescriptors extends CpuSegments {
  /** Types of system descriptors (SDM volume 3, table 3-2), with S = 0. */
  public static final int TYPE_TSS16 = 1;

  public static final int TYPE_LDT = 2;
  public static final int TYPE_TSS16_BUSY = 3;
  public static final int TYPE_CALL16 = 4;
  public static final int TYPE_TASK_GATE = 5;
  public static final int TYPE_TSS = 9;
  public static final int TYPE_TSS_BUSY = 11;
  public static final int TYPE_CALL = 12;
  public static final int TYPE_INTERRUPT = 14;
  public static final int TYPE_TRAP = 15;

  /** What a flat data or code segment's access rights must have for {@link Mode#FLAT}. */
  private static final int FLAT_BITS = ACCESS_P | ACCESS_S | ACCESS_WRITABLE;

  /** Counts TLB flushes and other reasons to look blocks up again. */
  private long generation;

  /** Generation and mode: what a block's stamp must equal to run without a look-up. */
  protected long stamp;

  /** The same for blocks of global pages, whose translations not every flush drops. */
  private long globalGeneration;

  protected long globalStamp;

  protected CpuDescriptors(GuestRam ram, Ept ept) {
    super(ram, ept);
  }

  @Override
  protected final void newGeneration(boolean globalToo) {
    generation++;
    if (globalToo) {
      globalGeneration++;
      forgetCode();
    }
    stamp();
  }

  private void stamp() {
    stamp = generation << 16 | mode;
    globalStamp = globalGeneration << 16 | mode;
  }

  /** Works out {@link #mode} after anything it depends on has changed. */
  public final void updateMode() {
    int m = 0;
    int cs = segAccess[CS];
    if (longMode() && (cs & ACCESS_L) != 0) {
      m |= Mode.CODE_64;
    } else if ((cs & ACCESS_DB) != 0) {
      m |= Mode.CODE_32;
    }
    if (cpl == 3) {
      m |= Mode.USER;
    } else if (cpl == 0) {
      m |= Mode.KERNEL;
    }
    if ((cr0 & CR0_PE) != 0) {
      m |= (eflags & VM) != 0 ? Mode.V86 : Mode.PROTECTED;
    }
    if ((segAccess[SS] & ACCESS_DB) != 0) {
      m |= Mode.STACK_32;
    }
    if ((m & Mode.CODE) != Mode.CODE_64 && flat()) {
      m |= Mode.FLAT;
    }
    m |= (cr0 & CR0_EM) != 0 ? Mode.EM : 0;
    m |= (cr0 & CR0_TS) != 0 ? Mode.TS : 0;
    m |= (cr0 & CR0_MP) != 0 ? Mode.MP : 0;
    m |= (cr4 & CR4_OSFXSR) != 0 ? Mode.OSFXSR : 0;
    mode = m;
    stamp();
    selectTlb();
  }

  private boolean flat() {
    for (int seg = ES; seg <= DS; seg++) {
      int access = segAccess[seg];
      if (segBase[seg] != 0
          || segLimit[seg] != 0xffffffffL
          || (access & (FLAT_BITS | ACCESS_UNUSABLE)) != FLAT_BITS
          || seg != CS && (access & (ACCESS_CODE | ACCESS_DOWN)) != 0) {
        return false;
      }
    }
    return true;
  }

  public static long descriptorBase(long d) {
    return d >>> 16 & 0xffffff | d >>> 32 & 0xff000000L;
  }

  public static long descriptorLimit(long d) {
    long limit = d & 0xffff | d >>> 32 & 0xf0000;
    return (d >>> 55 & 1) != 0 ? limit << 12 | 0xfff : limit;
  }

  /** Access rights in VMX format. */
  public static int descriptorAccess(long d) {
    return (int) (d >>> 40) & 0xf0ff;
  }

  public static int dpl(int access) {
    return access >> 5 & 3;
  }

  /** Type bits 3:0 of a descriptor's access rights. */
  public static int type(int access) {
    return access & 15;
  }

  public static boolean isCode(int access) {
    return (access & (ACCESS_S | ACCESS_CODE)) == (ACCESS_S | ACCESS_CODE);
  }

  public static boolean isConforming(int access) {
    return (access & ACCESS_DOWN) != 0;
  }

  public static boolean isSystem(int access) {
    return (access & ACCESS_S) == 0;
  }

  public static boolean isPresent(int access) {
    return (access & ACCESS_P) != 0;
  }

  /** Linear address of a selector's descriptor, or -1 where it lies beyond its table. */
  public final long descriptorAddress(int selector, int bytes) {
    int offset = selector & 0xfff8;
    if ((selector & 4) == 0) {
      return offset + bytes - 1 > gdtLimit ? -1 : gdtBase + offset;
    }
    if ((segAccess[LDTR] & ACCESS_UNUSABLE) != 0 || offset + bytes - 1 > segLimit[LDTR]) {
      return -1;
    }
    return segBase[LDTR] + offset;
  }

  /** Reads a descriptor; raises {@code vector} with the selector where there is none. */
  public final long descriptor(int selector, int vector) {
    long at = descriptorAddress(selector, 8);
    if (at == -1) {
      throw fault(vector, selector & ~3);
    }
    return readSystem(8, at);
  }

  /**
   * Reads the upper half of a system descriptor of long mode; raises #GP with the selector where it
   * lies beyond its table, or has a type of its own, which must be 0 (SDM volume 3, section 3.5.2).
   */
  public final long upperHalf(int selector) {
    long at = descriptorAddress(selector, 16);
    if (at == -1) {
      throw gp(selector & ~3);
    }
    long upper = readSystem(8, at + 8);
    if ((upper >>> 40 & 0x1f) != 0) {
      throw gp(selector & ~3);
    }
    return upper;
  }

  /** Sets the accessed bit of a code or data descriptor in its table. */
  public final void markAccessed(int selector, long d) {
    if ((d >>> 40 & 1) == 0) {
      writeSystem(1, descriptorAddress(selector, 8) + 5, d >>> 40 & 0xff | 1);
    }
  }

  /** Sets a segment register with its hidden part. The caller calls {@link #updateMode()}. */
  public final void setSegment(int seg, int selector, long base, long limit, int access) {
    if (seg == CS && (base != segBase[CS] || limit != segLimit[CS])) {
      newGeneration(true);
    }
    segSelector[seg] = selector;
    segBase[seg] = base;
    segLimit[seg] = limit;
    segAccess[seg] = access;
  }

  /** Sets a segment register from a descriptor, marked accessed. */
  public final void setSegment(int seg, int selector, long d) {
    setSegment(seg, selector, descriptorBase(d), descriptorLimit(d), descriptorAccess(d) | 1);
  }

  /** A real-mode or virtual-8086 load: base is selector * 16. */
  public final void setRealSegment(int seg, int selector) {
    if (isV86()) {
      setSegment(seg, selector, (long) selector << 4, 0xffff, 0xf3);
    } else {
      // Limit and rights stay as protected mode left them ("unreal mode"), but for CS's type.
      setSegment(seg, selector, (long) selector << 4, segLimit[seg], segAccess[seg]);
    }
  }

  /** MOV and POP to ES, SS, DS, FS, GS, and the L-far-pointer loads, with all checks. */
  public final void loadSegment(int seg, int selector) {
    if (!isProtected()) {
      setRealSegment(seg, selector);
      updateMode();
      return;
    }
    if ((selector & ~3) == 0) {
      if (seg == SS && (!code64() || cpl == 3 || (selector & 3) != cpl)) {
        throw gp(0);
      }
      setSegment(seg, selector, 0, 0, ACCESS_UNUSABLE | (seg == SS ? cpl << 5 : 0));
      updateMode();
      return;
    }
    long d = descriptor(selector, GuestFault.GP);
    int access = descriptorAccess(d);
    int rpl = selector & 3;
    boolean bad;
    if (seg == SS) {
      bad = isSystem(access) || isCode(access) || (access & ACCESS_WRITABLE) == 0;
      bad |= rpl != cpl || dpl(access) != cpl;
    } else {
      bad = isSystem(access) || isCode(access) && (access & ACCESS_WRITABLE) == 0;
      if (!isCode(access) || !isConforming(access)) {
        bad |= Math.max(rpl, cpl) > dpl(access);
      }
    }
    if (bad) {
      throw gp(selector & ~3);
    }
    if (!isPresent(access)) {
      throw fault(seg == SS ? GuestFault.SS : GuestFault.NP, selector & ~3);
    }
    markAccessed(selector, d);
    setSegment(seg, selector, d);
    updateMode();
  }

  /** Sets CS from a checked descriptor, at privilege level {@code newCpl}. */
  public final void setCs(int selector, long d, int newCpl) {
    markAccessed(selector, d);
    setSegment(CS, selector & ~3 | newCpl, d);
    cpl = newCpl;
    updateMode();
  }

  /** Whether an address is canonical for 48 bits. */
  public static boolean isCanonical(long a) {
    return a << 16 >> 16 == a;
  }
}
