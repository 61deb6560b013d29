package io.trapscope.vmm.soft;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.soft.cpu.Counters;
import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Runner;
import io.trapscope.vmm.soft.jit.RegionCompiler;
import io.trapscope.vmm.soft.mmu.Ept;
import io.trapscope.vmm.soft.mmu.GuestRam;

/**
 * A software processor behind the seam. The guest clock is the count of retired instructions at 1
 * ns each (1 GHz, and so is the TSC), plus what {@link #idleUntil} and {@link #stall} skipped, and
 * what exceptions take that are delivered over and over with no instruction between them.
 */
public final class SoftVcpu implements Vcpu {
  /** Segment types at reset (SDM volume 3, table 10-1): present, accessed, read/write or code. */
  private static final int RESET_DATA = 0x93;

  private static final int RESET_CODE = 0x9b;
  private static final int RESET_LDT = 0x82;
  private static final int RESET_TSS = 0x8b;

  private final int index;
  private final Cpu cpu;
  private final Runner runner;

  SoftVcpu(int index, GuestRam ram, Ept ept, VmxControls controls, AbsentFeatures absent) {
    this.index = index;
    cpu = new Cpu(ram, ept, controls.exceptionBitmap());
    cpu.setAbsent(absent.instructionSets(), absent.cr4(), absent.efer());
    cpu.setCompiler(controls.generateCode() ? new RegionCompiler() : null);
    runner = new Runner(cpu);
    writeState(resetState(index));
  }

  private static CpuState resetState(int index) {
    CpuState state = new CpuState();
    for (CpuState.Segment segment : state.segments) {
      segment.set(0, 0, 0xffff, RESET_DATA);
    }
    state.segments[CpuState.CS].set(0xf000, 0xffff0000L, 0xffff, RESET_CODE);
    state.ldtr.set(0, 0, 0xffff, RESET_LDT);
    state.tr.set(0, 0, 0xffff, RESET_TSS);
    state.gdtLimit = 0xffff;
    state.idtLimit = 0xffff;
    state.rip = 0xfff0;
    state.cr0 = Cpu.CR0_CD | Cpu.CR0_NW | Cpu.CR0_ET;
    state.gpr[CpuState.RDX] = 0x600;
    state.apicBase = MEMORY_MAPPED_APIC | (index == 0 ? BOOTSTRAP : 0);
    return state;
  }

  private static final long MEMORY_MAPPED_APIC = 0xfee00800L;
  private static final long BOOTSTRAP = 0x100;

  @Override
  public int index() {
    return index;
  }

  @Override
  public void run(VmExit out) {
    out.entryNanos = System.nanoTime();
    runner.run(out);
    out.exitNanos = System.nanoTime();
    out.captured |= VmExit.GUEST_TIME;
  }

  @Override
  public void kick() {
    runner.kick();
  }

  @Override
  public boolean interruptible() {
    return runner.interruptible();
  }

  @Override
  public void injectInterrupt(int vector) {
    runner.injectInterrupt(vector);
  }

  @Override
  public void injectNmi() {
    runner.injectNmi();
  }

  @Override
  public void requestInterruptWindow(boolean wanted) {
    runner.requestWindow(wanted);
  }

  @Override
  public long guestNanos() {
    return cpu.guestNanos();
  }

  @Override
  public void setDeadline(long guestNanos) {
    cpu.setDeadline(guestNanos);
  }

  @Override
  public void idleUntil(long guestNanos) {
    cpu.skip(Math.max(0, guestNanos - guestNanos()));
  }

  @Override
  public void stall(long nanos) {
    cpu.skip(nanos);
  }

  @Override
  public long instructions() {
    return cpu.retired;
  }

  @Override
  public void setTaskPriority(int priority) {
    cpu.cr8 = priority;
  }

  /** What the processor has counted. */
  public Counters counters() {
    return cpu.counters;
  }

  @Override
  public void readState(CpuState state) {
    System.arraycopy(cpu.gpr, 0, state.gpr, 0, 16);
    state.rip = cpu.rip;
    state.rflags = cpu.rflags();
    for (int i = 0; i < 6; i++) {
      read(i, state.segments[i]);
    }
    read(Cpu.LDTR, state.ldtr);
    read(Cpu.TR, state.tr);
    state.gdtBase = cpu.gdtBase;
    state.gdtLimit = cpu.gdtLimit;
    state.idtBase = cpu.idtBase;
    state.idtLimit = cpu.idtLimit;
    state.cr0 = cpu.cr0;
    state.cr2 = cpu.cr2;
    state.cr3 = cpu.cr3;
    state.cr4 = cpu.cr4;
    state.cr8 = cpu.cr8;
    state.efer = cpu.efer;
    state.apicBase = cpu.apicBase;
    if (state.more != null) {
      cpu.fpu.save(state.more.fxsave);
      state.more.known = CpuState.More.MSRS.length;
      for (int i = 0; i < state.more.known; i++) {
        state.more.msrs[i] = cpu.readMsr(CpuState.More.MSRS[i]);
      }
    }
  }

  private void read(int seg, CpuState.Segment to) {
    to.set(cpu.segSelector[seg], cpu.segBase[seg], (int) cpu.segLimit[seg], cpu.segAccess[seg]);
  }

  @Override
  public void writeState(CpuState state) {
    System.arraycopy(state.gpr, 0, cpu.gpr, 0, 16);
    cpu.rip = state.rip;
    cpu.setArithmeticFlags((int) state.rflags);
    cpu.eflags = (int) state.rflags & ~Cpu.ARITHMETIC | 2;
    for (int i = 0; i < 6; i++) {
      write(i, state.segments[i]);
    }
    write(Cpu.LDTR, state.ldtr);
    write(Cpu.TR, state.tr);
    cpu.gdtBase = state.gdtBase;
    cpu.gdtLimit = state.gdtLimit & 0xffff;
    cpu.idtBase = state.idtBase;
    cpu.idtLimit = state.idtLimit & 0xffff;
    cpu.cr0 = state.cr0 | Cpu.CR0_ET;
    cpu.cr2 = state.cr2;
    cpu.cr3 = state.cr3;
    cpu.cr4 = state.cr4;
    cpu.cr8 = state.cr8;
    cpu.efer = state.efer;
    cpu.apicBase = state.apicBase;
    if (state.more != null) {
      cpu.fpu.load(state.more.fxsave);
      for (int i = 0; i < state.more.known; i++) {
        cpu.writeMsr(CpuState.More.MSRS[i], state.more.msrs[i]);
      }
    }
    boolean ringed = (cpu.cr0 & Cpu.CR0_PE) != 0;
    cpu.cpl = !ringed ? 0 : (cpu.eflags & Cpu.VM) != 0 ? 3 : cpu.segAccess[Cpu.SS] >> 5 & 3;
    runner.restart();
  }

  private void write(int seg, CpuState.Segment from) {
    cpu.setSegment(seg, from.selector, from.base, from.limit & 0xffffffffL, from.access);
  }

  @Override
  public void close() {}
}
