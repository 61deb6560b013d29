package io.trapscope.vmm.soft.decode;

import static io.trapscope.vmm.soft.decode.Opcode.CPL0;
import static io.trapscope.vmm.soft.decode.Opcode.END;
import static io.trapscope.vmm.soft.decode.Opcode.GROUP;
import static io.trapscope.vmm.soft.decode.Opcode.MEM;
import static io.trapscope.vmm.soft.decode.Opcode.MODRM;
import static io.trapscope.vmm.soft.decode.Opcode.NOT_64;
import static io.trapscope.vmm.soft.decode.Opcode.NOT_GPR;
import static io.trapscope.vmm.soft.decode.Opcode.PROTECTED;
import static io.trapscope.vmm.soft.decode.Opcode.REG;
import static io.trapscope.vmm.soft.decode.Opcode.REPEATS;
import static io.trapscope.vmm.soft.decode.Opcode.STACK;
import static io.trapscope.vmm.soft.decode.OpcodeTable.ALL;
import static io.trapscope.vmm.soft.decode.OpcodeTable.ANY;
import static io.trapscope.vmm.soft.decode.OpcodeTable.ONE;
import static io.trapscope.vmm.soft.decode.OpcodeTable.TWO;

import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.cpu.Mode;
import io.trapscope.vmm.soft.decode.Opcode.Imm;
import io.trapscope.vmm.soft.decode.Opcode.Size;
import io.trapscope.vmm.soft.exec.Control;
import io.trapscope.vmm.soft.exec.FarTransfer;
import io.trapscope.vmm.soft.exec.Flags;
import io.trapscope.vmm.soft.exec.Interrupts;
import io.trapscope.vmm.soft.exec.Io;
import io.trapscope.vmm.soft.exec.Move;
import io.trapscope.vmm.soft.exec.Segments;
import io.trapscope.vmm.soft.exec.Stack;
import io.trapscope.vmm.soft.exec.SystemCalls;

/** The system part of the opcode table: segments, far transfers, privileged instructions, ports. */
final class SystemOpcodes {
  private final OpcodeTable t;

  private SystemOpcodes(OpcodeTable table) {
    t = table;
  }

  static void register(OpcodeTable table) {
    SystemOpcodes o = new SystemOpcodes(table);
    o.ports();
    o.interrupts();
    o.farTransfers();
    o.segments();
    o.tables();
    o.control();
    o.systemCalls();
  }

  /** ARPL, which shares its opcode with MOVSXD. */
  static Handler arpl(Decoded d) {
    return (d.mode & Mode.PROTECTED) != 0 ? Segments::arpl : null;
  }

  private void one(int opcode, String name, Imm imm, Size size, int flags, Handler handler) {
    t.define(ONE, ANY, opcode, ALL, name, imm, size, flags, handler);
  }

  private void two(int opcode, String name, Size size, int flags, Handler handler) {
    t.define(TWO, ANY, opcode, ALL, name, Imm.NONE, size, flags, handler);
  }

  private void group(int opcode, int reg, String name, Size size, int flags, Handler handler) {
    t.define(TWO, ANY, opcode, reg, name, Imm.NONE, size, flags | MODRM | GROUP, handler);
  }

  private void ports() {
    one(0xe4, "in", Imm.UBYTE, Size.B, END, Io::inImm);
    one(0xe5, "in", Imm.UBYTE, Size.V, END, Io::inImm);
    one(0xe6, "out", Imm.UBYTE, Size.B, END, Io::outImm);
    one(0xe7, "out", Imm.UBYTE, Size.V, END, Io::outImm);
    one(0xec, "in", Imm.NONE, Size.B, END, Io::inDx);
    one(0xed, "in", Imm.NONE, Size.V, END, Io::inDx);
    one(0xee, "out", Imm.NONE, Size.B, END, Io::outDx);
    one(0xef, "out", Imm.NONE, Size.V, END, Io::outDx);
    one(0x6c, "ins", Imm.NONE, Size.B, END | REPEATS, Io::ins);
    one(0x6d, "ins", Imm.NONE, Size.V, END | REPEATS, Io::ins);
    one(0x6e, "outs", Imm.NONE, Size.B, END | REPEATS, Io::outs);
    one(0x6f, "outs", Imm.NONE, Size.V, END | REPEATS, Io::outs);
  }

  private void interrupts() {
    int flags = END | Opcode.INTERRUPT;
    one(0xcc, "int3", Imm.NONE, Size.B, flags, Interrupts::int3);
    one(0xcd, "int", Imm.UBYTE, Size.B, flags, Interrupts::intN);
    one(0xce, "into", Imm.NONE, Size.B, flags | NOT_64, Interrupts::into);
    one(0xf1, "int1", Imm.NONE, Size.B, flags, Interrupts::int1);
    one(0xfa, "cli", Imm.NONE, Size.B, 0, Flags::cli);
    one(0xfb, "sti", Imm.NONE, Size.B, END, Flags::sti);
    one(0xf4, "hlt", Imm.NONE, Size.B, END | CPL0, Control::hlt);
    Opcode bound =
        new Opcode("bound", Imm.NONE, Size.V, MODRM | MEM | NOT_64, d -> Interrupts::bound);
    t.define(ONE, ANY, 0x62, ALL, bound);
  }

  private void farTransfers() {
    one(0x9a, "callf", Imm.FAR, Size.V, END | NOT_64, FarTransfer::callPointer);
    one(0xea, "jmpf", Imm.FAR, Size.V, END | NOT_64, FarTransfer::jumpPointer);
    one(0xca, "retf", Imm.WORD, Size.V, END | STACK, FarTransfer::ret);
    one(0xcb, "retf", Imm.NONE, Size.V, END | STACK, FarTransfer::ret);
    one(0xcf, "iret", Imm.NONE, Size.V, END | STACK, FarTransfer::iret);
    int flags = MODRM | GROUP | MEM | END;
    t.define(ONE, ANY, 0xff, 3, "callf", Imm.NONE, Size.V, flags, FarTransfer::callMem);
    t.define(ONE, ANY, 0xff, 5, "jmpf", Imm.NONE, Size.V, flags, FarTransfer::jumpMem);
  }

  private void segments() {
    for (int seg = 0; seg < 6; seg++) {
      int flags = MODRM | GROUP;
      t.define(ONE, ANY, 0x8c, seg, "mov", Imm.NONE, Size.V, flags, Segments::moveFrom);
      if (seg != 1) {
        t.define(ONE, ANY, 0x8e, seg, "mov", Imm.NONE, Size.V, flags | END, Segments::moveTo);
      }
    }
    String[] names = {"es", "cs", "ss", "ds"};
    for (int seg = 0; seg < 4; seg++) {
      String name = " " + names[seg];
      int at = 0x06 + seg * 8;
      one(at, "push" + name, Imm.NONE, Size.V, NOT_64 | STACK, Stack::pushSegment);
      if (seg != 1) {
        one(at + 1, "pop" + name, Imm.NONE, Size.V, NOT_64 | STACK | END, Stack::popSegment);
      }
    }
    two(0xa0, "push fs", Size.D64, STACK, Stack::pushSegment);
    two(0xa1, "pop fs", Size.D64, STACK | END, Stack::popSegment);
    two(0xa8, "push gs", Size.D64, STACK, Stack::pushSegment);
    two(0xa9, "pop gs", Size.D64, STACK | END, Stack::popSegment);
    one(0xc4, "les", Imm.NONE, Size.V, MODRM | MEM | NOT_64 | END, Segments::les);
    one(0xc5, "lds", Imm.NONE, Size.V, MODRM | MEM | NOT_64 | END, Segments::lds);
    two(0xb2, "lss", Size.V, MODRM | MEM | END, Segments::lss);
    two(0xb4, "lfs", Size.V, MODRM | MEM | END, Segments::lfs);
    two(0xb5, "lgs", Size.V, MODRM | MEM | END, Segments::lgs);
    two(0x02, "lar", Size.V, MODRM | PROTECTED, Segments::lar);
    two(0x03, "lsl", Size.V, MODRM | PROTECTED, Segments::lsl);
  }

  private void tables() {
    group(0x00, 0, "sldt", Size.V, PROTECTED, Segments::sldt);
    group(0x00, 1, "str", Size.V, PROTECTED, Segments::str);
    group(0x00, 2, "lldt", Size.W, PROTECTED | CPL0, Segments::lldt);
    group(0x00, 3, "ltr", Size.W, PROTECTED | CPL0, Segments::ltr);
    group(0x00, 4, "verr", Size.W, PROTECTED, Segments::verr);
    group(0x00, 5, "verw", Size.W, PROTECTED, Segments::verw);
    group(0x01, 0, "sgdt", Size.V, MEM, Segments::sgdt);
    group(0x01, 1, "sidt", Size.V, MEM, Segments::sidt);
    group(0x01, 2, "lgdt", Size.V, MEM | CPL0, Segments::lgdt);
    group(0x01, 3, "lidt", Size.V, MEM | CPL0, Segments::lidt);
    group(0x01, 4, "smsw", Size.V, 0, Control::smsw);
    group(0x01, 6, "lmsw", Size.W, CPL0 | END, Control::lmsw);
    group(0x01, 7, "invlpg", Size.B, MEM | CPL0 | END, Control::invlpg);
    int registers = MODRM | REG | GROUP;
    Opcode reg0 =
        new Opcode("vmcall", Imm.NONE, Size.B, registers | END, d -> rm(d, 1, Control::vmcall));
    t.define(TWO, ANY, 0x01, 0, reg0);
    Opcode reg1 =
        new Opcode("clac", Imm.NONE, Size.B, registers | END | CPL0, SystemOpcodes::clacStac);
    t.define(TWO, ANY, 0x01, 1, reg1);
    Opcode reg7 = new Opcode("swapgs", Imm.NONE, Size.B, registers, SystemOpcodes::swapgsRdtscp);
    t.define(TWO, ANY, 0x01, 7, reg7);
  }

  private static Handler rm(Decoded d, int rm, Handler handler) {
    return (d.modrm & 7) == rm ? handler : null;
  }

  private static Handler clacStac(Decoded d) {
    return switch (d.modrm & 7) {
      case 2 -> Flags::clac;
      case 3 -> Flags::stac;
      default -> null;
    };
  }

  private static Handler swapgsRdtscp(Decoded d) {
    return switch (d.modrm & 7) {
      case 0 ->
          !d.code64()
              ? null
              : (d.mode & Mode.KERNEL) != 0
                  ? SystemCalls::swapgs
                  : io.trapscope.vmm.soft.exec.Faults::generalProtection;
      case 1 -> Control::rdtscp;
      default -> null;
    };
  }

  /** CR0, CR2, CR3, CR4 and CR8 exist; the others are #UD at any privilege level. */
  private void controlRegister(int opcode, int flags, Handler handler) {
    int exist = 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 8;
    Opcode entry =
        new Opcode(
            "mov", Imm.NONE, Size.NATIVE, flags, d -> (exist >> d.reg & 1) != 0 ? handler : null);
    t.define(TWO, ANY, opcode, ALL, entry);
  }

  private void control() {
    int flags = MODRM | NOT_GPR | CPL0 | Opcode.REG_ALWAYS;
    controlRegister(0x20, flags, Control::moveFromCr);
    two(0x21, "mov", Size.NATIVE, flags, Control::moveFromDr);
    controlRegister(0x22, flags | END, Control::moveToCr);
    two(0x23, "mov", Size.NATIVE, flags | END, Control::moveToDr);
    two(0x06, "clts", Size.B, CPL0 | END, Control::clts);
    two(0x08, "invd", Size.B, CPL0, Move::nothing);
    two(0x09, "wbinvd", Size.B, CPL0, Move::nothing);
    two(0x30, "wrmsr", Size.B, CPL0 | END, Control::wrmsr);
    two(0x31, "rdtsc", Size.B, 0, Control::rdtsc);
    two(0x32, "rdmsr", Size.B, CPL0 | END, Control::rdmsr);
    two(0xa2, "cpuid", Size.B, END, Control::cpuid);
  }

  private void systemCalls() {
    two(0x05, "syscall", Size.B, END, SystemCalls::syscall);
    two(0x07, "sysret", Size.Y, END | CPL0 | PROTECTED, SystemCalls::sysret);
    two(0x34, "sysenter", Size.B, END | PROTECTED, SystemCalls::sysenter);
    two(0x35, "sysexit", Size.Y, END | CPL0 | PROTECTED, SystemCalls::sysexit);
  }
}
