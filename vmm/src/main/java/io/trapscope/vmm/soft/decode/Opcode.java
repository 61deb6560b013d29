package io.trapscope.vmm.soft.decode;

/**
 * An entry of the opcode table.
 *
 * @param mnemonic the SDM's, in lower case
 * @param imm the immediate that follows
 * @param size how the operand size comes about
 * @param flags bits {@link #MODRM} and so on
 * @param selector picks the handler once the instruction is decoded
 * @param kind what a translator makes of it
 */
public record Opcode(
    String mnemonic, Imm imm, Size size, int flags, HandlerSelector selector, Kind kind) {

  /**
   * Instructions that a translator has code of its own for, by what they do and by their operands:
   * M is ModRM.rm, register or memory; R is ModRM.reg; I is the immediate; destination first. The
   * handler does the same and is what counts.
   */
  public enum Kind {
    /** Only the handler knows what it does. */
    OTHER,
    /** ADD, OR, ADC, SBB, AND, SUB, XOR, CMP: which of them is the op's {@code sub}. */
    ALU_MR,
    ALU_RM,
    ALU_MI,
    TEST_MR,
    TEST_MI,
    INC,
    DEC,
    NEG,
    NOT,
    /** ROL, ROR, RCL, RCR, SHL, SHR, SHL, SAR, by {@code sub}. */
    SHIFT_I,
    SHIFT_ONE,
    SHIFT_CL,
    IMUL_RM,
    IMUL_RMI,
    /** RDX:RAX from RAX and M. */
    MUL,
    MOV_MR,
    MOV_RM,
    MOV_MI,
    LEA,
    MOVZX_8,
    MOVZX_16,
    MOVSX_8,
    MOVSX_16,
    MOVSXD,
    /** CBW, CWDE, CDQE. */
    EXTEND_A,
    /** CWD, CDQ, CQO. */
    EXTEND_A_TO_D,
    CMOV,
    SET,
    BSWAP,
    XCHG,
    /** The operand is a register; RAX itself: nothing. */
    XCHG_A,
    NOP,
    /** The operand is a register. */
    PUSH,
    PUSH_I,
    POP,
    LEAVE,
    JCC,
    JMP,
    JMP_M,
    CALL,
    RET
  }

  /** An entry that only its handler knows. */
  public Opcode(String mnemonic, Imm imm, Size size, int flags, HandlerSelector selector) {
    this(mnemonic, imm, size, flags, selector, Kind.OTHER);
  }

  /** What follows ModRM and displacement. */
  public enum Imm {
    NONE,
    /** Sign-extended byte. */
    BYTE,
    /** Zero-extended byte. */
    UBYTE,
    /** 16-bit, zero-extended. */
    WORD,
    /** Operand size, at most 32 bits, sign-extended. */
    Z,
    /** Operand size, up to 64 bits. */
    V,
    /** Byte relative to the next instruction; becomes the target RIP. */
    REL8,
    /** 16 or 32 bits relative to the next instruction; becomes the target RIP. */
    RELZ,
    /** Far pointer: offset of operand size, then selector. */
    FAR,
    /** Address-size offset, without ModRM: becomes a memory operand. */
    MOFFS,
    /** ENTER's word and byte. */
    ENTER
  }

  /** How the operand size comes about. */
  public enum Size {
    /** 1 byte. */
    B,
    /** 16, 32 or 64 by mode, 66 prefix and REX.W. */
    V,
    /** As V, but 64-bit mode defaults to 64 and 66 selects 16: stack operations. */
    D64,
    /** As V, but always 64 in 64-bit mode: near branches. */
    F64,
    /** 32, or 64 with REX.W in 64-bit mode; the 66 prefix does not count. */
    Y,
    /** 64 in 64-bit mode, else 32: control and debug registers, descriptor tables. */
    NATIVE,
    /** 2 bytes. */
    W,
    /** 4 bytes. */
    D,
    /** 8 bytes. */
    Q,
    /** 16 bytes. */
    X
  }

  /** Has a ModRM byte. */
  public static final int MODRM = 1;

  /** Last of its block: it may change RIP, the mode, or what can interrupt. */
  public static final int END = 1 << 1;

  /** LOCK is allowed on a memory operand. */
  public static final int LOCK = 1 << 2;

  /** #UD in 64-bit mode. */
  public static final int NOT_64 = 1 << 3;

  /** #UD outside 64-bit mode. */
  public static final int ONLY_64 = 1 << 4;

  /** #UD in real and virtual-8086 mode. */
  public static final int PROTECTED = 1 << 5;

  /** #UD with a register operand. */
  public static final int MEM = 1 << 6;

  /** #UD with a memory operand. */
  public static final int REG = 1 << 7;

  /** ModRM.rm is a byte operand whatever the operand size: MOVZX and MOVSX. */
  public static final int RM_BYTE = 1 << 8;

  /** The operand is a register in the opcode's low three bits. */
  public static final int OPCODE_REG = 1 << 9;

  /** x87: #NM with CR0.EM or CR0.TS. */
  public static final int X87 = 1 << 10;

  /** MMX: #UD with CR0.EM, #NM with CR0.TS. */
  public static final int MMX = 1 << 11;

  /** SSE: #UD with CR0.EM or without CR4.OSFXSR, #NM with CR0.TS. */
  public static final int SSE = 1 << 12;

  /** WAIT: #NM with CR0.TS and CR0.MP. */
  public static final int WAIT = 1 << 13;

  /** ModRM.reg and ModRM.rm are not general registers: no byte-register renaming. */
  public static final int NOT_GPR = 1 << 14;

  /** Can neither fault nor exit with a register operand. */
  public static final int NO_FAULT = 1 << 15;

  /** #GP(0) unless CPL is 0. */
  public static final int CPL0 = 1 << 16;

  /** FXSAVE, FXRSTOR: #NM with CR0.EM or CR0.TS, whatever CR4.OSFXSR. */
  public static final int FX = 1 << 17;

  /** Its implied memory operand is on the stack. */
  public static final int STACK = 1 << 18;

  /** String instruction with REP: may stop between iterations with RIP on itself, not retired. */
  public static final int REPEATS = 1 << 19;

  /** INT n, INT3, INTO: no single-step trap after it. */
  public static final int INTERRUPT = 1 << 20;

  /** Sub-opcode is ModRM.reg. */
  public static final int GROUP = 1 << 21;

  /** ModRM.rm stands for rAX, without a ModRM byte. */
  public static final int ACCUMULATOR = 1 << 22;

  /** ModRM.mod counts as 3 whatever it is: MOV to and from control and debug registers. */
  public static final int REG_ALWAYS = 1 << 23;

  /**
   * Ends a block and yet leaves mode, translations and {@code Cpu.attention} as they are: near
   * branches and string instructions. Generated code may go on with a successor.
   */
  public static final int LINKS = 1 << 24;

  /** Instruction sets that a CPU model may lack: #UD then. */
  public static final int SSE3 = 1 << 25;

  public static final int SSSE3 = 1 << 26;
  public static final int SSE4_1 = 1 << 27;
  public static final int SSE4_2 = 1 << 28;
  public static final int POPCNT = 1 << 29;

  public boolean is(int flag) {
    return (flags & flag) != 0;
  }
}
