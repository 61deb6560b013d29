package io.trapscope.vmm.soft.fpu;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.mmu.Ept;

/**
 * Moves between XMM, MMX and general registers and memory.
 *
 * <p>An MMX store that faults leaves TOP reset and the tags alone, as on hardware.
 */
final class SseMove {
  private SseMove() {}

  private static void set(Cpu cpu, int register, long low, long high) {
    cpu.fpu.xmm[2 * register] = low;
    cpu.fpu.xmm[2 * register + 1] = high;
  }

  // ---- 128 bits ------------------------------------------------------------------------------

  /** MOVAPS, MOVAPD, MOVDQA, MOVNTDQA: load. */
  static void loadAligned(Cpu cpu, Op op) {
    long low = Simd.load128(cpu, op);
    set(cpu, op.reg(), low, cpu.high);
  }

  /** MOVUPS, MOVUPD, MOVDQU, LDDQU: load. */
  static void loadUnaligned(Cpu cpu, Op op) {
    long low = Simd.loadUnaligned(cpu, op);
    set(cpu, op.reg(), low, cpu.high);
  }

  private static void store(Cpu cpu, Op op, boolean mustAlign) {
    long[] x = cpu.fpu.xmm;
    int at = Simd.xmm(op.reg());
    if (op.isMemory()) {
      long a = mustAlign ? Simd.aligned(cpu, op, Ept.WRITE) : cpu.address(op, 16, Ept.WRITE);
      cpu.write128(a, x[at], x[at + 1]);
    } else {
      set(cpu, op.rm(), x[at], x[at + 1]);
    }
  }

  /** MOVAPS, MOVAPD, MOVDQA, MOVNTPS, MOVNTPD, MOVNTDQ: store. */
  static void storeAligned(Cpu cpu, Op op) {
    store(cpu, op, true);
  }

  /** MOVUPS, MOVUPD, MOVDQU: store. */
  static void storeUnaligned(Cpu cpu, Op op) {
    store(cpu, op, false);
  }

  // ---- scalars -------------------------------------------------------------------------------

  /** MOVSS load: memory clears the rest, a register leaves it. */
  static void loadSs(Cpu cpu, Op op) {
    long value = Simd.loadLow(cpu, op, 4);
    int at = Simd.xmm(op.reg());
    if (op.isMemory()) {
      set(cpu, op.reg(), value, 0);
    } else {
      cpu.fpu.xmm[at] = cpu.fpu.xmm[at] & 0xFFFF_FFFF_0000_0000L | value;
    }
  }

  static void storeSs(Cpu cpu, Op op) {
    long value = cpu.fpu.xmm[Simd.xmm(op.reg())] & 0xFFFF_FFFFL;
    if (op.isMemory()) {
      Simd.storeMemory(cpu, op, 4, value);
    } else {
      int at = Simd.xmm(op.rm());
      cpu.fpu.xmm[at] = cpu.fpu.xmm[at] & 0xFFFF_FFFF_0000_0000L | value;
    }
  }

  /** MOVSD load: memory clears the rest, a register leaves it. */
  static void loadSd(Cpu cpu, Op op) {
    long value = Simd.loadLow(cpu, op, 8);
    cpu.fpu.xmm[Simd.xmm(op.reg())] = value;
    if (op.isMemory()) {
      cpu.fpu.xmm[Simd.xmm(op.reg()) + 1] = 0;
    }
  }

  static void storeSd(Cpu cpu, Op op) {
    long value = cpu.fpu.xmm[Simd.xmm(op.reg())];
    if (op.isMemory()) {
      Simd.storeMemory(cpu, op, 8, value);
    } else {
      cpu.fpu.xmm[Simd.xmm(op.rm())] = value;
    }
  }

  // ---- halves --------------------------------------------------------------------------------

  /** MOVLPS and MOVLPD from memory, MOVHLPS from a register. */
  static void loadLowHalf(Cpu cpu, Op op) {
    long value = op.isMemory() ? X87Memory.read(cpu, op, 8) : cpu.fpu.xmm[Simd.xmm(op.rm()) + 1];
    cpu.fpu.xmm[Simd.xmm(op.reg())] = value;
  }

  /** MOVHPS and MOVHPD from memory, MOVLHPS from a register. */
  static void loadHighHalf(Cpu cpu, Op op) {
    long value = op.isMemory() ? X87Memory.read(cpu, op, 8) : cpu.fpu.xmm[Simd.xmm(op.rm())];
    cpu.fpu.xmm[Simd.xmm(op.reg()) + 1] = value;
  }

  static void storeLowHalf(Cpu cpu, Op op) {
    Simd.storeMemory(cpu, op, 8, cpu.fpu.xmm[Simd.xmm(op.reg())]);
  }

  static void storeHighHalf(Cpu cpu, Op op) {
    Simd.storeMemory(cpu, op, 8, cpu.fpu.xmm[Simd.xmm(op.reg()) + 1]);
  }

  /** MOVDDUP. */
  static void movddup(Cpu cpu, Op op) {
    long value = Simd.loadLow(cpu, op, 8);
    set(cpu, op.reg(), value, value);
  }

  /** MOVSLDUP. */
  static void movsldup(long[] x, int at, long low, long high) {
    x[at] = low & 0xFFFF_FFFFL | low << 32;
    x[at + 1] = high & 0xFFFF_FFFFL | high << 32;
  }

  /** MOVSHDUP. */
  static void movshdup(long[] x, int at, long low, long high) {
    x[at] = low >>> 32 | low & 0xFFFF_FFFF_0000_0000L;
    x[at + 1] = high >>> 32 | high & 0xFFFF_FFFF_0000_0000L;
  }

  // ---- MOVD, MOVQ ----------------------------------------------------------------------------

  private static long generalSource(Cpu cpu, Op op) {
    return op.isMemory()
        ? X87Memory.read(cpu, op, op.size())
        : Cpu.unsigned(op.size(), cpu.gpr[op.rm()]);
  }

  private static void storeGeneral(Cpu cpu, Op op, long value) {
    if (op.isMemory()) {
      Simd.storeMemory(cpu, op, op.size(), Cpu.unsigned(op.size(), value));
    } else {
      cpu.setReg(op.size(), op.rm(), value);
    }
  }

  /** MOVD and MOVQ xmm, r/m. */
  static void fromGeneral(Cpu cpu, Op op) {
    set(cpu, op.reg(), generalSource(cpu, op), 0);
  }

  /** MOVD and MOVQ r/m, xmm. */
  static void toGeneral(Cpu cpu, Op op) {
    storeGeneral(cpu, op, cpu.fpu.xmm[Simd.xmm(op.reg())]);
  }

  /** MOVD and MOVQ mm, r/m. */
  static void fromGeneralMmx(Cpu cpu, Op op) {
    X87Table.raisePending(cpu);
    long value = generalSource(cpu, op);
    cpu.fpu.enterMmx();
    Simd.setMmx(cpu, op.reg(), value);
  }

  /** MOVD and MOVQ r/m, mm. */
  static void toGeneralMmx(Cpu cpu, Op op) {
    X87Table.raisePending(cpu);
    cpu.fpu.top = 0;
    storeGeneral(cpu, op, cpu.fpu.mmx(op.reg()));
    cpu.fpu.enterMmx();
  }

  /** MOVQ mm, mm/m64. */
  static void loadMmx(Cpu cpu, Op op) {
    long value = Simd.loadMmx(cpu, op);
    Simd.setMmx(cpu, op.reg(), value);
  }

  /** MOVQ mm/m64, mm and MOVNTQ. */
  static void storeMmx(Cpu cpu, Op op) {
    X87Table.raisePending(cpu);
    cpu.fpu.top = 0;
    long value = cpu.fpu.mmx(op.reg());
    if (op.isMemory()) {
      Simd.storeMemory(cpu, op, 8, value);
    } else {
      Simd.setMmx(cpu, op.rm(), value);
    }
    cpu.fpu.enterMmx();
  }

  /** MOVQ xmm, xmm/m64: clears the high half. */
  static void movq(Cpu cpu, Op op) {
    set(cpu, op.reg(), Simd.loadLow(cpu, op, 8), 0);
  }

  /** MOVQ xmm/m64, xmm: clears the high half of a register. */
  static void movqStore(Cpu cpu, Op op) {
    long value = cpu.fpu.xmm[Simd.xmm(op.reg())];
    if (op.isMemory()) {
      Simd.storeMemory(cpu, op, 8, value);
    } else {
      set(cpu, op.rm(), value, 0);
    }
  }

  static void movq2dq(Cpu cpu, Op op) {
    Simd.beginMmx(cpu);
    set(cpu, op.reg(), cpu.fpu.mmx(op.rm()), 0);
  }

  static void movdq2q(Cpu cpu, Op op) {
    Simd.beginMmx(cpu);
    Simd.setMmx(cpu, op.reg(), cpu.fpu.xmm[Simd.xmm(op.rm())]);
  }

  /** MOVNTI. */
  static void movnti(Cpu cpu, Op op) {
    Simd.storeMemory(cpu, op, op.size(), cpu.reg(op.size(), op.reg()));
  }

  // ---- MASKMOV -------------------------------------------------------------------------------

  /** Writes the bytes whose mask bit 7 is set to DS:RDI (or another segment). */
  private static void maskedStore(Cpu cpu, Op op, long value, long mask, long at) {
    for (int i = 0; i < 8; i++) {
      if ((mask >>> (8 * i + 7) & 1) != 0) {
        cpu.write8(at + i, value >>> 8 * i & 0xFF);
      }
    }
  }

  /** Where MASKMOVQ and MASKMOVDQU store: the segment of a DS operand, RDI as wide as addresses. */
  private static long maskAddress(Cpu cpu, Op op, int size) {
    long offset = Cpu.unsigned(op.asize(), cpu.gpr[Cpu.RDI]);
    return cpu.linear(op.seg(), offset, size, Ept.WRITE);
  }

  private static void probeMasked(Cpu cpu, long at, long mask, int from) {
    for (int i = 0; i < 8; i++) {
      if ((mask >>> (8 * i + 7) & 1) != 0) {
        cpu.probe(at + from + i, 1, Ept.WRITE);
      }
    }
  }

  static void maskmovdqu(Cpu cpu, Op op) {
    long[] x = cpu.fpu.xmm;
    int value = Simd.xmm(op.reg());
    int mask = Simd.xmm(op.rm());
    long at = maskAddress(cpu, op, 16);
    probeMasked(cpu, at, x[mask], 0);
    probeMasked(cpu, at, x[mask + 1], 8);
    maskedStore(cpu, op, x[value], x[mask], at);
    maskedStore(cpu, op, x[value + 1], x[mask + 1], at + 8);
  }

  static void maskmovq(Cpu cpu, Op op) {
    Simd.beginMmx(cpu);
    long at = maskAddress(cpu, op, 8);
    long mask = cpu.fpu.mmx(op.rm());
    probeMasked(cpu, at, mask, 0);
    maskedStore(cpu, op, cpu.fpu.mmx(op.reg()), mask, at);
  }

  /** PREFETCH, fences, CLFLUSH: ordering and caches do not show in this model. */
  static void nothing(Cpu cpu, Op op) {}

  /** CLFLUSH: faults as a read of one byte. */
  static void clflush(Cpu cpu, Op op) {
    cpu.read8(cpu.address(op, 1, Ept.READ));
  }
}
