package io.trapscope.vmm.soft.fpu;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.mmu.Ept;

/**
 * x87 control instructions and the images of FSTENV, FSAVE and FXSAVE (SDM volume 1, sections
 * 8.1.10 and 10.5).
 */
final class X87Control {
  private static final int FX_BYTES = 512;
  private static final int FX_REGISTERS = 32;
  private static final int FX_XMM = 160;
  private static final int HIGH_ONES = 0xFFFF_0000;

  private X87Control() {}

  // ---- control and status words --------------------------------------------------------------

  static void fldcw(Cpu cpu, FpuState f, Op op) {
    f.setControl((int) X87Memory.read(cpu, op, 2));
  }

  static void fnstcw(Cpu cpu, FpuState f, Op op) {
    X87Memory.write(cpu, op, 2, f.control);
  }

  static void fnstsw(Cpu cpu, FpuState f, Op op) {
    X87Memory.write(cpu, op, 2, f.statusWord());
  }

  static void fnstswAx(Cpu cpu, FpuState f, Op op) {
    cpu.setReg(2, Cpu.RAX, f.statusWord());
  }

  static void fnclex(Cpu cpu, FpuState f, Op op) {
    f.clearExceptions();
  }

  static void fninit(Cpu cpu, FpuState f, Op op) {
    f.init();
  }

  /** FNOP, WAIT, and the 8087's and 80287's FENI, FDISI, FSETPM, which do nothing since. */
  static void nothing(Cpu cpu, FpuState f, Op op) {}

  // ---- environment ---------------------------------------------------------------------------

  /** Whether the environment has the real-address format: 20-bit linear addresses. */
  private static boolean realFormat(Cpu cpu) {
    return !cpu.isProtected();
  }

  /** Bytes of an environment, by operand size. */
  private static int environmentBytes(Op op) {
    return op.size() == 2 ? 14 : 28;
  }

  private static void storeEnvironment(Cpu cpu, FpuState f, Op op, long a) {
    int item = op.size() == 2 ? 2 : 4;
    int ones = item == 4 ? HIGH_ONES : 0;
    int[] words = {f.control | ones, f.statusWord() | ones, f.tagWord() | ones, 0, 0, 0, 0};
    int ip = (int) f.instructionPointer;
    int data = (int) f.dataPointer;
    if (realFormat(cpu)) {
      int linear = ip + (f.instructionSelector << 4);
      int dataLinear = data + (f.dataSelector << 4);
      words[3] = linear & 0xFFFF | ones;
      words[5] = dataLinear & 0xFFFF | ones;
      // Both sizes keep address bits from 16 on in bits from 12 on; only 4 of them fit a word.
      words[4] = linear >>> 16 << 12 | f.opcode;
      words[6] = dataLinear >>> 16 << 12;
    } else {
      words[3] = ip;
      words[4] = item == 4 ? f.opcode << 16 : 0;
      words[5] = data;
      words[6] = ones;
    }
    for (int i = 0; i < 7; i++) {
      cpu.write(item, a + (long) i * item, Cpu.unsigned(item, words[i]));
    }
  }

  private static void loadEnvironment(Cpu cpu, FpuState f, Op op, int[] words) {
    f.setTagWord(words[2]);
    f.setControl(words[0]);
    f.setStatusWord(words[1]);
    if (realFormat(cpu)) {
      f.instructionPointer = words[4] >>> 12 << 16 | words[3] & 0xFFFF;
      f.instructionSelector = 0;
      f.opcode = words[4] & 0x7FF;
      f.dataPointer = words[6] >>> 12 << 16 | words[5] & 0xFFFF;
      f.dataSelector = 0;
    } else {
      f.instructionPointer = words[3] & 0xFFFF_FFFFL;
      f.instructionSelector = 0;
      f.opcode = op.size() == 2 ? 0 : words[4] >>> 16 & 0x7FF;
      f.dataPointer = words[5] & 0xFFFF_FFFFL;
      f.dataSelector = 0;
    }
  }

  private static int[] readEnvironment(Cpu cpu, Op op, long a) {
    int item = op.size() == 2 ? 2 : 4;
    int[] words = new int[7];
    for (int i = 0; i < 7; i++) {
      words[i] = (int) cpu.read(item, a + (long) i * item);
    }
    return words;
  }

  static void fnstenv(Cpu cpu, FpuState f, Op op) {
    int bytes = environmentBytes(op);
    long a = cpu.address(op, bytes, Ept.WRITE);
    cpu.probe(a, bytes, Ept.WRITE);
    storeEnvironment(cpu, f, op, a);
    f.setControl(f.control | 0x3F);
  }

  static void fldenv(Cpu cpu, FpuState f, Op op) {
    long a = cpu.address(op, environmentBytes(op), Ept.READ);
    loadEnvironment(cpu, f, op, readEnvironment(cpu, op, a));
  }

  static void fnsave(Cpu cpu, FpuState f, Op op) {
    int bytes = environmentBytes(op);
    long a = cpu.address(op, bytes + 80, Ept.WRITE);
    cpu.probe(a, bytes + 80, Ept.WRITE);
    storeEnvironment(cpu, f, op, a);
    for (int i = 0; i < 8; i++) {
      cpu.write64(a + bytes + 10L * i, f.mant(i));
      cpu.write16(a + bytes + 10L * i + 8, f.se(i));
    }
    f.init();
  }

  static void frstor(Cpu cpu, FpuState f, Op op) {
    int bytes = environmentBytes(op);
    long a = cpu.address(op, bytes + 80, Ept.READ);
    cpu.probe(a, bytes + 80, Ept.READ);
    int[] words = readEnvironment(cpu, op, a);
    long[] mant = new long[8];
    int[] se = new int[8];
    for (int i = 0; i < 8; i++) {
      mant[i] = cpu.read64(a + bytes + 10L * i);
      se[i] = (int) cpu.read16(a + bytes + 10L * i + 8);
    }
    loadEnvironment(cpu, f, op, words);
    for (int i = 0; i < 8; i++) {
      f.mant[f.physical(i)] = mant[i];
      f.se[f.physical(i)] = se[i];
    }
  }

  // ---- FXSAVE --------------------------------------------------------------------------------

  private static long fxAddress(Cpu cpu, Op op, int access) {
    long a = cpu.address(op, FX_BYTES, access);
    if ((a & 15) != 0) {
      throw cpu.gp(0);
    }
    cpu.probe(a, FX_BYTES, access);
    return a;
  }

  private static int xmmCount(Cpu cpu) {
    return cpu.code64() ? 16 : 8;
  }

  static void fxsave(Cpu cpu, FpuState f, Op op) {
    long a = fxAddress(cpu, op, Ept.WRITE);
    cpu.write16(a, f.control);
    cpu.write16(a + 2, f.statusWord());
    cpu.write16(a + 4, f.valid);
    cpu.write16(a + 6, f.opcode);
    if (op.size() == 8) {
      cpu.write64(a + 8, f.instructionPointer);
      cpu.write64(a + 16, f.dataPointer);
    } else {
      cpu.write64(a + 8, f.instructionPointer & 0xFFFF_FFFFL);
      cpu.write64(a + 16, f.dataPointer & 0xFFFF_FFFFL);
    }
    cpu.write32(a + 24, f.mxcsr);
    cpu.write32(a + 28, FpuState.MXCSR_MASK);
    for (int i = 0; i < 8; i++) {
      cpu.write64(a + FX_REGISTERS + 16L * i, f.mant(i));
      cpu.write64(a + FX_REGISTERS + 16L * i + 8, f.se(i));
    }
    for (int i = 0; i < 2 * xmmCount(cpu); i++) {
      cpu.write64(a + FX_XMM + 8L * i, f.xmm[i]);
    }
  }

  static void fxrstor(Cpu cpu, FpuState f, Op op) {
    long a = fxAddress(cpu, op, Ept.READ);
    int mxcsr = (int) cpu.read32(a + 24);
    if ((mxcsr & ~FpuState.MXCSR_MASK) != 0) {
      throw cpu.gp(0);
    }
    f.valid = (int) cpu.read8(a + 4);
    f.setControl((int) cpu.read16(a));
    f.setStatusWord((int) cpu.read16(a + 2));
    f.opcode = (int) cpu.read16(a + 6) & 0x7FF;
    f.instructionPointer = cpu.read64(a + 8);
    f.dataPointer = cpu.read64(a + 16);
    if (op.size() != 8) {
      f.instructionPointer &= 0xFFFF_FFFFL;
      f.dataPointer &= 0xFFFF_FFFFL;
    }
    f.mxcsr = mxcsr;
    for (int i = 0; i < 8; i++) {
      f.mant[f.physical(i)] = cpu.read64(a + FX_REGISTERS + 16L * i);
      f.se[f.physical(i)] = (int) cpu.read16(a + FX_REGISTERS + 16L * i + 8);
    }
    for (int i = 0; i < 2 * xmmCount(cpu); i++) {
      f.xmm[i] = cpu.read64(a + FX_XMM + 8L * i);
    }
  }

  static void ldmxcsr(Cpu cpu, Op op) {
    int value = (int) X87Memory.read(cpu, op, 4);
    if ((value & ~FpuState.MXCSR_MASK) != 0) {
      throw cpu.gp(0);
    }
    cpu.fpu.mxcsr = value;
  }

  static void stmxcsr(Cpu cpu, Op op) {
    X87Memory.write(cpu, op, 4, cpu.fpu.mxcsr);
  }
}
