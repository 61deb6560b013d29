package io.trapscope.vmm.soft.cpu;

import io.trapscope.vmm.soft.mmu.Ept;
import io.trapscope.vmm.soft.mmu.GuestRam;

/** One processor, as instruction handlers see it. */
public final class Cpu extends CpuSegments {

  private long generation;

  public Cpu(GuestRam ram, Ept ept) {
    super(ram, ept);
  }

  @Override
  protected void newGeneration() {
    generation++;
  }
}
