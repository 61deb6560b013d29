package io.trapscope.vmm.soft.fpu;

import static io.trapscope.vmm.soft.decode.OpcodeTable.ANY;
import static io.trapscope.vmm.soft.decode.OpcodeTable.ONE;
import static io.trapscope.vmm.soft.decode.OpcodeTable.TWO;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.GuestFault;
import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.decode.HandlerSelector;
import io.trapscope.vmm.soft.decode.Opcode;
import io.trapscope.vmm.soft.decode.OpcodeTable;

/** The x87 part of the opcode table: D8 to DF, WAIT, FXSAVE and FXRSTOR (SDM volume 2, A.5). */
final class X87Table {

  /** One x87 instruction without what all have in common. */
  @FunctionalInterface
  interface Body {
    void run(Cpu cpu, FpuState f, Op op);
  }

  private static final int MEMORY = Opcode.MODRM | Opcode.NOT_GPR | Opcode.X87 | Opcode.MEM;
  private static final int REGISTER = Opcode.MODRM | Opcode.NOT_GPR | Opcode.X87 | Opcode.REG;

  private static final String[] ARITHMETIC = {
    "add", "mul", "com", "comp", "sub", "subr", "div", "divr"
  };

  private final OpcodeTable table;

  private X87Table(OpcodeTable table) {
    this.table = table;
  }

  static void register(OpcodeTable table) {
    X87Table x87 = new X87Table(table);
    x87.memoryArithmetic();
    x87.memoryMoves();
    x87.memoryControl();
    x87.registerArithmetic();
    x87.registerMoves();
    x87.registerNoOperand();
    x87.registerCompare();
    x87.fxsave();
  }

  // ---- preamble and epilogue -----------------------------------------------------------------

  /**
   * Raises a pending exception: #MF with CR0.NE. Without it the processor would assert FERR#, which
   * this machine does not route; as on a processor whose IGNNE# is asserted, it goes on.
   */
  static void raisePending(Cpu cpu) {
    if (cpu.fpu.pending() && (cpu.cr0 & Cpu.CR0_NE) != 0) {
      throw cpu.fault(GuestFault.MF, 0);
    }
  }

  /** An instruction that waits for pending exceptions and leaves its address in the environment. */
  private static Handler computing(int opcode, Body body) {
    return (cpu, op) -> {
      raisePending(cpu);
      FpuState f = cpu.fpu;
      body.run(cpu, f, op);
      f.instructionPointer = op.rip();
      f.instructionSelector = cpu.segSelector[Cpu.CS];
      if (!f.pending()) {
        return;
      }
      // As on today's processors, only an unmasked exception leaves opcode and operand address.
      f.opcode = (opcode & 7) << 8 | op.modrm() & 0xFF;
      if (op.isMemory()) {
        f.dataPointer = cpu.offset(op);
        f.dataSelector = op.seg() < 0 ? cpu.segSelector[Cpu.DS] : cpu.segSelector[op.seg() & 7];
      }
    };
  }

  /** A control instruction that waits for pending exceptions. */
  private static Handler waiting(Body body) {
    return (cpu, op) -> {
      raisePending(cpu);
      body.run(cpu, cpu.fpu, op);
    };
  }

  private static Handler immediate(Body body) {
    return (cpu, op) -> body.run(cpu, cpu.fpu, op);
  }

  private void memory(int opcode, int reg, String mnemonic, Body body) {
    table.define(
        ONE,
        ANY,
        opcode,
        reg,
        mnemonic,
        Opcode.Imm.NONE,
        Opcode.Size.V,
        MEMORY,
        computing(opcode, body));
  }

  private void register(int opcode, int reg, String mnemonic, Body body) {
    table.define(
        ONE,
        ANY,
        opcode,
        reg,
        mnemonic,
        Opcode.Imm.NONE,
        Opcode.Size.V,
        REGISTER,
        computing(opcode, body));
  }

  /** Encodings told apart by all of ModRM; null where there is none. */
  private void registers(int opcode, int reg, String mnemonic, Handler... byRm) {
    HandlerSelector selector = d -> (d.modrm & 7) < byRm.length ? byRm[d.modrm & 7] : null;
    table.define(
        ONE,
        ANY,
        opcode,
        reg,
        new Opcode(mnemonic, Opcode.Imm.NONE, Opcode.Size.V, REGISTER, selector));
  }

  // ---- memory forms --------------------------------------------------------------------------

  private void memoryArithmetic() {
    for (int reg = 0; reg < 8; reg++) {
      memory(0xD8, reg, "f" + ARITHMETIC[reg], X87Memory::withFloat32);
      memory(0xDA, reg, "fi" + ARITHMETIC[reg], X87Memory::withInt32);
      memory(0xDC, reg, "f" + ARITHMETIC[reg], X87Memory::withFloat64);
      memory(0xDE, reg, "fi" + ARITHMETIC[reg], X87Memory::withInt16);
    }
  }

  private void memoryMoves() {
    memory(0xD9, 0, "fld", X87Memory::fld32);
    memory(0xD9, 2, "fst", X87Memory::fst32);
    memory(0xD9, 3, "fstp", X87Memory::fstp32);
    memory(0xDB, 0, "fild", X87Memory::fild32);
    memory(0xDB, 1, "fisttp", X87Memory::fisttp32);
    memory(0xDB, 2, "fist", X87Memory::fist32);
    memory(0xDB, 3, "fistp", X87Memory::fistp32);
    memory(0xDB, 5, "fld", X87Memory::fld80);
    memory(0xDB, 7, "fstp", X87Memory::fstp80);
    memory(0xDD, 0, "fld", X87Memory::fld64);
    memory(0xDD, 1, "fisttp", X87Memory::fisttp64);
    memory(0xDD, 2, "fst", X87Memory::fst64);
    memory(0xDD, 3, "fstp", X87Memory::fstp64);
    memory(0xDF, 0, "fild", X87Memory::fild16);
    memory(0xDF, 1, "fisttp", X87Memory::fisttp16);
    memory(0xDF, 2, "fist", X87Memory::fist16);
    memory(0xDF, 3, "fistp", X87Memory::fistp16);
    memory(0xDF, 4, "fbld", X87Memory::fbld);
    memory(0xDF, 5, "fild", X87Memory::fild64);
    memory(0xDF, 6, "fbstp", X87Memory::fbstp);
    memory(0xDF, 7, "fistp", X87Memory::fistp64);
  }

  private void control(int opcode, int reg, String mnemonic, Handler handler) {
    table.define(ONE, ANY, opcode, reg, mnemonic, Opcode.Imm.NONE, Opcode.Size.V, MEMORY, handler);
  }

  private void memoryControl() {
    control(0xD9, 4, "fldenv", waiting(X87Control::fldenv));
    control(0xD9, 5, "fldcw", waiting(X87Control::fldcw));
    control(0xD9, 6, "fnstenv", immediate(X87Control::fnstenv));
    control(0xD9, 7, "fnstcw", immediate(X87Control::fnstcw));
    control(0xDD, 4, "frstor", waiting(X87Control::frstor));
    control(0xDD, 6, "fnsave", immediate(X87Control::fnsave));
    control(0xDD, 7, "fnstsw", immediate(X87Control::fnstsw));
  }

  // ---- register forms ------------------------------------------------------------------------

  private void registerArithmetic() {
    for (int reg = 0; reg < 8; reg++) {
      if (reg != 2 && reg != 3) {
        register(0xD8, reg, "f" + ARITHMETIC[reg], X87Compute::toTop);
        register(0xDC, reg, "f" + ARITHMETIC[reg ^ (reg >> 2)], X87Compute::toRegister);
        register(0xDE, reg, "f" + ARITHMETIC[reg ^ (reg >> 2)] + "p", X87Compute::toRegisterPop);
      }
    }
  }

  private void registerMoves() {
    register(0xD9, 0, "fld", X87Memory::fldRegister);
    register(0xD9, 1, "fxch", X87Memory::fxch);
    register(0xDD, 1, "fxch", X87Memory::fxch);
    register(0xDF, 1, "fxch", X87Memory::fxch);
    register(0xDD, 0, "ffree", X87Memory::ffree);
    register(0xDF, 0, "ffreep", X87Memory::ffreep);
    register(0xDD, 2, "fst", X87Memory::fstRegister);
    register(0xDD, 3, "fstp", X87Memory::fstpRegister);
    // Undocumented doubles of FSTP ST(i).
    register(0xD9, 3, "fstp", X87Memory::fstpUnchecked);
    register(0xDF, 2, "fstp", X87Memory::fstpRegister);
    register(0xDF, 3, "fstp", X87Memory::fstpRegister);
    String[] conditions = {"b", "e", "be", "u"};
    int[] codes = {2, 4, 6, 10};
    for (int reg = 0; reg < 4; reg++) {
      int code = codes[reg];
      register(0xDA, reg, "fcmov" + conditions[reg], (c, f, op) -> X87Memory.fcmov(c, f, op, code));
      register(
          0xDB, reg, "fcmovn" + conditions[reg], (c, f, op) -> X87Memory.fcmov(c, f, op, code | 1));
    }
  }

  private Handler[] bodies(int opcode, Body... bodies) {
    Handler[] handlers = new Handler[bodies.length];
    for (int i = 0; i < bodies.length; i++) {
      handlers[i] = bodies[i] == null ? null : computing(opcode, bodies[i]);
    }
    return handlers;
  }

  private void registerNoOperand() {
    registers(0xD9, 2, "fnop", bodies(0xD9, X87Control::nothing));
    registers(
        0xD9,
        4,
        "fchs/fabs/ftst/fxam",
        bodies(
            0xD9,
            X87Compute::fchs,
            X87Compute::fabs,
            null,
            null,
            X87Compute::ftst,
            X87Compute::fxam));
    Body constant = X87Compute::constant;
    registers(
        0xD9,
        5,
        "fldconst",
        bodies(0xD9, constant, constant, constant, constant, constant, constant, constant));
    registers(
        0xD9,
        6,
        "f2xm1/fyl2x/fptan/fpatan/fxtract/fprem1/fdecstp/fincstp",
        bodies(
            0xD9,
            X87Compute::f2xm1,
            X87Compute::fyl2x,
            X87Compute::fptan,
            X87Compute::fpatan,
            X87Compute::fxtract,
            X87Compute::fprem1,
            X87Memory::fdecstp,
            X87Memory::fincstp));
    registers(
        0xD9,
        7,
        "fprem/fyl2xp1/fsqrt/fsincos/frndint/fscale/fsin/fcos",
        bodies(
            0xD9,
            X87Compute::fprem,
            X87Compute::fyl2xp1,
            X87Compute::fsqrt,
            X87Compute::fsincos,
            X87Compute::frndint,
            X87Compute::fscale,
            X87Compute::fsin,
            X87Compute::fcos));
    Handler nothing = immediate(X87Control::nothing);
    registers(
        0xDB,
        4,
        "fnclex/fninit",
        nothing,
        nothing,
        immediate(X87Control::fnclex),
        immediate(X87Control::fninit),
        nothing);
    registers(0xDF, 4, "fnstsw", immediate(X87Control::fnstswAx));
  }

  private void registerCompare() {
    register(0xD8, 2, "fcom", X87Compute::fcom);
    register(0xD8, 3, "fcomp", X87Compute::fcomp);
    // Undocumented doubles.
    register(0xDC, 2, "fcom", X87Compute::fcom);
    register(0xDC, 3, "fcomp", X87Compute::fcomp);
    register(0xDE, 2, "fcomp", X87Compute::fcomp);
    register(0xDD, 4, "fucom", X87Compute::fucom);
    register(0xDD, 5, "fucomp", X87Compute::fucomp);
    registers(0xDE, 3, "fcompp", bodies(0xDE, null, X87Compute::fcompp));
    registers(0xDA, 5, "fucompp", bodies(0xDA, null, X87Compute::fucompp));
    register(0xDB, 5, "fucomi", X87Compute::fucomi);
    register(0xDB, 6, "fcomi", X87Compute::fcomi);
    register(0xDF, 5, "fucomip", X87Compute::fucomip);
    register(0xDF, 6, "fcomip", X87Compute::fcomip);
  }

  private void fxsave() {
    int flags = Opcode.MODRM | Opcode.NOT_GPR | Opcode.FX | Opcode.MEM;
    table.define(
        TWO,
        OpcodeTable.NP,
        0xAE,
        0,
        "fxsave",
        Opcode.Imm.NONE,
        Opcode.Size.Y,
        flags,
        immediate(X87Control::fxsave));
    table.define(
        TWO,
        OpcodeTable.NP,
        0xAE,
        1,
        "fxrstor",
        Opcode.Imm.NONE,
        Opcode.Size.Y,
        flags,
        immediate(X87Control::fxrstor));
    table.define(
        ONE,
        ANY,
        0x9B,
        OpcodeTable.ALL,
        "wait",
        Opcode.Imm.NONE,
        Opcode.Size.V,
        Opcode.WAIT,
        waiting(X87Control::nothing));
  }
}
