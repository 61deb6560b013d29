package io.trapscope.vmm.soft.fpu;

import static io.trapscope.vmm.soft.decode.OpcodeTable.ALL;
import static io.trapscope.vmm.soft.decode.OpcodeTable.NP;
import static io.trapscope.vmm.soft.decode.OpcodeTable.P66;
import static io.trapscope.vmm.soft.decode.OpcodeTable.PF2;
import static io.trapscope.vmm.soft.decode.OpcodeTable.PF3;
import static io.trapscope.vmm.soft.decode.OpcodeTable.THREE_38;
import static io.trapscope.vmm.soft.decode.OpcodeTable.THREE_3A;
import static io.trapscope.vmm.soft.decode.OpcodeTable.TWO;

import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.decode.Opcode;
import io.trapscope.vmm.soft.decode.OpcodeTable;

/**
 * Packed-integer instructions, most of which exist on MMX registers and, with prefix 66, on XMM
 * registers (SDM volume 2, A.3): MMX, SSE, SSE2 and SSSE3.
 */
final class MmxTable {
  private final OpcodeTable table;

  private MmxTable(OpcodeTable table) {
    this.table = table;
  }

  static void register(OpcodeTable table) {
    MmxTable mmx = new MmxTable(table);
    mmx.arithmetic();
    mmx.saturating();
    mmx.multiply();
    mmx.minMaxAverage();
    mmx.compareAndLogic();
    mmx.shifts();
    mmx.packs();
    mmx.interleaves();
    mmx.shuffles();
    mmx.moves();
    mmx.ssse3();
    mmx.ssse3Horizontal();
  }

  private void define(
      int map, int prefix, int opcode, String mnemonic, Opcode.Imm imm, int flags, Handler h) {
    Opcode.Size size = prefix == NP ? Opcode.Size.Q : Opcode.Size.X;
    int more = map == TWO ? 0 : Opcode.SSSE3;
    table.define(map, prefix, opcode, ALL, mnemonic, imm, size, flags | more, h);
  }

  private void mmx(int opcode, String mnemonic, Handler handler) {
    define(TWO, NP, opcode, mnemonic, Opcode.Imm.NONE, Simd.MMX, handler);
  }

  private void xmm(int opcode, String mnemonic, Handler handler) {
    define(TWO, P66, opcode, mnemonic, Opcode.Imm.NONE, Simd.SSE, handler);
  }

  private void both(int opcode, String mnemonic, Simd.Lane f) {
    mmx(opcode, mnemonic, Simd.mmx(f));
    xmm(opcode, mnemonic, Simd.lanes(f));
  }

  private void arithmetic() {
    both(0xFC, "paddb", PackedInteger::addBytes);
    both(0xFD, "paddw", PackedInteger::addWords);
    both(0xFE, "paddd", PackedInteger::addDoublewords);
    both(0xD4, "paddq", Long::sum);
    both(0xF8, "psubb", PackedInteger::subtractBytes);
    both(0xF9, "psubw", PackedInteger::subtractWords);
    both(0xFA, "psubd", PackedInteger::subtractDoublewords);
    both(0xFB, "psubq", (a, b) -> a - b);
  }

  private void saturating() {
    both(0xEC, "paddsb", PackedInteger.bytes((a, b) -> PackedInteger.signed8(a + b)));
    both(0xED, "paddsw", PackedInteger.words((a, b) -> PackedInteger.signed16(a + b)));
    both(0xE8, "psubsb", PackedInteger.bytes((a, b) -> PackedInteger.signed8(a - b)));
    both(0xE9, "psubsw", PackedInteger.words((a, b) -> PackedInteger.signed16(a - b)));
    both(0xDC, "paddusb", PackedInteger.bytes((a, b) -> Math.min((a & 255) + (b & 255), 255)));
    both(
        0xDD, "paddusw", PackedInteger.words((a, b) -> Math.min((a & 65535) + (b & 65535), 65535)));
    both(0xD8, "psubusb", PackedInteger.bytes((a, b) -> Math.max((a & 255) - (b & 255), 0)));
    both(0xD9, "psubusw", PackedInteger.words((a, b) -> Math.max((a & 65535) - (b & 65535), 0)));
  }

  private void multiply() {
    both(0xD5, "pmullw", PackedInteger.words((a, b) -> a * b));
    both(0xE5, "pmulhw", PackedInteger.words((a, b) -> a * b >> 16));
    both(0xE4, "pmulhuw", PackedInteger.words((a, b) -> (a & 65535) * (b & 65535) >>> 16));
    both(0xF4, "pmuludq", PackedInteger::multiplyUnsignedDoublewords);
    both(0xF5, "pmaddwd", PackedInteger::multiplyAddWords);
    both(0xF6, "psadbw", PackedInteger::sumOfDifferences);
  }

  private void minMaxAverage() {
    both(0xDA, "pminub", PackedInteger.bytes((a, b) -> Math.min(a & 255, b & 255)));
    both(0xDE, "pmaxub", PackedInteger.bytes((a, b) -> Math.max(a & 255, b & 255)));
    both(0xEA, "pminsw", PackedInteger.words(Math::min));
    both(0xEE, "pmaxsw", PackedInteger.words(Math::max));
    both(0xE0, "pavgb", PackedInteger.bytes((a, b) -> (a & 255) + (b & 255) + 1 >> 1));
    both(0xE3, "pavgw", PackedInteger.words((a, b) -> (a & 65535) + (b & 65535) + 1 >> 1));
  }

  private void compareAndLogic() {
    both(0x64, "pcmpgtb", PackedInteger.bytes((a, b) -> a > b ? -1 : 0));
    both(0x65, "pcmpgtw", PackedInteger.words((a, b) -> a > b ? -1 : 0));
    both(0x66, "pcmpgtd", PackedInteger.doublewords((a, b) -> a > b ? -1 : 0));
    both(0x74, "pcmpeqb", PackedInteger::equalBytes);
    both(0x75, "pcmpeqw", PackedInteger::equalWords);
    both(0x76, "pcmpeqd", PackedInteger::equalDoublewords);
    both(0xDB, "pand", PackedInteger::and);
    both(0xDF, "pandn", PackedInteger::andNot);
    both(0xEB, "por", PackedInteger::or);
    both(0xEF, "pxor", PackedInteger::xor);
  }

  private void shift(int opcode, String mnemonic, int kind, int bits) {
    mmx(opcode, mnemonic, SseInteger.mmxShift(kind, bits));
    xmm(opcode, mnemonic, SseInteger.shift(kind, bits));
  }

  private void shiftGroup(int opcode, int reg, String mnemonic, int kind, int bits) {
    table.define(
        TWO,
        NP,
        opcode,
        reg,
        mnemonic,
        Opcode.Imm.UBYTE,
        Opcode.Size.Q,
        Simd.MMX | Opcode.REG,
        SseInteger.mmxShiftImmediate(kind, bits));
    table.define(
        TWO,
        P66,
        opcode,
        reg,
        mnemonic,
        Opcode.Imm.UBYTE,
        Opcode.Size.X,
        Simd.SSE | Opcode.REG,
        SseInteger.shiftImmediate(kind, bits));
  }

  private void shifts() {
    String[] names = {"w", "d", "q"};
    for (int i = 0; i < 3; i++) {
      int bits = 16 << i;
      shift(0xD1 + i, "psrl" + names[i], PackedInteger.RIGHT, bits);
      shift(0xF1 + i, "psll" + names[i], PackedInteger.LEFT, bits);
      shiftGroup(0x71 + i, 2, "psrl" + names[i], PackedInteger.RIGHT, bits);
      shiftGroup(0x71 + i, 6, "psll" + names[i], PackedInteger.LEFT, bits);
      if (i < 2) {
        shift(0xE1 + i, "psra" + names[i], PackedInteger.ARITHMETIC, bits);
        shiftGroup(0x71 + i, 4, "psra" + names[i], PackedInteger.ARITHMETIC, bits);
      }
    }
    int flags = Simd.SSE | Opcode.REG;
    table.define(
        TWO, P66, 0x73, 3, "psrldq", Opcode.Imm.UBYTE, Opcode.Size.X, flags, SseInteger::psrldq);
    table.define(
        TWO, P66, 0x73, 7, "pslldq", Opcode.Imm.UBYTE, Opcode.Size.X, flags, SseInteger::pslldq);
  }

  private void packs() {
    mmx(0x63, "packsswb", Simd.mmx(PackedInteger::packSignedWords));
    xmm(0x63, "packsswb", SseInteger.pack(PackedInteger::packSignedWords));
    mmx(0x67, "packuswb", Simd.mmx(PackedInteger::packUnsignedWords));
    xmm(0x67, "packuswb", SseInteger.pack(PackedInteger::packUnsignedWords));
    mmx(0x6B, "packssdw", Simd.mmx(PackedInteger::packSignedDoublewords));
    xmm(0x6B, "packssdw", SseInteger.pack(PackedInteger::packSignedDoublewords));
  }

  private void interleave(int opcode, String type, Simd.Lane low, Simd.Lane high) {
    mmx(opcode, "punpckl" + type, Simd.mmxLow(low));
    mmx(opcode + 8, "punpckh" + type, Simd.mmx(high));
    xmm(opcode, "punpckl" + type, SseInteger.interleaveLow(low, high));
    xmm(opcode + 8, "punpckh" + type, SseInteger.interleaveHigh(low, high));
  }

  private void interleaves() {
    interleave(0x60, "bw", PackedInteger::interleaveLowBytes, PackedInteger::interleaveHighBytes);
    interleave(0x61, "wd", PackedInteger::interleaveLowWords, PackedInteger::interleaveHighWords);
    interleave(
        0x62,
        "dq",
        PackedInteger::interleaveLowDoublewords,
        PackedInteger::interleaveHighDoublewords);
    xmm(0x6C, "punpcklqdq", Simd.wide(SseInteger::interleaveLowQuadwords));
    xmm(0x6D, "punpckhqdq", Simd.wide(SseInteger::interleaveHighQuadwords));
  }

  private void immediate(int prefix, int opcode, String mnemonic, int flags, Handler handler) {
    define(TWO, prefix, opcode, mnemonic, Opcode.Imm.UBYTE, flags, handler);
  }

  private void shuffles() {
    immediate(NP, 0x70, "pshufw", Simd.MMX, SseInteger::pshufw);
    immediate(P66, 0x70, "pshufd", Simd.SSE, Simd.wide(SseInteger::pshufd));
    immediate(PF3, 0x70, "pshufhw", Simd.SSE, Simd.wide(SseInteger::pshufhw));
    immediate(PF2, 0x70, "pshuflw", Simd.SSE, Simd.wide(SseInteger::pshuflw));
    immediate(NP, 0xC4, "pinsrw", Simd.MMX, SseInteger::pinsrwMmx);
    immediate(P66, 0xC4, "pinsrw", Simd.SSE, SseInteger::pinsrw);
    immediate(NP, 0xC5, "pextrw", Simd.MMX | Opcode.REG, SseInteger::pextrwMmx);
    immediate(P66, 0xC5, "pextrw", Simd.SSE | Opcode.REG, SseInteger::pextrw);
  }

  private void moves() {
    int reg = Opcode.REG;
    define(TWO, NP, 0xD7, "pmovmskb", Opcode.Imm.NONE, Simd.MMX | reg, SseInteger::pmovmskbMmx);
    define(TWO, P66, 0xD7, "pmovmskb", Opcode.Imm.NONE, Simd.SSE | reg, SseInteger::pmovmskb);
    mmx(0x6F, "movq", SseMove::loadMmx);
    mmx(0x7F, "movq", SseMove::storeMmx);
    table.define(
        TWO,
        NP,
        0x6E,
        ALL,
        "movd",
        Opcode.Imm.NONE,
        Opcode.Size.Y,
        Simd.MMX,
        SseMove::fromGeneralMmx);
    table.define(
        TWO,
        NP,
        0x7E,
        ALL,
        "movd",
        Opcode.Imm.NONE,
        Opcode.Size.Y,
        Simd.MMX,
        SseMove::toGeneralMmx);
    define(TWO, NP, 0xE7, "movntq", Opcode.Imm.NONE, Simd.MMX | Opcode.MEM, SseMove::storeMmx);
    define(TWO, NP, 0xF7, "maskmovq", Opcode.Imm.NONE, Simd.MMX | reg, SseMove::maskmovq);
    table.define(
        TWO, NP, 0x77, ALL, "emms", Opcode.Imm.NONE, Opcode.Size.B, Opcode.MMX, SseInteger::emms);
  }

  // ---- SSSE3 ---------------------------------------------------------------------------------

  private void three(int opcode, String mnemonic, Simd.Lane f) {
    define(THREE_38, NP, opcode, mnemonic, Opcode.Imm.NONE, Simd.MMX, Simd.mmx(f));
    define(THREE_38, P66, opcode, mnemonic, Opcode.Imm.NONE, Simd.SSE, Simd.lanes(f));
  }

  private void ssse3() {
    three(0x04, "pmaddubsw", PackedInteger::multiplyAddBytes);
    three(0x08, "psignb", PackedInteger.bytes(PackedInteger::sign));
    three(0x09, "psignw", PackedInteger.words(PackedInteger::sign));
    three(0x0A, "psignd", PackedInteger.doublewords(PackedInteger::sign));
    three(0x0B, "pmulhrsw", PackedInteger.words(PackedInteger::multiplyRounded));
    three(0x1C, "pabsb", PackedInteger.bytes((a, b) -> Math.abs(b)));
    three(0x1D, "pabsw", PackedInteger.words((a, b) -> Math.abs(b)));
    three(0x1E, "pabsd", PackedInteger.doublewords((a, b) -> Math.abs(b)));
    define(THREE_38, NP, 0x00, "pshufb", Opcode.Imm.NONE, Simd.MMX, Simd.mmx(Sse4::shuffleBytes));
    define(THREE_38, P66, 0x00, "pshufb", Opcode.Imm.NONE, Simd.SSE, Simd.wide(Sse4::shuffleBytes));
    define(THREE_3A, NP, 0x0F, "palignr", Opcode.Imm.UBYTE, Simd.MMX, SseInteger::palignrMmx);
    define(
        THREE_3A, P66, 0x0F, "palignr", Opcode.Imm.UBYTE, Simd.SSE, Simd.wide(SseInteger::palignr));
  }

  /** A horizontal operation: {@code half} makes 32 bits out of 64. */
  private void horizontal(int opcode, String mnemonic, java.util.function.LongUnaryOperator half) {
    Simd.Lane lane = (a, b) -> half.applyAsLong(a) | half.applyAsLong(b) << 32;
    define(THREE_38, NP, opcode, mnemonic, Opcode.Imm.NONE, Simd.MMX, Simd.mmx(lane));
    define(THREE_38, P66, opcode, mnemonic, Opcode.Imm.NONE, Simd.SSE, SseInteger.pack(lane));
  }

  private void ssse3Horizontal() {
    horizontal(0x01, "phaddw", x -> PackedInteger.horizontalWords(x, false, false));
    horizontal(0x02, "phaddd", x -> PackedInteger.horizontalDoublewords(x, false));
    horizontal(0x03, "phaddsw", x -> PackedInteger.horizontalWords(x, false, true));
    horizontal(0x05, "phsubw", x -> PackedInteger.horizontalWords(x, true, false));
    horizontal(0x06, "phsubd", x -> PackedInteger.horizontalDoublewords(x, true));
    horizontal(0x07, "phsubsw", x -> PackedInteger.horizontalWords(x, true, true));
  }
}
