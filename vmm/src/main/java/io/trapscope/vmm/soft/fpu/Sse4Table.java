package io.trapscope.vmm.soft.fpu;

import static io.trapscope.vmm.soft.decode.OpcodeTable.ALL;
import static io.trapscope.vmm.soft.decode.OpcodeTable.P66;
import static io.trapscope.vmm.soft.decode.OpcodeTable.PF2;
import static io.trapscope.vmm.soft.decode.OpcodeTable.THREE_38;
import static io.trapscope.vmm.soft.decode.OpcodeTable.THREE_3A;

import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.decode.Opcode;
import io.trapscope.vmm.soft.decode.OpcodeTable;

/** SSE4.1 and SSE4.2 in the opcode table (SDM volume 2, A.3, tables ). */
final class Sse4Table {
  private final OpcodeTable table;

  private Sse4Table(OpcodeTable table) {
    this.table = table;
  }

  static void register(OpcodeTable table) {
    Sse4Table sse4 = new Sse4Table(table);
    sse4.blendsAndTests();
    sse4.widening();
    sse4.integers();
    sse4.minMax();
    sse4.insertsAndExtracts();
    sse4.floatingPoint();
    sse4.strings();
    sse4.crc();
  }

  /** SSE4.2 is PCMPGTQ, the string comparisons (0F 3A 60 on) and CRC32; the rest is SSE4.1. */
  private static int set(boolean second) {
    return Simd.SSE | (second ? Opcode.SSE4_2 : Opcode.SSE4_1);
  }

  private void define(int opcode, String mnemonic, Handler handler) {
    int flags = set(opcode == 0x37);
    table.define(
        THREE_38, P66, opcode, ALL, mnemonic, Opcode.Imm.NONE, Opcode.Size.X, flags, handler);
  }

  private void immediate(int opcode, String mnemonic, Opcode.Size size, Handler handler) {
    int flags = set(opcode >= 0x60);
    table.define(THREE_3A, P66, opcode, ALL, mnemonic, Opcode.Imm.UBYTE, size, flags, handler);
  }

  private void immediate(int opcode, String mnemonic, Handler handler) {
    immediate(opcode, mnemonic, Opcode.Size.X, handler);
  }

  private void blendsAndTests() {
    define(0x10, "pblendvb", Sse4.blendByRegister(8));
    define(0x14, "blendvps", Sse4.blendByRegister(32));
    define(0x15, "blendvpd", Sse4.blendByRegister(64));
    define(0x17, "ptest", Sse4::ptest);
    immediate(0x0C, "blendps", Sse4.blendByImmediate(32));
    immediate(0x0D, "blendpd", Sse4.blendByImmediate(64));
    immediate(0x0E, "pblendw", Sse4.blendByImmediate(16));
  }

  private void widening() {
    int[][] forms = {{8, 16}, {8, 32}, {8, 64}, {16, 32}, {16, 64}, {32, 64}};
    String[] names = {"bw", "bd", "bq", "wd", "wq", "dq"};
    for (int i = 0; i < forms.length; i++) {
      define(0x20 + i, "pmovsx" + names[i], Sse4.widen(forms[i][0], forms[i][1], true));
      define(0x30 + i, "pmovzx" + names[i], Sse4.widen(forms[i][0], forms[i][1], false));
    }
  }

  private void integers() {
    define(0x28, "pmuldq", Simd.lanes(PackedInteger::multiplySignedDoublewords));
    define(0x29, "pcmpeqq", Simd.lanes(PackedInteger::equalQuadwords));
    define(0x37, "pcmpgtq", Simd.lanes(PackedInteger::greaterQuadwords));
    define(0x2B, "packusdw", SseInteger.pack(PackedInteger::packUnsignedDoublewords));
    define(0x40, "pmulld", Simd.lanes(PackedInteger.doublewords((a, b) -> a * b)));
    define(0x41, "phminposuw", Simd.wide(Sse4::phminposuw));
    immediate(0x42, "mpsadbw", Simd.wide(Sse4::mpsadbw));
    table.define(
        THREE_38,
        P66,
        0x2A,
        ALL,
        "movntdqa",
        Opcode.Imm.NONE,
        Opcode.Size.X,
        set(false) | Opcode.MEM,
        SseMove::loadAligned);
  }

  private void minMax() {
    define(0x38, "pminsb", Simd.lanes(PackedInteger.bytes(Math::min)));
    define(0x3C, "pmaxsb", Simd.lanes(PackedInteger.bytes(Math::max)));
    define(0x39, "pminsd", Simd.lanes(PackedInteger.doublewords(Math::min)));
    define(0x3D, "pmaxsd", Simd.lanes(PackedInteger.doublewords(Math::max)));
    define(
        0x3A, "pminuw", Simd.lanes(PackedInteger.words((a, b) -> Math.min(a & 65535, b & 65535))));
    define(
        0x3E, "pmaxuw", Simd.lanes(PackedInteger.words((a, b) -> Math.max(a & 65535, b & 65535))));
    define(
        0x3B,
        "pminud",
        Simd.lanes(PackedInteger.doublewords((a, b) -> Integer.compareUnsigned(a, b) < 0 ? a : b)));
    define(
        0x3F,
        "pmaxud",
        Simd.lanes(PackedInteger.doublewords((a, b) -> Integer.compareUnsigned(a, b) > 0 ? a : b)));
  }

  private void insertsAndExtracts() {
    immediate(0x14, "pextrb", (cpu, op) -> Sse4.extract(cpu, op, 1));
    immediate(0x15, "pextrw", (cpu, op) -> Sse4.extract(cpu, op, 2));
    immediate(0x16, "pextrd", Opcode.Size.Y, (cpu, op) -> Sse4.extract(cpu, op, op.size()));
    immediate(0x17, "extractps", (cpu, op) -> Sse4.extract(cpu, op, 4));
    immediate(0x20, "pinsrb", (cpu, op) -> Sse4.insert(cpu, op, 1));
    immediate(0x21, "insertps", Sse4::insertps);
    immediate(0x22, "pinsrd", Opcode.Size.Y, (cpu, op) -> Sse4.insert(cpu, op, op.size()));
  }

  private void floatingPoint() {
    immediate(0x08, "roundps", Sse4::roundps);
    immediate(0x09, "roundpd", Sse4::roundpd);
    immediate(0x0A, "roundss", Sse4::roundss);
    immediate(0x0B, "roundsd", Sse4::roundsd);
    immediate(0x40, "dpps", Sse4::dpps);
    immediate(0x41, "dppd", Sse4::dppd);
  }

  private void strings() {
    immediate(0x60, "pcmpestrm", SseString.compare(true, true));
    immediate(0x61, "pcmpestri", SseString.compare(true, false));
    immediate(0x62, "pcmpistrm", SseString.compare(false, true));
    immediate(0x63, "pcmpistri", SseString.compare(false, false));
  }

  private void crc() {
    table.define(
        THREE_38,
        PF2,
        0xF0,
        ALL,
        "crc32",
        Opcode.Imm.NONE,
        Opcode.Size.Y,
        Opcode.MODRM | Opcode.RM_BYTE | Opcode.SSE4_2,
        (cpu, op) -> Sse4.crc32(cpu, op, true));
    table.define(
        THREE_38,
        PF2,
        0xF1,
        ALL,
        "crc32",
        Opcode.Imm.NONE,
        Opcode.Size.V,
        Opcode.MODRM | Opcode.SSE4_2,
        (cpu, op) -> Sse4.crc32(cpu, op, false));
  }
}
