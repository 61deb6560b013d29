package io.trapscope.vmm.soft.decode;

import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.cpu.Op;

/**
 * The parts of the instruction being decoded; reused for every one. See {@link Op} for the terms.
 */
public final class Decoded {
  public Opcode entry;
  public int mode;
  public int opcode;
  public int modrm;
  public int rex;
  public int prefixes;
  public int size;
  public int asize;
  public int reg;
  public int rm;
  public int base;
  public int index;
  public int scale;
  public int seg;
  public int sub;
  public long disp;
  public long imm;
  public long rip;
  public long next;

  public boolean isMemory() {
    return rm < 0;
  }

  public boolean code64() {
    return (mode & 3) == 2;
  }

  Op op(Handler handler) {
    return new Op(
        handler,
        entry,
        (byte) size,
        (byte) asize,
        (byte) reg,
        (byte) rm,
        (byte) base,
        (byte) index,
        (byte) scale,
        (byte) seg,
        (byte) sub,
        (byte) prefixes,
        (byte) modrm,
        disp,
        imm,
        rip,
        next);
  }
}
