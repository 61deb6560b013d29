package io.trapscope.vmm.soft.cpu;

import io.trapscope.vmm.soft.mmu.Ept;
import io.trapscope.vmm.soft.mmu.Frame;
import io.trapscope.vmm.soft.mmu.GuestRam;
import io.trapscope.vmm.soft.mmu.Tlb;

/** One processor, as instruction handlers see it: control and model-specific registers, time. */
public final class Cpu extends CpuEvents {
  private static final long CR0_DEFINED =
      CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD
          | CR0_PG;
  private static final long CR4_DEFINED =
      CR4_VME
          | CR4_PVI
          | CR4_TSD
          | CR4_DE
          | CR4_PSE
          | CR4_PAE
          | CR4_MCE
          | CR4_PGE
          | CR4_PCE
          | CR4_OSFXSR
          | CR4_OSXMMEXCPT
          | CR4_UMIP
          | CR4_SMEP
          | CR4_SMAP;
  private static final long EFER_DEFINED = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
  private static final long PAT_RESET = 0x0007040600070406L;

  /** Values of the MSRs in {@link Msrs}. */
  public long star;

  public long lstar;
  public long cstar;
  public long sfmask;
  public long kernelGsBase;
  public long sysenterCs;
  public long sysenterEsp;
  public long sysenterEip;
  public long tscAux;
  public long pat = PAT_RESET;
  public long apicBase;

  /** What the TSC is ahead of the guest clock, set by WRMSR. */
  public long tscOffset;

  /** Nanoseconds by which the guest clock is ahead of the count of instructions. */
  private long skippedNanos;

  /** Vectors that exit before they are delivered. */
  public final int exceptionBitmap;

  public final Counters counters = new Counters();

  private int absentFeatures;
  private long cr4Defined = CR4_DEFINED;
  private long eferDefined = EFER_DEFINED;

  /** NMIs wait for IRET. */
  public boolean nmiBlocked;

  boolean windowWanted;

  /** The last instruction loaded SS; see {@link #stackShadow}. */
  boolean stackLoaded;

  private Compiler compiler;

  /** Runs of a block after which {@link #hot} is told. */
  int hotAfter = Integer.MAX_VALUE;

  /** An NMI or interrupt waits until it can be taken. */
  boolean eventWaiting;

  public Cpu(GuestRam ram, Ept ept, int exceptionBitmap) {
    super(ram, ept);
    this.exceptionBitmap = exceptionBitmap;
    dr[6] = 0xffff0ff0L;
    dr[7] = 0x400;
  }

  /** Sets what generates code for hot blocks; null for never. */
  public void setCompiler(Compiler compiler) {
    this.compiler = compiler;
    hotAfter = compiler == null ? Integer.MAX_VALUE : compiler.hotAfter();
  }

  /** A block has run often. */
  void hot(Block block) {
    if (block.isFree()) {
      block.heat = 0;
      compiler.request(block);
    }
    installFinished();
  }

  /** Puts generated code to use that has become ready, if its blocks are still as they were. */
  void installFinished() {
    if (compiler == null) {
      return;
    }
    for (Code done = compiler.poll(); done != null; done = compiler.poll()) {
      if (done.install()) {
        counters.compiledRegions++;
      }
    }
  }

  @Override
  public void unimplemented(String what) {
    counters.unimplemented(what);
  }

  /** The guest clock before the instruction that runs, ns. */
  public long guestNanos() {
    return retired + skippedNanos;
  }

  /** Ends the run once the guest clock reaches this; {@code Long.MAX_VALUE} for never. */
  public void setDeadline(long guestNanos) {
    limit = guestNanos == Long.MAX_VALUE ? Long.MAX_VALUE : guestNanos - skippedNanos;
  }

  /** Moves the guest clock, and thereby brings the deadline nearer. */
  public void skip(long nanos) {
    skippedNanos += nanos;
    if (limit != Long.MAX_VALUE) {
      limit -= nanos;
    }
  }

  /** The TSC now: it counts at 1 GHz, one an instruction, and goes on while idle. */
  public long tsc() {
    return retired + index + skippedNanos + tscOffset;
  }

  /** Executes one of the instructions that are running by its handler. */
  public void handle(int i) {
    index = i;
    Op op = ops[i];
    op.handler().exec(this, op);
  }

  /** Whether so many instructions fit before the deadline, and nobody wants the run to end. */
  public boolean mayGoOn(int instructions) {
    return limit - retired >= instructions && !kicked;
  }

  /** Call after RFLAGS.IF or RFLAGS.TF may have been set. */
  public void flagsChanged() {
    if (windowWanted && (eflags & IF) != 0) {
      attention |= WINDOW;
    }
    if (eventWaiting) {
      attention |= EVENT;
    }
    if ((eflags & TF) != 0 || breakpointsArmed()) {
      attention |= STEP;
    }
  }

  /** The next instruction runs before any interrupt. */
  public void interruptShadow() {
    attention |= SHADOW;
  }

  /** MOV or POP to SS: besides, debug exceptions wait for the next instruction. */
  public void stackShadow() {
    interruptShadow();
    stackLoaded = true;
  }

  /** Instruction sets that this processor lacks, as {@code Opcode.SSE3} and so on. */
  public int absentFeatures() {
    return absentFeatures;
  }

  /**
   * Takes features away, before the first instruction: decoded blocks depend on them.
   *
   * @param instructionSets see {@link #absentFeatures}
   * @param cr4 bits of CR4 that become reserved
   * @param efer bits of IA32_EFER that become reserved
   */
  public void setAbsent(int instructionSets, long cr4, long efer) {
    absentFeatures = instructionSets;
    cr4Defined = CR4_DEFINED & ~cr4;
    eferDefined = EFER_DEFINED & ~efer;
  }

  /** Whether {@link #writeCr0} would raise #GP for this value. */
  public boolean badCr0(long value) {
    boolean paging = (value & CR0_PG) != 0;
    if ((value >>> 32) != 0
        || paging && (value & CR0_PE) == 0
        || (value & (CR0_NW | CR0_CD)) == CR0_NW) {
      return true;
    }
    if (paging && (cr0 & CR0_PG) == 0 && (efer & EFER_LME) != 0) {
      return (cr4 & CR4_PAE) == 0 || (segAccess[CS] & ACCESS_L) != 0;
    }
    return !paging && code64();
  }

  /** Performs a checked write of CR0. */
  public void writeCr0(long value) {
    long old = cr0;
    cr0 = value & CR0_DEFINED | CR0_ET;
    if (((old ^ cr0) & CR0_PG) != 0) {
      boolean activate = (cr0 & CR0_PG) != 0 && (efer & EFER_LME) != 0;
      efer = activate ? efer | EFER_LMA : efer & ~EFER_LMA;
    }
    if (((old ^ cr0) & CR0_PE) != 0 && (cr0 & CR0_PE) != 0) {
      cpl = 0;
    }
    if (((old ^ cr0) & (CR0_PG | CR0_WP | CR0_PE)) != 0) {
      flushTlb();
    }
    updateMode();
  }

  public boolean badCr4(long value) {
    return (value & ~cr4Defined) != 0 || longMode() && (value & CR4_PAE) == 0;
  }

  /** Performs a checked write of CR4. */
  public void writeCr4(long value) {
    long changed = cr4 ^ value;
    cr4 = value;
    if ((changed & (CR4_PAE | CR4_PSE | CR4_PGE | CR4_SMEP | CR4_SMAP)) != 0) {
      flushTlb();
    }
    updateMode();
  }

  /** MOV to CR3. */
  public void writeCr3(long value) {
    if (longMode() && value >>> PHYSICAL_BITS != 0) {
      throw gp(0);
    }
    cr3 = value;
    flushNonGlobal();
  }

  /** Sets DR7 and what follows from it. */
  public void writeDr7(long value) {
    dr[7] = value & 0xffff_27ffL | 0x400;
    watchesData = false;
    boolean watchesCode = false;
    for (int i = 0; i < 4; i++) {
      if ((dr[7] >>> 2 * i & 3) != 0) {
        boolean onExecution = (dr[7] >>> 16 + 4 * i & 3) == 0;
        watchesCode |= onExecution;
        watchesData |= !onExecution;
      }
    }
    instructionBreakpoints = watchesCode;
    flagsChanged();
    for (Tlb t : tlbs) {
      t.flush();
    }
  }

  private boolean instructionBreakpoints;

  /** Whether a breakpoint on instructions is on: else RF has no effect. */
  public boolean hasInstructionBreakpoints() {
    return instructionBreakpoints;
  }

  boolean breakpointsArmed() {
    return instructionBreakpoints || watchesData;
  }

  /** Registers a freshly decoded block, so that stores to its bytes are noticed. */
  void enter(Block decoded) {
    counters.decodedBlocks++;
    enter(decoded, decoded.frame);
    if (decoded.secondFrame != null) {
      enter(decoded, decoded.secondFrame);
    }
  }

  private void enter(Block decoded, Frame frame) {
    if (!frame.hasCode()) {
      ram.protect(frame);
    }
    frame.add(decoded);
  }

  /** Whether an access to this MSR does not exit: what kernels touch often. */
  public static boolean isPassedThrough(int index) {
    return switch (index) {
      case Msrs.TSC, Msrs.FS_BASE, Msrs.GS_BASE, Msrs.KERNEL_GS_BASE, Msrs.TSC_AUX -> true;
      default -> false;
    };
  }

  /** Whether the processor keeps this MSR itself, so that the VMM has nothing to answer. */
  public static boolean isOwnMsr(int index) {
    return switch (index) {
      case Msrs.SYSENTER_CS,
          Msrs.SYSENTER_ESP,
          Msrs.SYSENTER_EIP,
          Msrs.PAT,
          Msrs.EFER,
          Msrs.STAR,
          Msrs.LSTAR,
          Msrs.CSTAR,
          Msrs.SFMASK ->
          true;
      default -> isPassedThrough(index);
    };
  }

  /** Whether {@link #writeMsr} would raise #GP for this value. */
  public boolean badMsr(int index, long value) {
    return switch (index) {
      case Msrs.SYSENTER_ESP,
          Msrs.SYSENTER_EIP,
          Msrs.LSTAR,
          Msrs.CSTAR,
          Msrs.FS_BASE,
          Msrs.GS_BASE,
          Msrs.KERNEL_GS_BASE ->
          !isCanonical(value);
      case Msrs.EFER ->
          (value & ~eferDefined) != 0 || ((value ^ efer) & EFER_LME) != 0 && (cr0 & CR0_PG) != 0;
      case Msrs.PAT -> badMemoryTypes(value);
      case Msrs.TSC_AUX -> value >>> 32 != 0;
      default -> false;
    };
  }

  /** Whether one of the PAT's eight entries is not 0, 1, 4, 5, 6 or 7 (SDM volume 3, 12.12.2). */
  private static boolean badMemoryTypes(long value) {
    long twoOrThree = value & ~(value >>> 1) & 0x0202_0202_0202_0202L;
    return (value & 0xf8f8_f8f8_f8f8_f8f8L) != 0 || twoOrThree != 0;
  }

  /** Reads an MSR of {@link #isOwnMsr}. */
  public long readMsr(int index) {
    return switch (index) {
      case Msrs.TSC -> tsc();
      case Msrs.SYSENTER_CS -> sysenterCs;
      case Msrs.SYSENTER_ESP -> sysenterEsp;
      case Msrs.SYSENTER_EIP -> sysenterEip;
      case Msrs.PAT -> pat;
      case Msrs.EFER -> efer;
      case Msrs.STAR -> star;
      case Msrs.LSTAR -> lstar;
      case Msrs.CSTAR -> cstar;
      case Msrs.SFMASK -> sfmask;
      case Msrs.FS_BASE -> segBase[FS];
      case Msrs.GS_BASE -> segBase[GS];
      case Msrs.KERNEL_GS_BASE -> kernelGsBase;
      case Msrs.TSC_AUX -> tscAux;
      default -> throw gp(0);
    };
  }

  /** Writes an MSR of {@link #isOwnMsr}; raises #GP for a value it cannot hold. */
  public void writeMsr(int index, long value) {
    if (badMsr(index, value)) {
      throw gp(0);
    }
    switch (index) {
      case Msrs.TSC -> tscOffset = value - (retired + this.index + skippedNanos);
      case Msrs.SYSENTER_CS -> sysenterCs = value;
      case Msrs.SYSENTER_ESP -> sysenterEsp = value;
      case Msrs.SYSENTER_EIP -> sysenterEip = value;
      case Msrs.PAT -> pat = value;
      case Msrs.EFER -> writeEfer(value);
      case Msrs.STAR -> star = value;
      case Msrs.LSTAR -> lstar = value;
      case Msrs.CSTAR -> cstar = value;
      case Msrs.SFMASK -> sfmask = value & 0xffffffffL;
      case Msrs.FS_BASE -> segBase[FS] = value;
      case Msrs.GS_BASE -> segBase[GS] = value;
      case Msrs.KERNEL_GS_BASE -> kernelGsBase = value;
      case Msrs.TSC_AUX -> tscAux = value & 0xffffffffL;
      default -> throw gp(0);
    }
  }

  private void writeEfer(long value) {
    long old = efer;
    efer = value & ~EFER_LMA | efer & EFER_LMA;
    if (((old ^ efer) & EFER_NXE) != 0) {
      flushTlb();
    }
  }
}
