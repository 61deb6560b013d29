package io.trapscope.vmm.soft.cpu;

import io.trapscope.vmm.soft.decode.Opcode;

/**
 * One decoded instruction. A record, because HotSpot treats the fields of a constant record as
 * constants: in generated code the whole op folds away.
 *
 * @param handler what to run
 * @param opcode the table entry it came from
 * @param size operand size in bytes: 1, 2, 4 or 8
 * @param asize address size in bytes: 2, 4 or 8
 * @param reg register of ModRM.reg (with REX.R); a byte register 16 to 19 is AH, CH, DH, BH
 * @param rm register of ModRM.rm (with REX.B) or of the opcode's low bits, or {@link #MEMORY}
 * @param base base register of the memory operand, or {@link #NONE}
 * @param index index register, or {@link #NONE}
 * @param scale shift of the index: 0 to 3
 * @param seg segment of the memory operand: {@link #NONE} where its base is 0 and nothing is to be
 *     checked, 0 to 5 with checks, {@link #BASE_ONLY} + 4 or 5 where only the base counts (64-bit)
 * @param sub what distinguishes the members of a group: ModRM.reg without REX for groups, the low
 *     four bits of the opcode for conditions
 * @param prefixes bits {@link #LOCK} and so on
 * @param modrm the ModRM byte, 0 where there is none
 * @param disp displacement; RIP-relative ones are already absolute
 * @param imm immediate, sign-extended where the SDM says so; a branch's target as a full RIP; a far
 *     pointer as selector &lt;&lt; 32 | offset; ENTER as level &lt;&lt; 16 | size
 * @param rip RIP of the instruction
 * @param next RIP of the instruction after it
 */
public record Op(
    Handler handler,
    Opcode opcode,
    byte size,
    byte asize,
    byte reg,
    byte rm,
    byte base,
    byte index,
    byte scale,
    byte seg,
    byte sub,
    byte prefixes,
    byte modrm,
    long disp,
    long imm,
    long rip,
    long next) {

  /** In {@link #rm}: the operand is in memory. */
  public static final int MEMORY = -1;

  /** In {@link #base}, {@link #index}, {@link #seg}: there is none. */
  public static final int NONE = -1;

  /** In {@link #seg}: added to a segment register of which only the base is used. */
  public static final int BASE_ONLY = 8;

  /**
   * In {@link #scale}: the address is base + displacement, 64 bits wide, and the offset is linear.
   * With no index the shift does not matter otherwise.
   */
  public static final int BASE_DISP = -1;

  /** The same with 32 bits. */
  public static final int BASE_DISP_32 = -2;

  /** Bits of {@link #prefixes}. */
  public static final int LOCK = 1;

  public static final int REP = 2;
  public static final int REPNE = 4;
  public static final int OPERAND_SIZE = 8;
  public static final int REX_W = 16;

  /** Whether ModRM.rm names memory. */
  public boolean isMemory() {
    return rm < 0;
  }

  /** Whether a bad address of it is a stack fault: implied stack access, or based on RSP or RBP. */
  public boolean usesStack() {
    if (rm >= 0 || base == NONE) {
      return opcode.is(Opcode.STACK);
    }
    return (base == 4 || base == 5) && seg < 0;
  }

  /** Whether this prefix is there. */
  public boolean has(int prefix) {
    return (prefixes & prefix) != 0;
  }
}
