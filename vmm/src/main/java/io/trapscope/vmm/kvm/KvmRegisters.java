package io.trapscope.vmm.kvm;

import io.trapscope.recorder.event.CpuMode;
import io.trapscope.vmm.hypervisor.CpuState;
import java.nio.ByteBuffer;

/**
 * Moves registers between {@link CpuState} and KVM's {@code struct kvm_regs} and {@code struct
 * kvm_sregs}, wherever in a little-endian buffer these lie.
 */
final class KvmRegisters {
  private static final long CR0_PE = 1;
  private static final long EFER_LMA = 1 << 10;
  private static final long RFLAGS_VM = 1 << 17;

  private KvmRegisters() {}

  /** The operating mode, from both structures (Intel SDM volume 3, sections 2.2 and 2.2.1). */
  static CpuMode mode(ByteBuffer from, int regs, int sregs) {
    if ((from.getLong(sregs + KvmAbi.SREGS_CR0) & CR0_PE) == 0) {
      return CpuMode.REAL;
    }
    int cs = sregs + KvmAbi.SREGS_CS;
    if ((from.getLong(sregs + KvmAbi.SREGS_EFER) & EFER_LMA) != 0) {
      return from.get(cs + KvmAbi.SEGMENT_L) != 0 ? CpuMode.LONG : CpuMode.COMPATIBILITY;
    }
    if ((from.getLong(regs + KvmAbi.REGS_RFLAGS) & RFLAGS_VM) != 0) {
      return CpuMode.VIRTUAL_8086;
    }
    return from.get(cs + KvmAbi.SEGMENT_DB) != 0 ? CpuMode.PROTECTED_32 : CpuMode.PROTECTED_16;
  }

  /** The current privilege level: the DPL of SS (Intel SDM volume 3, section 25.4.1, note). */
  static int cpl(ByteBuffer from, int sregs) {
    return from.get(sregs + KvmAbi.SREGS_SS + KvmAbi.SEGMENT_DPL);
  }

  static void read(ByteBuffer regs, ByteBuffer sregs, CpuState to) {
    for (int i = 0; i < to.gpr.length; i++) {
      to.gpr[i] = regs.getLong(KvmAbi.registerOffset(i));
    }
    to.rip = regs.getLong(KvmAbi.REGS_RIP);
    to.rflags = regs.getLong(KvmAbi.REGS_RFLAGS);
    for (int i = 0; i < to.segments.length; i++) {
      readSegment(sregs, KvmAbi.segmentOffset(i), to.segments[i]);
    }
    readSegment(sregs, KvmAbi.SREGS_TR, to.tr);
    readSegment(sregs, KvmAbi.SREGS_LDT, to.ldtr);
    to.gdtBase = sregs.getLong(KvmAbi.SREGS_GDT + KvmAbi.DTABLE_BASE);
    to.gdtLimit = sregs.getShort(KvmAbi.SREGS_GDT + KvmAbi.DTABLE_LIMIT) & 0xFFFF;
    to.idtBase = sregs.getLong(KvmAbi.SREGS_IDT + KvmAbi.DTABLE_BASE);
    to.idtLimit = sregs.getShort(KvmAbi.SREGS_IDT + KvmAbi.DTABLE_LIMIT) & 0xFFFF;
    to.cr0 = sregs.getLong(KvmAbi.SREGS_CR0);
    to.cr2 = sregs.getLong(KvmAbi.SREGS_CR2);
    to.cr3 = sregs.getLong(KvmAbi.SREGS_CR3);
    to.cr4 = sregs.getLong(KvmAbi.SREGS_CR4);
    to.cr8 = sregs.getLong(KvmAbi.SREGS_CR8);
    to.efer = sregs.getLong(KvmAbi.SREGS_EFER);
    to.apicBase = sregs.getLong(KvmAbi.SREGS_APIC_BASE);
  }

  /** Leaves what {@code CpuState} does not have (the pending-interrupt bitmap) as it is. */
  static void write(CpuState from, ByteBuffer regs, ByteBuffer sregs) {
    for (int i = 0; i < from.gpr.length; i++) {
      regs.putLong(KvmAbi.registerOffset(i), from.gpr[i]);
    }
    regs.putLong(KvmAbi.REGS_RIP, from.rip);
    regs.putLong(KvmAbi.REGS_RFLAGS, from.rflags);
    for (int i = 0; i < from.segments.length; i++) {
      writeSegment(from.segments[i], sregs, KvmAbi.segmentOffset(i));
    }
    writeSegment(from.tr, sregs, KvmAbi.SREGS_TR);
    writeSegment(from.ldtr, sregs, KvmAbi.SREGS_LDT);
    sregs.putLong(KvmAbi.SREGS_GDT + KvmAbi.DTABLE_BASE, from.gdtBase);
    sregs.putShort(KvmAbi.SREGS_GDT + KvmAbi.DTABLE_LIMIT, (short) from.gdtLimit);
    sregs.putLong(KvmAbi.SREGS_IDT + KvmAbi.DTABLE_BASE, from.idtBase);
    sregs.putShort(KvmAbi.SREGS_IDT + KvmAbi.DTABLE_LIMIT, (short) from.idtLimit);
    sregs.putLong(KvmAbi.SREGS_CR0, from.cr0);
    sregs.putLong(KvmAbi.SREGS_CR2, from.cr2);
    sregs.putLong(KvmAbi.SREGS_CR3, from.cr3);
    sregs.putLong(KvmAbi.SREGS_CR4, from.cr4);
    sregs.putLong(KvmAbi.SREGS_CR8, from.cr8);
    sregs.putLong(KvmAbi.SREGS_EFER, from.efer);
    sregs.putLong(KvmAbi.SREGS_APIC_BASE, from.apicBase);
  }

  // FXSAVE (SDM volume 1, section 10.5.1): control and status word, tags at 4, opcode at 6, then
  // the
  // two pointers, MXCSR, and registers, all in the order that KVM has too.
  private static final int FX_TAGS = 4;
  private static final int FX_OPCODE = 6;
  private static final int FX_MXCSR = 24;
  private static final int FX_REGISTERS = 32;
  private static final int FX_XMM = 160;
  private static final int X87_BYTES = 128;
  private static final int XMM_BYTES = 256;
  private static final int OPCODE_AND_POINTERS = 18;

  /** Moves {@code struct kvm_fpu} into an image of FXSAVE. */
  static void readFpu(ByteBuffer fpu, byte[] fxsave) {
    fpu.get(KvmAbi.FPU_CONTROL, fxsave, 0, 4);
    fxsave[FX_TAGS] = fpu.get(KvmAbi.FPU_TAGS);
    fpu.get(KvmAbi.FPU_OPCODE, fxsave, FX_OPCODE, OPCODE_AND_POINTERS);
    fpu.get(KvmAbi.FPU_MXCSR, fxsave, FX_MXCSR, 4);
    fpu.get(KvmAbi.FPU_REGISTERS, fxsave, FX_REGISTERS, X87_BYTES);
    fpu.get(KvmAbi.FPU_XMM, fxsave, FX_XMM, XMM_BYTES);
  }

  /** The other way. */
  static void writeFpu(byte[] fxsave, ByteBuffer fpu) {
    fpu.put(KvmAbi.FPU_CONTROL, fxsave, 0, 4);
    fpu.put(KvmAbi.FPU_TAGS, fxsave[FX_TAGS]);
    fpu.put(KvmAbi.FPU_OPCODE, fxsave, FX_OPCODE, OPCODE_AND_POINTERS);
    fpu.put(KvmAbi.FPU_MXCSR, fxsave, FX_MXCSR, 4);
    fpu.put(KvmAbi.FPU_REGISTERS, fxsave, FX_REGISTERS, X87_BYTES);
    fpu.put(KvmAbi.FPU_XMM, fxsave, FX_XMM, XMM_BYTES);
  }

  private static void readSegment(ByteBuffer from, int at, CpuState.Segment to) {
    to.set(
        from.getShort(at + KvmAbi.SEGMENT_SELECTOR) & 0xFFFF,
        from.getLong(at + KvmAbi.SEGMENT_BASE),
        from.getInt(at + KvmAbi.SEGMENT_LIMIT),
        from.get(at + KvmAbi.SEGMENT_TYPE)
            | from.get(at + KvmAbi.SEGMENT_S) << 4
            | from.get(at + KvmAbi.SEGMENT_DPL) << 5
            | from.get(at + KvmAbi.SEGMENT_PRESENT) << 7
            | from.get(at + KvmAbi.SEGMENT_AVL) << 12
            | from.get(at + KvmAbi.SEGMENT_L) << 13
            | from.get(at + KvmAbi.SEGMENT_DB) << 14
            | from.get(at + KvmAbi.SEGMENT_G) << 15
            | from.get(at + KvmAbi.SEGMENT_UNUSABLE) << 16);
  }

  private static void writeSegment(CpuState.Segment from, ByteBuffer to, int at) {
    to.putLong(at + KvmAbi.SEGMENT_BASE, from.base);
    to.putInt(at + KvmAbi.SEGMENT_LIMIT, from.limit);
    to.putShort(at + KvmAbi.SEGMENT_SELECTOR, (short) from.selector);
    int access = from.access;
    to.put(at + KvmAbi.SEGMENT_TYPE, (byte) (access & 15));
    to.put(at + KvmAbi.SEGMENT_S, (byte) (access >> 4 & 1));
    to.put(at + KvmAbi.SEGMENT_DPL, (byte) (access >> 5 & 3));
    to.put(at + KvmAbi.SEGMENT_PRESENT, (byte) (access >> 7 & 1));
    to.put(at + KvmAbi.SEGMENT_AVL, (byte) (access >> 12 & 1));
    to.put(at + KvmAbi.SEGMENT_L, (byte) (access >> 13 & 1));
    to.put(at + KvmAbi.SEGMENT_DB, (byte) (access >> 14 & 1));
    to.put(at + KvmAbi.SEGMENT_G, (byte) (access >> 15 & 1));
    to.put(at + KvmAbi.SEGMENT_UNUSABLE, (byte) (access >> 16 & 1));
  }
}
