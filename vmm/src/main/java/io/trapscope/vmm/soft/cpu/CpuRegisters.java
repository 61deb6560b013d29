package io.trapscope.vmm.soft.cpu;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.soft.fpu.FpuState;

/**
 * Registers and flags.
 *
 * <p>The six arithmetic flags are lazy: an instruction notes what it did ({@link #flagKind}) with
 * its sign-extended result and operands, and a flag is computed when something reads it. Sign
 * extension makes one formula serve all operand sizes.
 */
public abstract class CpuRegisters {
  public static final int RAX = CpuState.RAX;
  public static final int RCX = CpuState.RCX;
  public static final int RDX = CpuState.RDX;
  public static final int RBX = CpuState.RBX;
  public static final int RSP = CpuState.RSP;
  public static final int RBP = CpuState.RBP;
  public static final int RSI = CpuState.RSI;
  public static final int RDI = CpuState.RDI;

  public static final int ES = CpuState.ES;
  public static final int CS = CpuState.CS;
  public static final int SS = CpuState.SS;
  public static final int DS = CpuState.DS;
  public static final int FS = CpuState.FS;
  public static final int GS = CpuState.GS;
  public static final int LDTR = 6;
  public static final int TR = 7;

  /** RFLAGS bits (SDM volume 1, section 3.4.3). */
  public static final int CF = 1;

  public static final int PF = 1 << 2;
  public static final int AF = 1 << 4;
  public static final int ZF = 1 << 6;
  public static final int SF = 1 << 7;
  public static final int TF = 1 << 8;
  public static final int IF = 1 << 9;
  public static final int DF = 1 << 10;
  public static final int OF = 1 << 11;
  public static final int IOPL = 3 << 12;
  public static final int NT = 1 << 14;
  public static final int RF = 1 << 16;
  public static final int VM = 1 << 17;
  public static final int AC = 1 << 18;
  public static final int VIF = 1 << 19;
  public static final int VIP = 1 << 20;
  public static final int ID = 1 << 21;
  public static final int ARITHMETIC = CF | PF | AF | ZF | SF | OF;

  /** DR6.BD: debug registers were accessed while DR7.GD was set. */
  public static final int DR6_BD = 1 << 13;

  /** CR0 bits (SDM volume 3, section 2.5). */
  public static final long CR0_PE = 1;

  public static final long CR0_MP = 1 << 1;
  public static final long CR0_EM = 1 << 2;
  public static final long CR0_TS = 1 << 3;
  public static final long CR0_ET = 1 << 4;
  public static final long CR0_NE = 1 << 5;
  public static final long CR0_WP = 1 << 16;
  public static final long CR0_AM = 1 << 18;
  public static final long CR0_NW = 1 << 29;
  public static final long CR0_CD = 1 << 30;
  public static final long CR0_PG = 1L << 31;

  /** CR4 bits. */
  public static final long CR4_VME = 1;

  public static final long CR4_PVI = 1 << 1;
  public static final long CR4_TSD = 1 << 2;
  public static final long CR4_DE = 1 << 3;
  public static final long CR4_PSE = 1 << 4;
  public static final long CR4_PAE = 1 << 5;
  public static final long CR4_MCE = 1 << 6;
  public static final long CR4_PGE = 1 << 7;
  public static final long CR4_PCE = 1 << 8;
  public static final long CR4_OSFXSR = 1 << 9;
  public static final long CR4_OSXMMEXCPT = 1 << 10;
  public static final long CR4_UMIP = 1 << 11;
  public static final long CR4_FSGSBASE = 1 << 16;
  public static final long CR4_SMEP = 1 << 20;
  public static final long CR4_SMAP = 1 << 21;

  /** EFER bits. */
  public static final long EFER_SCE = 1;

  public static final long EFER_LME = 1 << 8;
  public static final long EFER_LMA = 1 << 10;
  public static final long EFER_NXE = 1 << 11;

  /** Kinds of {@link #flagKind}: how to get CF, OF and AF out of result and operands. */
  public static final int ADD = 0;

  /** Addition with a carry of 1 coming in. */
  public static final int ADC = 1;

  public static final int SUB = 2;

  /** Subtraction with a borrow of 1 coming in. */
  public static final int SBB = 3;

  public static final int LOGIC = 4;

  /** {@link #flagA} holds the operand, {@link #flagB} the CF that stays. */
  public static final int INC = 5;

  public static final int DEC = 6;

  /** ZF, SF, PF from the result; CF, OF, AF are bits of {@link #flagB}. */
  public static final int BITS = 7;

  /** All six are bits of {@link #flagB}. */
  public static final int RAW = 8;

  public final long[] gpr = new long[16];

  /** RIP of the next block while a block runs; exact between blocks. */
  public long rip;

  public int flagKind = RAW;
  public long flagResult;
  public long flagA;
  public long flagB;

  /** RFLAGS without the arithmetic flags. */
  public int eflags = 2;

  public final int[] segSelector = new int[8];
  public final long[] segBase = new long[8];

  /** Limits in bytes, granularity applied: 0 to 0xffffffff. */
  public final long[] segLimit = new long[8];

  /** VMX access-rights format, see {@link CpuState.Segment}. */
  public final int[] segAccess = new int[8];

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
  public final long[] dr = new long[8];

  /** Current privilege level. */
  public int cpl;

  /** {@link Mode} bits of the current state. */
  public int mode;

  public final FpuState fpu = new FpuState();

  /** A register's low {@code size} bytes, zero-extended. Byte registers 16 to 19 are AH to BH. */
  public final long reg(int size, int n) {
    return switch (size) {
      case 8 -> gpr[n];
      case 4 -> gpr[n] & 0xffffffffL;
      case 2 -> gpr[n] & 0xffff;
      default -> n < 16 ? gpr[n] & 0xff : gpr[n - 16] >>> 8 & 0xff;
    };
  }

  /**
   * Sets a register's low {@code size} bytes; 4 bytes clear the upper half, 1 and 2 keep the rest.
   */
  public final void setReg(int size, int n, long value) {
    switch (size) {
      case 8 -> gpr[n] = value;
      case 4 -> gpr[n] = value & 0xffffffffL;
      case 2 -> gpr[n] = gpr[n] & ~0xffffL | value & 0xffff;
      default -> {
        if (n < 16) {
          gpr[n] = gpr[n] & ~0xffL | value & 0xff;
        } else {
          gpr[n - 16] = gpr[n - 16] & ~0xff00L | (value & 0xff) << 8;
        }
      }
    }
  }

  /** Sign-extends the low {@code size} bytes. */
  public static long signed(int size, long value) {
    return switch (size) {
      case 8 -> value;
      case 4 -> (int) value;
      case 2 -> (short) value;
      default -> (byte) value;
    };
  }

  /** Zero-extends the low {@code size} bytes. */
  public static long unsigned(int size, long value) {
    return switch (size) {
      case 8 -> value;
      case 4 -> value & 0xffffffffL;
      case 2 -> value & 0xffff;
      default -> value & 0xff;
    };
  }

  /** Notes the flags of an operation; all values sign-extended from the operand size. */
  public final void flags(int kind, long result, long a, long b) {
    flagKind = kind;
    flagResult = result;
    flagA = a;
    flagB = b;
  }

  /** Notes the flags of AND, OR, XOR and TEST. */
  public final void logicFlags(long result) {
    flagKind = LOGIC;
    flagResult = result;
  }

  /** ZF, SF and PF of a sign-extended result; CF, OF and AF as given. */
  public final void flagBits(long result, long bits) {
    flagKind = BITS;
    flagResult = result;
    flagB = bits;
  }

  private static boolean below(long a, long b) {
    return a + Long.MIN_VALUE < b + Long.MIN_VALUE;
  }

  public final boolean carry() {
    return switch (flagKind) {
      case ADD -> below(flagResult, flagA);
      case ADC -> !below(flagA, flagResult);
      case SUB -> below(flagA, flagB);
      case SBB -> !below(flagB, flagA);
      case LOGIC -> false;
      default -> (flagB & CF) != 0;
    };
  }

  public final boolean zero() {
    return flagKind == RAW ? (flagB & ZF) != 0 : flagResult == 0;
  }

  public final boolean sign() {
    return flagKind == RAW ? (flagB & SF) != 0 : flagResult < 0;
  }

  public final boolean parity() {
    return flagKind == RAW
        ? (flagB & PF) != 0
        : (Integer.bitCount((int) flagResult & 0xff) & 1) == 0;
  }

  public final boolean overflow() {
    return switch (flagKind) {
      case ADD, ADC -> ((flagA ^ flagResult) & (flagB ^ flagResult)) < 0;
      case SUB, SBB -> ((flagA ^ flagB) & (flagA ^ flagResult)) < 0;
      case LOGIC -> false;
      case INC -> (~flagA & flagResult) < 0;
      case DEC -> (flagA & ~flagResult) < 0;
      default -> (flagB & OF) != 0;
    };
  }

  public final boolean adjust() {
    return switch (flagKind) {
      case ADD, ADC, SUB, SBB -> ((flagA ^ flagB ^ flagResult) & AF) != 0;
      case LOGIC -> false;
      case INC, DEC -> ((flagA ^ flagResult) & AF) != 0;
      default -> (flagB & AF) != 0;
    };
  }

  /** A condition as the low four bits of Jcc, SETcc and CMOVcc encode it. */
  public final boolean condition(int code) {
    boolean value =
        switch (code >> 1) {
          case 0 -> overflow();
          case 1 -> carry();
          case 2 -> zero();
          case 3 -> belowOrEqual();
          case 4 -> sign();
          case 5 -> parity();
          case 6 -> less();
          default -> lessOrEqual();
        };
    return value ^ (code & 1) != 0;
  }

  public final boolean belowOrEqual() {
    return flagKind == SUB ? !below(flagB, flagA) : carry() || zero();
  }

  public final boolean less() {
    return flagKind == SUB ? flagA < flagB : sign() != overflow();
  }

  public final boolean lessOrEqual() {
    return flagKind == SUB ? flagA <= flagB : zero() || sign() != overflow();
  }

  /** The six arithmetic flags as RFLAGS bits. */
  public final int arithmeticFlags() {
    if (flagKind == RAW) {
      return (int) flagB & ARITHMETIC;
    }
    return (carry() ? CF : 0)
        | (parity() ? PF : 0)
        | (adjust() ? AF : 0)
        | (zero() ? ZF : 0)
        | (sign() ? SF : 0)
        | (overflow() ? OF : 0);
  }

  /** Sets the six arithmetic flags from RFLAGS bits. */
  public final void setArithmeticFlags(int bits) {
    flagKind = RAW;
    flagB = bits & ARITHMETIC;
  }

  /** Sets CF and keeps the other five. */
  public final void setCarry(boolean value) {
    int carry = value ? CF : 0;
    if (flagKind == RAW) {
      flagB = flagB & ~CF | carry;
    } else {
      flagB = (overflow() ? OF : 0) | (adjust() ? AF : 0) | carry;
      flagKind = BITS;
    }
  }

  /** Sets CF and OF from their RFLAGS bits and keeps the other four. */
  public final void setCarryAndOverflow(int bits) {
    if (flagKind == RAW) {
      flagB = flagB & ~(CF | OF) | bits;
    } else {
      flagB = (adjust() ? AF : 0) | bits;
      flagKind = BITS;
    }
  }

  /** RFLAGS as a whole. */
  public final int rflags() {
    return eflags & ~ARITHMETIC | arithmeticFlags() | 2;
  }

  public final boolean longMode() {
    return (efer & EFER_LMA) != 0;
  }

  public final boolean code64() {
    return (mode & Mode.CODE) == Mode.CODE_64;
  }

  /** CR0.PE set and EFLAGS.VM clear. */
  public final boolean isProtected() {
    return (mode & Mode.PROTECTED) != 0;
  }

  public final boolean isV86() {
    return (mode & Mode.V86) != 0;
  }

  public final int iopl() {
    return eflags >> 12 & 3;
  }
}
