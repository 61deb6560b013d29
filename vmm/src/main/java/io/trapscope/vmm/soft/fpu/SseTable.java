package io.trapscope.vmm.soft.fpu;

import static io.trapscope.vmm.soft.decode.OpcodeTable.ALL;
import static io.trapscope.vmm.soft.decode.OpcodeTable.NP;
import static io.trapscope.vmm.soft.decode.OpcodeTable.P66;
import static io.trapscope.vmm.soft.decode.OpcodeTable.PF2;
import static io.trapscope.vmm.soft.decode.OpcodeTable.PF3;
import static io.trapscope.vmm.soft.decode.OpcodeTable.TWO;

import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.decode.Opcode;
import io.trapscope.vmm.soft.decode.OpcodeTable;
import java.util.function.IntFunction;

/** Moves and floating-point instructions of SSE to SSE3 in the opcode table (SDM volume 2, A.3). */
final class SseTable {
  private final OpcodeTable table;

  private SseTable(OpcodeTable table) {
    this.table = table;
  }

  static void register(OpcodeTable table) {
    SseTable sse = new SseTable(table);
    sse.moves();
    sse.halves();
    sse.logic();
    sse.arithmetic();
    sse.compare();
    sse.convert();
    sse.convertMmx();
    sse.sse3();
    sse.control();
  }

  private void define(int prefix, int opcode, String mnemonic, int more, Handler handler) {
    table.define(
        TWO,
        prefix,
        opcode,
        ALL,
        mnemonic,
        Opcode.Imm.NONE,
        Opcode.Size.X,
        Simd.SSE | more,
        handler);
  }

  private void define(int prefix, int opcode, String mnemonic, Handler handler) {
    define(prefix, opcode, mnemonic, 0, handler);
  }

  private void immediate(int prefix, int opcode, String mnemonic, Handler handler) {
    table.define(
        TWO, prefix, opcode, ALL, mnemonic, Opcode.Imm.UBYTE, Opcode.Size.X, Simd.SSE, handler);
  }

  /** With a general register or memory operand of 4 or 8 bytes. */
  private void general(int prefix, int opcode, String mnemonic, Handler handler) {
    table.define(
        TWO, prefix, opcode, ALL, mnemonic, Opcode.Imm.NONE, Opcode.Size.Y, Simd.SSE, handler);
  }

  private void moves() {
    define(NP, 0x10, "movups", SseMove::loadUnaligned);
    define(P66, 0x10, "movupd", SseMove::loadUnaligned);
    define(PF3, 0x10, "movss", SseMove::loadSs);
    define(PF2, 0x10, "movsd", SseMove::loadSd);
    define(NP, 0x11, "movups", SseMove::storeUnaligned);
    define(P66, 0x11, "movupd", SseMove::storeUnaligned);
    define(PF3, 0x11, "movss", SseMove::storeSs);
    define(PF2, 0x11, "movsd", SseMove::storeSd);
    define(NP, 0x28, "movaps", SseMove::loadAligned);
    define(P66, 0x28, "movapd", SseMove::loadAligned);
    define(NP, 0x29, "movaps", SseMove::storeAligned);
    define(P66, 0x29, "movapd", SseMove::storeAligned);
    define(NP, 0x2B, "movntps", Opcode.MEM, SseMove::storeAligned);
    define(P66, 0x2B, "movntpd", Opcode.MEM, SseMove::storeAligned);
    define(P66, 0x6F, "movdqa", SseMove::loadAligned);
    define(PF3, 0x6F, "movdqu", SseMove::loadUnaligned);
    define(P66, 0x7F, "movdqa", SseMove::storeAligned);
    define(PF3, 0x7F, "movdqu", SseMove::storeUnaligned);
    define(P66, 0xE7, "movntdq", Opcode.MEM, SseMove::storeAligned);
    define(PF3, 0x7E, "movq", SseMove::movq);
    define(P66, 0xD6, "movq", SseMove::movqStore);
    general(P66, 0x6E, "movd", SseMove::fromGeneral);
    general(P66, 0x7E, "movd", SseMove::toGeneral);
    define(PF3, 0xD6, "movq2dq", Opcode.REG, SseMove::movq2dq);
    define(PF2, 0xD6, "movdq2q", Opcode.REG, SseMove::movdq2q);
    define(P66, 0xF7, "maskmovdqu", Opcode.REG, SseMove::maskmovdqu);
    table.define(
        TWO,
        NP,
        0xC3,
        ALL,
        "movnti",
        Opcode.Imm.NONE,
        Opcode.Size.Y,
        Opcode.MODRM | Opcode.MEM,
        SseMove::movnti);
  }

  private void halves() {
    define(NP, 0x12, "movlps", SseMove::loadLowHalf);
    define(P66, 0x12, "movlpd", Opcode.MEM, SseMove::loadLowHalf);
    define(NP, 0x13, "movlps", Opcode.MEM, SseMove::storeLowHalf);
    define(P66, 0x13, "movlpd", Opcode.MEM, SseMove::storeLowHalf);
    define(NP, 0x16, "movhps", SseMove::loadHighHalf);
    define(P66, 0x16, "movhpd", Opcode.MEM, SseMove::loadHighHalf);
    define(NP, 0x17, "movhps", Opcode.MEM, SseMove::storeHighHalf);
    define(P66, 0x17, "movhpd", Opcode.MEM, SseMove::storeHighHalf);
    Handler lowSingles =
        SseInteger.interleaveLow(
            PackedInteger::interleaveLowDoublewords, PackedInteger::interleaveHighDoublewords);
    Handler highSingles =
        SseInteger.interleaveHigh(
            PackedInteger::interleaveLowDoublewords, PackedInteger::interleaveHighDoublewords);
    define(NP, 0x14, "unpcklps", lowSingles);
    define(NP, 0x15, "unpckhps", highSingles);
    define(P66, 0x14, "unpcklpd", Simd.wide(SseInteger::interleaveLowQuadwords));
    define(P66, 0x15, "unpckhpd", Simd.wide(SseInteger::interleaveHighQuadwords));
    immediate(NP, 0xC6, "shufps", Simd.wide(SseInteger::shufps));
    immediate(P66, 0xC6, "shufpd", Simd.wide(SseInteger::shufpd));
    define(NP, 0x50, "movmskps", Opcode.REG, SseInteger::movmskps);
    define(P66, 0x50, "movmskpd", Opcode.REG, SseInteger::movmskpd);
  }

  private void logic() {
    for (int prefix = NP; prefix <= P66; prefix++) {
      String type = prefix == NP ? "ps" : "pd";
      define(prefix, 0x54, "and" + type, Simd.lanes(PackedInteger::and));
      define(prefix, 0x55, "andn" + type, Simd.lanes(PackedInteger::andNot));
      define(prefix, 0x56, "or" + type, Simd.lanes(PackedInteger::or));
      define(prefix, 0x57, "xor" + type, Simd.lanes(PackedInteger::xor));
    }
  }

  private void operation(
      int opcode, String name, SseArithmetic.Single single, SseArithmetic.Double64 wide) {
    define(NP, opcode, name + "ps", SseArithmetic.ps(single));
    define(PF3, opcode, name + "ss", SseArithmetic.ss(single));
    define(P66, opcode, name + "pd", SseArithmetic.pd(wide));
    define(PF2, opcode, name + "sd", SseArithmetic.sd(wide));
  }

  private void arithmetic() {
    operation(0x51, "sqrt", (s, a, b) -> s.sqrt32(b), (s, a, b) -> s.sqrt64(b));
    operation(0x58, "add", SseFloat::add32, SseFloat::add64);
    operation(0x59, "mul", SseFloat::mul32, SseFloat::mul64);
    operation(0x5C, "sub", SseFloat::sub32, SseFloat::sub64);
    operation(0x5D, "min", SseFloat::min32, SseFloat::min64);
    operation(0x5E, "div", SseFloat::div32, SseFloat::div64);
    operation(0x5F, "max", SseFloat::max32, SseFloat::max64);
    define(NP, 0x52, "rsqrtps", SseArithmetic.approximatePs(true));
    define(PF3, 0x52, "rsqrtss", SseArithmetic.approximateSs(true));
    define(NP, 0x53, "rcpps", SseArithmetic.approximatePs(false));
    define(PF3, 0x53, "rcpss", SseArithmetic.approximateSs(false));
  }

  /** A comparison whose immediate picks the handler. */
  private void predicate(int prefix, String mnemonic, IntFunction<Handler> handlers) {
    table.define(
        TWO,
        prefix,
        0xC2,
        ALL,
        new Opcode(
            mnemonic,
            Opcode.Imm.UBYTE,
            Opcode.Size.X,
            Simd.SSE,
            d -> handlers.apply((int) d.imm & 7)));
  }

  private void compare() {
    define(NP, 0x2E, "ucomiss", SseArithmetic.compareSs(false));
    define(NP, 0x2F, "comiss", SseArithmetic.compareSs(true));
    define(P66, 0x2E, "ucomisd", SseArithmetic.compareSd(false));
    define(P66, 0x2F, "comisd", SseArithmetic.compareSd(true));
    predicate(NP, "cmpps", SseArithmetic::cmpps);
    predicate(PF3, "cmpss", SseArithmetic::cmpss);
    predicate(P66, "cmppd", SseArithmetic::cmppd);
    predicate(PF2, "cmpsd", SseArithmetic::cmpsd);
  }

  private void convert() {
    define(NP, 0x5A, "cvtps2pd", SseArithmetic::cvtps2pd);
    define(P66, 0x5A, "cvtpd2ps", SseArithmetic::cvtpd2ps);
    define(PF3, 0x5A, "cvtss2sd", SseArithmetic::cvtss2sd);
    define(PF2, 0x5A, "cvtsd2ss", SseArithmetic::cvtsd2ss);
    define(NP, 0x5B, "cvtdq2ps", SseArithmetic::cvtdq2ps);
    define(P66, 0x5B, "cvtps2dq", SseArithmetic.ps2dq(false));
    define(PF3, 0x5B, "cvttps2dq", SseArithmetic.ps2dq(true));
    define(P66, 0xE6, "cvttpd2dq", SseArithmetic.pd2dq(true));
    define(PF2, 0xE6, "cvtpd2dq", SseArithmetic.pd2dq(false));
    define(PF3, 0xE6, "cvtdq2pd", SseArithmetic::cvtdq2pd);
    general(PF3, 0x2A, "cvtsi2ss", SseArithmetic::cvtsi2ss);
    general(PF2, 0x2A, "cvtsi2sd", SseArithmetic::cvtsi2sd);
    general(PF3, 0x2C, "cvttss2si", SseArithmetic.ss2si(true));
    general(PF2, 0x2C, "cvttsd2si", SseArithmetic.sd2si(true));
    general(PF3, 0x2D, "cvtss2si", SseArithmetic.ss2si(false));
    general(PF2, 0x2D, "cvtsd2si", SseArithmetic.sd2si(false));
  }

  private void convertMmx() {
    define(NP, 0x2A, "cvtpi2ps", SseArithmetic::cvtpi2ps);
    define(P66, 0x2A, "cvtpi2pd", SseArithmetic::cvtpi2pd);
    define(NP, 0x2C, "cvttps2pi", SseArithmetic.ps2pi(true));
    define(P66, 0x2C, "cvttpd2pi", SseArithmetic.pd2pi(true));
    define(NP, 0x2D, "cvtps2pi", SseArithmetic.ps2pi(false));
    define(P66, 0x2D, "cvtpd2pi", SseArithmetic.pd2pi(false));
  }

  private void sse3() {
    define(PF2, 0xF0, "lddqu", Opcode.SSE3 | Opcode.MEM, SseMove::loadUnaligned);
    define(PF2, 0x12, "movddup", Opcode.SSE3, SseMove::movddup);
    define(PF3, 0x12, "movsldup", Opcode.SSE3, Simd.wide(SseMove::movsldup));
    define(PF3, 0x16, "movshdup", Opcode.SSE3, Simd.wide(SseMove::movshdup));
    define(PF2, 0xD0, "addsubps", Opcode.SSE3, SseArithmetic::addsubps);
    define(P66, 0xD0, "addsubpd", Opcode.SSE3, SseArithmetic::addsubpd);
    define(PF2, 0x7C, "haddps", Opcode.SSE3, SseArithmetic.horizontalPs(SseFloat::add32));
    define(P66, 0x7C, "haddpd", Opcode.SSE3, SseArithmetic.horizontalPd(SseFloat::add64));
    define(PF2, 0x7D, "hsubps", Opcode.SSE3, SseArithmetic.horizontalPs(SseFloat::sub32));
    define(P66, 0x7D, "hsubpd", Opcode.SSE3, SseArithmetic.horizontalPd(SseFloat::sub64));
  }

  private void group15(int reg, String mnemonic, int flags, Handler handler) {
    table.define(
        TWO,
        NP,
        0xAE,
        reg,
        mnemonic,
        Opcode.Imm.NONE,
        Opcode.Size.D,
        Opcode.MODRM | flags,
        handler);
  }

  private void control() {
    group15(2, "ldmxcsr", Opcode.SSE | Opcode.MEM, X87Control::ldmxcsr);
    group15(3, "stmxcsr", Opcode.SSE | Opcode.MEM, X87Control::stmxcsr);
    group15(5, "lfence", Opcode.REG, SseMove::nothing);
    group15(6, "mfence", Opcode.REG, SseMove::nothing);
    group15(7, "sfence", Opcode.REG, SseMove::nothing);
    group15(7, "clflush", Opcode.MEM, SseMove::clflush);
    int memory = Opcode.MODRM | Opcode.MEM;
    for (int reg = 0; reg < 4; reg++) {
      table.define(
          TWO,
          OpcodeTable.ANY,
          0x18,
          reg,
          "prefetch",
          Opcode.Imm.NONE,
          Opcode.Size.B,
          memory,
          SseMove::nothing);
    }
    table.define(
        TWO,
        OpcodeTable.ANY,
        0x0D,
        ALL,
        "prefetchw",
        Opcode.Imm.NONE,
        Opcode.Size.B,
        memory,
        SseMove::nothing);
  }
}
