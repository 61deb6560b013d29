package io.trapscope.vmm.soft.decode;

import static io.trapscope.vmm.soft.decode.Opcode.ACCUMULATOR;
import static io.trapscope.vmm.soft.decode.Opcode.END;
import static io.trapscope.vmm.soft.decode.Opcode.GROUP;
import static io.trapscope.vmm.soft.decode.Opcode.LINKS;
import static io.trapscope.vmm.soft.decode.Opcode.LOCK;
import static io.trapscope.vmm.soft.decode.Opcode.MEM;
import static io.trapscope.vmm.soft.decode.Opcode.MODRM;
import static io.trapscope.vmm.soft.decode.Opcode.NOT_64;
import static io.trapscope.vmm.soft.decode.Opcode.OPCODE_REG;
import static io.trapscope.vmm.soft.decode.Opcode.POPCNT;
import static io.trapscope.vmm.soft.decode.Opcode.REPEATS;
import static io.trapscope.vmm.soft.decode.Opcode.RM_BYTE;
import static io.trapscope.vmm.soft.decode.Opcode.STACK;
import static io.trapscope.vmm.soft.decode.OpcodeTable.ALL;
import static io.trapscope.vmm.soft.decode.OpcodeTable.ANY;
import static io.trapscope.vmm.soft.decode.OpcodeTable.NP;
import static io.trapscope.vmm.soft.decode.OpcodeTable.ONE;
import static io.trapscope.vmm.soft.decode.OpcodeTable.P66;
import static io.trapscope.vmm.soft.decode.OpcodeTable.PF3;
import static io.trapscope.vmm.soft.decode.OpcodeTable.THREE_38;
import static io.trapscope.vmm.soft.decode.OpcodeTable.TWO;

import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.decode.Opcode.Imm;
import io.trapscope.vmm.soft.decode.Opcode.Kind;
import io.trapscope.vmm.soft.decode.Opcode.Size;
import io.trapscope.vmm.soft.exec.Alu;
import io.trapscope.vmm.soft.exec.Bits;
import io.trapscope.vmm.soft.exec.Branch;
import io.trapscope.vmm.soft.exec.Faults;
import io.trapscope.vmm.soft.exec.Flags;
import io.trapscope.vmm.soft.exec.Move;
import io.trapscope.vmm.soft.exec.Multiply;
import io.trapscope.vmm.soft.exec.Shift;
import io.trapscope.vmm.soft.exec.Stack;
import io.trapscope.vmm.soft.exec.Strings;

/** The general-purpose part of the opcode table (SDM volume 2, appendix A). */
final class IntegerOpcodes {
  private static final String[] ALU = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};
  private static final String[] SHIFTS = {"rol", "ror", "rcl", "rcr", "shl", "shr", "shl", "sar"};
  private static final String[] CONDITIONS = {
    "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"
  };

  private final OpcodeTable t;

  private IntegerOpcodes(OpcodeTable table) {
    t = table;
  }

  static void register(OpcodeTable table) {
    IntegerOpcodes o = new IntegerOpcodes(table);
    o.arithmetic();
    o.groups();
    o.moves();
    o.exchanges();
    o.extensions();
    o.stack();
    o.branches();
    o.strings();
    o.flags();
    o.bits();
  }

  private void one(int opcode, String name, Imm imm, Size size, int flags, Handler handler) {
    one(opcode, Kind.OTHER, name, imm, size, flags, d -> handler);
  }

  private void one(
      int opcode, Kind kind, String name, Imm imm, Size size, int flags, Handler handler) {
    one(opcode, kind, name, imm, size, flags, d -> handler);
  }

  private void one(
      int opcode, Kind kind, String name, Imm imm, Size size, int flags, HandlerSelector picks) {
    t.define(ONE, ANY, opcode, ALL, new Opcode(name, imm, size, flags, picks, kind));
  }

  private void group(int opcode, int reg, String name, Imm imm, Size size, int flags, Handler h) {
    group(opcode, reg, Kind.OTHER, name, imm, size, flags, d -> h);
  }

  private void group(
      int opcode, int reg, Kind kind, String name, Imm imm, Size size, int flags, Handler h) {
    group(opcode, reg, kind, name, imm, size, flags, d -> h);
  }

  private void group(
      int opcode,
      int reg,
      Kind kind,
      String name,
      Imm imm,
      Size size,
      int flags,
      HandlerSelector picks) {
    int all = flags | MODRM | GROUP;
    t.define(ONE, ANY, opcode, reg, new Opcode(name, imm, size, all, picks, kind));
  }

  private void two(int opcode, String name, Imm imm, Size size, int flags, Handler handler) {
    two(opcode, Kind.OTHER, name, imm, size, flags, d -> handler);
  }

  private void two(
      int opcode, Kind kind, String name, Imm imm, Size size, int flags, Handler handler) {
    two(opcode, kind, name, imm, size, flags, d -> handler);
  }

  private void two(
      int opcode, Kind kind, String name, Imm imm, Size size, int flags, HandlerSelector picks) {
    t.define(TWO, ANY, opcode, ALL, new Opcode(name, imm, size, flags, picks, kind));
  }

  private void arithmetic() {
    for (int kind = 0; kind < 8; kind++) {
      int base = kind << 3;
      boolean cmp = kind == 7;
      int lock = MODRM | (cmp ? 0 : LOCK);
      String name = ALU[kind];
      HandlerSelector rmReg = AluForms.rmReg(kind);
      HandlerSelector regRm = AluForms.regRm(kind);
      HandlerSelector rmImm = AluForms.rmImm(kind);
      one(base, Kind.ALU_MR, name, Imm.NONE, Size.B, lock, rmReg);
      one(base + 1, Kind.ALU_MR, name, Imm.NONE, Size.V, lock, rmReg);
      one(base + 2, Kind.ALU_RM, name, Imm.NONE, Size.B, MODRM, regRm);
      one(base + 3, Kind.ALU_RM, name, Imm.NONE, Size.V, MODRM, regRm);
      one(base + 4, Kind.ALU_MI, name, Imm.Z, Size.B, ACCUMULATOR, rmImm);
      one(base + 5, Kind.ALU_MI, name, Imm.Z, Size.V, ACCUMULATOR, rmImm);
      group(0x80, kind, Kind.ALU_MI, name, Imm.BYTE, Size.B, lock, rmImm);
      group(0x81, kind, Kind.ALU_MI, name, Imm.Z, Size.V, lock, rmImm);
      group(0x82, kind, Kind.ALU_MI, name, Imm.BYTE, Size.B, lock | NOT_64, rmImm);
      group(0x83, kind, Kind.ALU_MI, name, Imm.BYTE, Size.V, lock, rmImm);
    }
    one(0x84, Kind.TEST_MR, "test", Imm.NONE, Size.B, MODRM, Alu::testRmReg);
    one(0x85, Kind.TEST_MR, "test", Imm.NONE, Size.V, MODRM, AluForms::test);
    one(0xa8, Kind.TEST_MI, "test", Imm.Z, Size.B, ACCUMULATOR, Alu::testRmImm);
    one(0xa9, Kind.TEST_MI, "test", Imm.Z, Size.V, ACCUMULATOR, AluForms::testImm);
    for (int r = 0; r < 8; r++) {
      one(0x40 + r, Kind.INC, "inc", Imm.NONE, Size.V, OPCODE_REG | NOT_64, Alu::inc);
      one(0x48 + r, Kind.DEC, "dec", Imm.NONE, Size.V, OPCODE_REG | NOT_64, Alu::dec);
    }
    one(0x69, Kind.IMUL_RMI, "imul", Imm.Z, Size.V, MODRM, Multiply::imulRmImm);
    one(0x6b, Kind.IMUL_RMI, "imul", Imm.BYTE, Size.V, MODRM, Multiply::imulRmImm);
    two(0xaf, Kind.IMUL_RM, "imul", Imm.NONE, Size.V, MODRM, Multiply::imulRegRm);
    one(0x27, "daa", Imm.NONE, Size.B, NOT_64, Multiply::daa);
    one(0x2f, "das", Imm.NONE, Size.B, NOT_64, Multiply::das);
    one(0x37, "aaa", Imm.NONE, Size.B, NOT_64, Multiply::aaa);
    one(0x3f, "aas", Imm.NONE, Size.B, NOT_64, Multiply::aas);
    one(0xd4, "aam", Imm.UBYTE, Size.B, NOT_64, Multiply::aam);
    one(0xd5, "aad", Imm.UBYTE, Size.B, NOT_64, Multiply::aad);
  }

  private void groups() {
    for (int wide = 0; wide < 2; wide++) {
      Size size = wide == 0 ? Size.B : Size.V;
      for (int kind = 0; kind < 8; kind++) {
        String name = SHIFTS[kind];
        group(0xc0 + wide, kind, Kind.SHIFT_I, name, Imm.UBYTE, size, 0, AluForms.shiftImm(kind));
        group(0xd0 + wide, kind, Kind.SHIFT_ONE, name, Imm.NONE, size, 0, Shift::byOne);
        group(0xd2 + wide, kind, Kind.SHIFT_CL, name, Imm.NONE, size, 0, Shift::byCl);
      }
      int f6 = 0xf6 + wide;
      group(f6, 0, Kind.TEST_MI, "test", Imm.Z, size, 0, AluForms::testImm);
      group(f6, 1, Kind.TEST_MI, "test", Imm.Z, size, 0, AluForms::testImm);
      group(f6, 2, Kind.NOT, "not", Imm.NONE, size, LOCK, Alu::not);
      group(f6, 3, Kind.NEG, "neg", Imm.NONE, size, LOCK, Alu::neg);
      group(f6, 4, Kind.MUL, "mul", Imm.NONE, size, 0, Multiply::mul);
      group(f6, 5, "imul", Imm.NONE, size, 0, Multiply::imul);
      group(f6, 6, "div", Imm.NONE, size, 0, Multiply::div);
      group(f6, 7, "idiv", Imm.NONE, size, 0, Multiply::idiv);
      group(0xfe + wide, 0, Kind.INC, "inc", Imm.NONE, size, LOCK, AluForms::inc);
      group(0xfe + wide, 1, Kind.DEC, "dec", Imm.NONE, size, LOCK, AluForms::dec);
      group(0xc6 + wide, 0, Kind.MOV_MI, "mov", Imm.Z, size, 0, Move::rmImm);
    }
    group(0xff, 2, "call", Imm.NONE, Size.F64, END | LINKS, Branch::callRm);
    group(0xff, 4, Kind.JMP_M, "jmp", Imm.NONE, Size.F64, END | LINKS, Branch::jumpRm);
    group(0xff, 6, "push", Imm.NONE, Size.D64, 0, Stack::pushRm);
    group(0x8f, 0, "pop", Imm.NONE, Size.D64, STACK, Stack::popRm);
  }

  private void moves() {
    one(0x88, Kind.MOV_MR, "mov", Imm.NONE, Size.B, MODRM, Move::rmReg);
    one(0x89, Kind.MOV_MR, "mov", Imm.NONE, Size.V, MODRM, MoveForms::rmReg);
    one(0x8a, Kind.MOV_RM, "mov", Imm.NONE, Size.B, MODRM, Move::regRm);
    one(0x8b, Kind.MOV_RM, "mov", Imm.NONE, Size.V, MODRM, MoveForms::regRm);
    one(0x8d, Kind.LEA, "lea", Imm.NONE, Size.V, MODRM | MEM, MoveForms::lea);
    one(0xa0, "mov", Imm.MOFFS, Size.B, 0, Move::accumulatorMem);
    one(0xa1, "mov", Imm.MOFFS, Size.V, 0, Move::accumulatorMem);
    one(0xa2, "mov", Imm.MOFFS, Size.B, 0, Move::memAccumulator);
    one(0xa3, "mov", Imm.MOFFS, Size.V, 0, Move::memAccumulator);
    for (int r = 0; r < 8; r++) {
      one(0xb0 + r, Kind.MOV_MI, "mov", Imm.V, Size.B, OPCODE_REG, Move::regImm);
      one(0xb8 + r, Kind.MOV_MI, "mov", Imm.V, Size.V, OPCODE_REG, MoveForms::regImm);
      two(0xc8 + r, Kind.BSWAP, "bswap", Imm.NONE, Size.V, OPCODE_REG, Move::byteSwap);
    }
    one(0xd7, "xlat", Imm.NONE, Size.B, 0, Move::translate);
    two(0xc3, "movnti", Imm.NONE, Size.Y, MODRM | MEM, Move::nonTemporal);
    for (int cc = 0; cc < 16; cc++) {
      two(
          0x40 + cc,
          Kind.CMOV,
          "cmov" + CONDITIONS[cc],
          Imm.NONE,
          Size.V,
          MODRM,
          Move::conditional);
      two(
          0x90 + cc,
          Kind.SET,
          "set" + CONDITIONS[cc],
          Imm.NONE,
          Size.B,
          MODRM,
          Move::setOnCondition);
    }
    t.define(THREE_38, NP, 0xf0, ALL, "movbe", Imm.NONE, Size.V, MODRM | MEM, Move::loadSwapped);
    t.define(THREE_38, P66, 0xf0, ALL, "movbe", Imm.NONE, Size.V, MODRM | MEM, Move::loadSwapped);
    t.define(THREE_38, NP, 0xf1, ALL, "movbe", Imm.NONE, Size.V, MODRM | MEM, Move::storeSwapped);
    t.define(THREE_38, P66, 0xf1, ALL, "movbe", Imm.NONE, Size.V, MODRM | MEM, Move::storeSwapped);
  }

  private void exchanges() {
    one(0x86, Kind.XCHG, "xchg", Imm.NONE, Size.B, MODRM | LOCK, Move::exchange);
    one(0x87, Kind.XCHG, "xchg", Imm.NONE, Size.V, MODRM | LOCK, Move::exchange);
    for (int r = 0; r < 8; r++) {
      one(0x90 + r, Kind.XCHG_A, "xchg", Imm.NONE, Size.V, OPCODE_REG, Move::exchangeAccumulator);
    }
    one(
        0x90,
        Kind.XCHG_A,
        "nop",
        Imm.NONE,
        Size.V,
        OPCODE_REG,
        (HandlerSelector) d -> (d.rex & 1) != 0 ? Move::exchangeAccumulator : Move::nothing);
    two(0xb0, "cmpxchg", Imm.NONE, Size.B, MODRM | LOCK, Alu::compareExchange);
    two(0xb1, "cmpxchg", Imm.NONE, Size.V, MODRM | LOCK, Alu::compareExchange);
    two(0xc0, "xadd", Imm.NONE, Size.B, MODRM | LOCK, Alu::exchangeAdd);
    two(0xc1, "xadd", Imm.NONE, Size.V, MODRM | LOCK, Alu::exchangeAdd);
    int pair = MODRM | LOCK | MEM | GROUP;
    t.define(TWO, ANY, 0xc7, 1, "cmpxchg8b", Imm.NONE, Size.Y, pair, Alu::compareExchangePair);
  }

  private void extensions() {
    two(0xb6, Kind.MOVZX_8, "movzx", Imm.NONE, Size.V, MODRM | RM_BYTE, MoveForms::zeroExtend8);
    two(0xb7, Kind.MOVZX_16, "movzx", Imm.NONE, Size.V, MODRM, MoveForms::zeroExtend16);
    two(0xbe, Kind.MOVSX_8, "movsx", Imm.NONE, Size.V, MODRM | RM_BYTE, Move::signExtend8);
    two(0xbf, Kind.MOVSX_16, "movsx", Imm.NONE, Size.V, MODRM, Move::signExtend16);
    one(0x98, Kind.EXTEND_A, "cbw", Imm.NONE, Size.V, 0, Move::convertAccumulator);
    one(0x99, Kind.EXTEND_A_TO_D, "cwd", Imm.NONE, Size.V, 0, Move::signIntoData);
  }

  private void stack() {
    for (int r = 0; r < 8; r++) {
      one(0x50 + r, Kind.PUSH, "push", Imm.NONE, Size.D64, OPCODE_REG | STACK, MoveForms::push);
      one(0x58 + r, Kind.POP, "pop", Imm.NONE, Size.D64, OPCODE_REG | STACK, MoveForms::pop);
    }
    one(0x68, Kind.PUSH_I, "push", Imm.Z, Size.D64, STACK, Stack::pushImm);
    one(0x6a, Kind.PUSH_I, "push", Imm.BYTE, Size.D64, STACK, Stack::pushImm);
    one(0x60, "pusha", Imm.NONE, Size.V, NOT_64 | STACK, Stack::pushAll);
    one(0x61, "popa", Imm.NONE, Size.V, NOT_64 | STACK, Stack::popAll);
    one(0x9c, "pushf", Imm.NONE, Size.D64, STACK, Stack::pushFlags);
    one(0x9d, "popf", Imm.NONE, Size.D64, END | STACK, Stack::popFlags);
    one(0xc8, "enter", Imm.ENTER, Size.D64, STACK, Stack::enter);
    one(0xc9, Kind.LEAVE, "leave", Imm.NONE, Size.D64, STACK, Stack::leave);
  }

  private void branches() {
    for (int cc = 0; cc < 16; cc++) {
      HandlerSelector jcc = AluForms::jump;
      one(0x70 + cc, Kind.JCC, "j" + CONDITIONS[cc], Imm.REL8, Size.F64, END | LINKS, jcc);
      two(0x80 + cc, Kind.JCC, "j" + CONDITIONS[cc], Imm.RELZ, Size.F64, END | LINKS, jcc);
    }
    one(0xe0, "loopne", Imm.REL8, Size.F64, END | LINKS, Branch::loop);
    one(0xe1, "loope", Imm.REL8, Size.F64, END | LINKS, Branch::loop);
    one(0xe2, "loop", Imm.REL8, Size.F64, END | LINKS, Branch::loop);
    one(0xe3, "jcxz", Imm.REL8, Size.F64, END | LINKS, Branch::loop);
    one(
        0xe8,
        Kind.CALL,
        "call",
        Imm.RELZ,
        Size.F64,
        END | LINKS | STACK,
        (HandlerSelector) d -> d.code64() ? Branch::call64 : Branch::call);
    one(0xe9, Kind.JMP, "jmp", Imm.RELZ, Size.F64, END | LINKS, Branch::jump);
    one(0xeb, Kind.JMP, "jmp", Imm.REL8, Size.F64, END | LINKS, Branch::jump);
    one(0xc2, "ret", Imm.WORD, Size.F64, END | LINKS | STACK, Branch::ret);
    one(
        0xc3,
        Kind.RET,
        "ret",
        Imm.NONE,
        Size.F64,
        END | LINKS | STACK,
        (HandlerSelector) d -> d.code64() ? Branch::ret64 : Branch::ret);
  }

  private void strings() {
    int flags = END | LINKS | REPEATS;
    one(0xa4, "movs", Imm.NONE, Size.B, flags, Strings::movs);
    one(0xa5, "movs", Imm.NONE, Size.V, flags, Strings::movs);
    one(0xa6, "cmps", Imm.NONE, Size.B, flags, Strings::cmps);
    one(0xa7, "cmps", Imm.NONE, Size.V, flags, Strings::cmps);
    one(0xaa, "stos", Imm.NONE, Size.B, flags, Strings::stos);
    one(0xab, "stos", Imm.NONE, Size.V, flags, Strings::stos);
    one(0xac, "lods", Imm.NONE, Size.B, flags, Strings::lods);
    one(0xad, "lods", Imm.NONE, Size.V, flags, Strings::lods);
    one(0xae, "scas", Imm.NONE, Size.B, flags, Strings::scas);
    one(0xaf, "scas", Imm.NONE, Size.V, flags, Strings::scas);
  }

  private void flags() {
    one(0xf5, "cmc", Imm.NONE, Size.B, 0, Flags::cmc);
    one(0xf8, "clc", Imm.NONE, Size.B, 0, Flags::clc);
    one(0xf9, "stc", Imm.NONE, Size.B, 0, Flags::stc);
    one(0xfc, "cld", Imm.NONE, Size.B, 0, Flags::cld);
    one(0xfd, "std", Imm.NONE, Size.B, 0, Flags::std);
    one(0x9e, "sahf", Imm.NONE, Size.B, 0, Flags::sahf);
    one(0x9f, "lahf", Imm.NONE, Size.B, 0, Flags::lahf);
    one(0xd6, "salc", Imm.NONE, Size.B, NOT_64, Flags::salc);
    two(0x0b, "ud2", Imm.NONE, Size.B, END, Faults::undefined);
    two(0xb9, "ud1", Imm.NONE, Size.B, END | MODRM, Faults::undefined);
    two(0xff, "ud0", Imm.NONE, Size.B, END | MODRM, Faults::undefined);
    two(0x0d, "prefetchw", Imm.NONE, Size.B, MODRM | MEM, Move::nothing);
    for (int op = 0x18; op <= 0x1f; op++) {
      two(op, Kind.NOP, "nop", Imm.NONE, Size.V, MODRM, Move::nothing);
    }
    for (int reg = 5; reg < 8; reg++) {
      int fence = MODRM | Opcode.REG | GROUP;
      t.define(TWO, NP, 0xae, reg, "fence", Imm.NONE, Size.B, fence, Move::nothing);
    }
    int clflush = MODRM | MEM | GROUP;
    t.define(TWO, NP, 0xae, 7, "clflush", Imm.NONE, Size.B, clflush, Bits::touch);
  }

  private void bits() {
    two(0xa3, "bt", Imm.NONE, Size.V, MODRM, Bits::btReg);
    two(0xab, "bts", Imm.NONE, Size.V, MODRM | LOCK, Bits::btsReg);
    two(0xb3, "btr", Imm.NONE, Size.V, MODRM | LOCK, Bits::btrReg);
    two(0xbb, "btc", Imm.NONE, Size.V, MODRM | LOCK, Bits::btcReg);
    String[] names = {"bt", "bts", "btr", "btc"};
    for (int i = 0; i < 4; i++) {
      int flags = MODRM | GROUP | (i == 0 ? 0 : LOCK);
      t.define(TWO, ANY, 0xba, 4 + i, names[i], Imm.UBYTE, Size.V, flags, Bits::testImm);
    }
    two(0xbc, "bsf", Imm.NONE, Size.V, MODRM, Bits::scanForward);
    two(0xbd, "bsr", Imm.NONE, Size.V, MODRM, Bits::scanReverse);
    t.define(
        TWO, PF3, 0xb8, ALL, "popcnt", Imm.NONE, Size.V, MODRM | POPCNT, Bits::populationCount);
    two(0xa4, "shld", Imm.UBYTE, Size.V, MODRM, Shift::leftDoubleImm);
    two(0xa5, "shld", Imm.NONE, Size.V, MODRM, Shift::leftDoubleCl);
    two(0xac, "shrd", Imm.UBYTE, Size.V, MODRM, Shift::rightDoubleImm);
    two(0xad, "shrd", Imm.NONE, Size.V, MODRM, Shift::rightDoubleCl);
    // ONLY_64 takes the place of ARPL there.
    t.define(
        ONE,
        ANY,
        0x63,
        ALL,
        new Opcode(
            "movsxd",
            Imm.NONE,
            Size.V,
            MODRM,
            d -> d.code64() ? Move::signExtend32 : SystemOpcodes.arpl(d),
            Kind.MOVSXD));
  }
}
