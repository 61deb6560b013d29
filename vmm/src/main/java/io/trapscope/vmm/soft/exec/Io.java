package io.trapscope.vmm.soft.exec;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.mmu.Bytes;
import io.trapscope.vmm.soft.mmu.Ept;

/**
 * IN, OUT, INS, OUTS: always exits. A repeated INS or OUTS exits once for every run of items within
 * one page of memory; the registers move when the VMM has answered.
 */
public final class Io {
  /** Bits of the exit qualification (SDM volume 3, table 28-5). */
  private static final int QUALIFICATION_IN = 1 << 3;

  private static final int QUALIFICATION_STRING = 1 << 4;
  private static final int QUALIFICATION_REP = 1 << 5;
  private static final int QUALIFICATION_IMMEDIATE = 1 << 6;

  private Io() {}

  private static int size(Op o) {
    return Math.min(4, o.size());
  }

  /** Raises #GP(0) where neither IOPL nor the TSS's bitmap allows the port. */
  private static void check(Cpu c, int port, int size) {
    if ((c.cr0 & Cpu.CR0_PE) == 0 || c.cpl <= c.iopl() && !c.isV86()) {
      return;
    }
    boolean is32 = (c.segAccess[Cpu.TR] & 8) != 0;
    if (!is32 || c.segLimit[Cpu.TR] < 103) {
      throw c.gp(0);
    }
    long map = c.readSystem(2, c.segBase[Cpu.TR] + 102) + (port >> 3);
    if (map + 1 > c.segLimit[Cpu.TR]) {
      throw c.gp(0);
    }
    long bits = c.readSystem(2, c.segBase[Cpu.TR] + map) >> (port & 7);
    if ((bits & (1 << size) - 1) != 0) {
      throw c.gp(0);
    }
  }

  private static VmExit leave(Cpu c, int port, int size, boolean write, long qualification) {
    VmExit exit = c.leave(ExitReason.IO_INSTRUCTION);
    exit.port = port;
    exit.size = size;
    exit.write = write;
    exit.captured |= VmExit.QUALIFICATION;
    exit.qualification =
        size - 1 | (write ? 0 : QUALIFICATION_IN) | qualification | (long) port << 16;
    return exit;
  }

  private static void in(Cpu c, Op o, int port, int qualification) {
    int size = size(o);
    check(c, port, size);
    if (c.takeCompletion()) {
      c.setReg(size, Cpu.RAX, c.answer().value);
      c.watchPorts(port, size);
    } else {
      leave(c, port, size, false, qualification);
    }
  }

  private static void out(Cpu c, Op o, int port, int qualification) {
    int size = size(o);
    check(c, port, size);
    if (c.takeCompletion()) {
      c.watchPorts(port, size);
    } else {
      VmExit exit = leave(c, port, size, true, qualification);
      exit.value = c.reg(size, Cpu.RAX);
      exit.captured |= VmExit.VALUE;
    }
  }

  private static int dx(Cpu c) {
    return (int) c.gpr[Cpu.RDX] & 0xffff;
  }

  public static void inImm(Cpu c, Op o) {
    in(c, o, (int) o.imm(), QUALIFICATION_IMMEDIATE);
  }

  public static void inDx(Cpu c, Op o) {
    in(c, o, dx(c), 0);
  }

  public static void outImm(Cpu c, Op o) {
    out(c, o, (int) o.imm(), QUALIFICATION_IMMEDIATE);
  }

  public static void outDx(Cpu c, Op o) {
    out(c, o, dx(c), 0);
  }

  private static long mask(Op o) {
    return o.asize() == 8 ? -1L : (1L << 8 * o.asize()) - 1;
  }

  private static long delta(Cpu c, int size) {
    return (c.eflags & Cpu.DF) != 0 ? -size : size;
  }

  private static boolean repeated(Op o) {
    return o.has(Op.REP | Op.REPNE);
  }

  /**
   * Items from this linear address on that lie in its page; 1 for one that crosses its end, and
   * where each iteration may trap.
   */
  private static int fitting(Cpu c, Op o, long linear, int size) {
    if (!repeated(o) || (c.attention & Cpu.STEP) != 0) {
      return 1;
    }
    int at = (int) linear & 4095;
    int fits = (c.eflags & Cpu.DF) != 0 ? at / size + 1 : (4096 - at) / size;
    if (at + size > 4096) {
      fits = 1;
    }
    long count = c.gpr[Cpu.RCX] & mask(o);
    return (int) (Long.compareUnsigned(count, Math.max(1, fits)) < 0 ? count : Math.max(1, fits));
  }

  private static long qualification(Op o) {
    return QUALIFICATION_STRING | (repeated(o) ? QUALIFICATION_REP : 0);
  }

  private static boolean done(Cpu c, Op o) {
    return repeated(o) && (c.gpr[Cpu.RCX] & mask(o)) == 0;
  }

  public static void outs(Cpu c, Op o) {
    int size = size(o);
    check(c, dx(c), size);
    if (done(c, o)) {
      return;
    }
    if (c.takeCompletion()) {
      advance(c, o, Cpu.RSI, size);
      return;
    }
    long first = c.linear(o.seg(), c.gpr[Cpu.RSI] & mask(o), size, Ept.READ);
    int count = fitting(c, o, first, size);
    byte[] data = c.answer().data;
    for (int i = 0; i < count; i++) {
      long offset = c.gpr[Cpu.RSI] + i * delta(c, size) & mask(o);
      long item = c.read(size, c.linear(o.seg(), offset, size, Ept.READ));
      Bytes.store(data, i * size, size, item);
    }
    VmExit exit = leave(c, dx(c), size, true, qualification(o));
    exit.count = count;
    exit.value = Bytes.load(data, 0, size);
    exit.captured |= VmExit.VALUE | VmExit.GVA;
    exit.gva = first;
  }

  public static void ins(Cpu c, Op o) {
    int size = size(o);
    check(c, dx(c), size);
    if (done(c, o)) {
      return;
    }
    if (c.takeCompletion()) {
      VmExit exit = c.answer();
      for (int i = 0; i < exit.count; i++) {
        long item = exit.count == 1 ? exit.value : Bytes.load(exit.data, i * size, size);
        c.write(size, destination(c, o, i, size), item);
      }
      advance(c, o, Cpu.RDI, size);
      return;
    }
    long first = destination(c, o, 0, size);
    int count = fitting(c, o, first, size);
    for (int i = 0; i < count; i++) {
      c.probe(destination(c, o, i, size), size, Ept.WRITE);
    }
    VmExit exit = leave(c, dx(c), size, false, qualification(o));
    exit.count = count;
    exit.captured |= VmExit.GVA;
    exit.gva = first;
  }

  private static long destination(Cpu c, Op o, int i, int size) {
    long offset = c.gpr[Cpu.RDI] + i * delta(c, size) & mask(o);
    return c.linearIn(Cpu.ES, offset, size, Ept.WRITE);
  }

  private static void advance(Cpu c, Op o, int reg, int size) {
    c.watchPorts(dx(c), size);
    int count = c.answer().count;
    c.setReg(o.asize(), reg, c.gpr[reg] + count * delta(c, size));
    if (repeated(o)) {
      c.setReg(o.asize(), Cpu.RCX, c.gpr[Cpu.RCX] - count);
      Strings.again(c, o);
    }
  }
}
