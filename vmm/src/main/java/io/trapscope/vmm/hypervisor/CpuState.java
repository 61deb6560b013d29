package io.trapscope.vmm.hypervisor;

/**
 * Architectural registers of a vCPU, as {@link Vcpu#readState} and {@link Vcpu#writeState} move
 * them. General registers are indexed by their encoding: RAX 0, RCX 1, RDX 2, RBX 3, RSP 4, RBP 5,
 * RSI 6, RDI 7, R8 to R15.
 */
public final class CpuState {
  public static final int RAX = 0;
  public static final int RCX = 1;
  public static final int RDX = 2;
  public static final int RBX = 3;
  public static final int RSP = 4;
  public static final int RBP = 5;
  public static final int RSI = 6;
  public static final int RDI = 7;

  /** Segment registers by their encoding: ES 0, CS 1, SS 2, DS 3, FS 4, GS 5. */
  public static final int ES = 0;

  public static final int CS = 1;
  public static final int SS = 2;
  public static final int DS = 3;
  public static final int FS = 4;
  public static final int GS = 5;

  public final long[] gpr = new long[16];
  public long rip;
  public long rflags = 2;

  public final Segment[] segments = {
    new Segment(), new Segment(), new Segment(), new Segment(), new Segment(), new Segment()
  };
  public final Segment ldtr = new Segment();
  public final Segment tr = new Segment();

  public long gdtBase;
  public int gdtLimit;
  public long idtBase;
  public int idtLimit;

  public long cr0;
  public long cr2;
  public long cr3;
  public long cr4;
  public long cr8;
  public long efer;
  public long apicBase;

  /** What else a processor has; null where that is not to be moved. */
  public More more;

  /** Registers that only instructions use which the VMM seldom looks at. */
  public static final class More {
    /**
     * The MSRs that are moved (SDM volume 4): time-stamp counter, which is read only; SYSENTER,
     * STAR, LSTAR, CSTAR, FMASK, KERNEL_GS_BASE, TSC_AUX.
     */
    public static final int[] MSRS = {
      0x10,
      0x174,
      0x175,
      0x176,
      0xc0000081,
      0xc0000082,
      0xc0000083,
      0xc0000084,
      0xc0000102,
      0xc0000103
    };

    /** Values of the first {@link #known} of {@link #MSRS}. */
    public final long[] msrs = new long[MSRS.length];

    public int known;

    /** x87, MMX and SSE registers as FXSAVE stores them (SDM volume 1, section 10.5.1). */
    public final byte[] fxsave = new byte[512];
  }

  /**
   * A segment register with its hidden part. {@code access} is the SDM's VMX access-rights format
   * (volume 3, section 25.4.1): type in bits 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13, D/B 14, G 15,
   * unusable 16.
   */
  public static final class Segment {
    public int selector;
    public long base;
    public int limit;
    public int access;

    /** Sets all four parts. */
    public void set(int selector, long base, int limit, int access) {
      this.selector = selector;
      this.base = base;
      this.limit = limit;
      this.access = access;
    }
  }
}
