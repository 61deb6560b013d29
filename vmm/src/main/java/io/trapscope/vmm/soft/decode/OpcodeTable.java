package io.trapscope.vmm.soft.decode;

import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.fpu.FpuTable;

/**
 * The opcode table: what every encoding means. Indexed by map, mandatory prefix, opcode byte,
 * ModRM.reg and whether ModRM names memory; a later definition replaces an earlier one, so that
 * exceptions follow the rule they are exceptions to.
 */
public final class OpcodeTable {
  /** Opcode maps: one byte, 0F, 0F 38, 0F 3A. */
  public static final int ONE = 0;

  public static final int TWO = 1;
  public static final int THREE_38 = 2;
  public static final int THREE_3A = 3;

  /** Mandatory prefixes; {@code ANY} defines all four. */
  public static final int ANY = -1;

  public static final int NP = 0;
  public static final int P66 = 1;
  public static final int PF3 = 2;
  public static final int PF2 = 3;

  /** Any ModRM.reg. */
  public static final int ALL = -1;

  private static final OpcodeTable INSTANCE = new OpcodeTable();

  private final Opcode[] entries = new Opcode[4 * 4 * 256 * 16];
  private final boolean[] modrm = new boolean[4 * 256];

  static {
    IntegerOpcodes.register(INSTANCE);
    SystemOpcodes.register(INSTANCE);
    FpuTable.register(INSTANCE);
  }

  private OpcodeTable() {}

  /** The table. */
  public static OpcodeTable get() {
    return INSTANCE;
  }

  /** Defines one encoding with one handler. See {@link #define(int, int, int, int, Opcode)}. */
  public void define(
      int map,
      int prefix,
      int opcode,
      int reg,
      String mnemonic,
      Opcode.Imm imm,
      Opcode.Size size,
      int flags,
      Handler handler) {
    define(map, prefix, opcode, reg, new Opcode(mnemonic, imm, size, flags, d -> handler));
  }

  /**
   * Defines an encoding.
   *
   * @param map {@link #ONE} to {@link #THREE_3A}
   * @param prefix {@link #NP} to {@link #PF2}, or {@link #ANY}
   * @param opcode the opcode byte
   * @param reg ModRM.reg, or {@link #ALL}
   * @param entry what it is; with {@link Opcode#MEM} or {@link Opcode#REG} only that half is
   *     defined
   */
  public void define(int map, int prefix, int opcode, int reg, Opcode entry) {
    modrm[map << 8 | opcode] = entry.is(Opcode.MODRM);
    for (int p = 0; p < 4; p++) {
      for (int r = 0; r < 8; r++) {
        if ((prefix == ANY || prefix == p) && (reg == ALL || reg == r)) {
          if (!entry.is(Opcode.REG)) {
            entries[index(map, p, opcode, r, 0)] = entry;
          }
          if (!entry.is(Opcode.MEM)) {
            entries[index(map, p, opcode, r, 1)] = entry;
          }
        }
      }
    }
  }

  /** Whether a ModRM byte follows this opcode. */
  boolean hasModrm(int map, int opcode) {
    return modrm[map << 8 | opcode];
  }

  /** The entry, or null where there is none. */
  Opcode find(int map, int prefix, int opcode, int modrmByte) {
    int register = modrmByte >= 0xc0 ? 1 : 0;
    return entries[index(map, prefix, opcode, modrmByte >> 3 & 7, register)];
  }

  private static int index(int map, int prefix, int opcode, int reg, int register) {
    return ((map * 4 + prefix) * 256 + opcode) * 16 + reg * 2 + register;
  }
}
