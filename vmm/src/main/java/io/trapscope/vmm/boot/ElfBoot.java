package io.trapscope.vmm.boot;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.memory.MemoryLayout;

/**
 * An ELF64 kernel at its entry point, in long mode with the first 4 GiB mapped to themselves. RSI
 * points to a Linux zero page, which is what an unpacked vmlinux expects; others may ignore it.
 */
final class ElfBoot extends KernelBoot {
  private final ElfImage elf;

  ElfBoot(KernelFiles files, ElfImage elf) {
    super(files);
    this.elf = elf;
  }

  @Override
  String protocol() {
    return "ELF64 entry";
  }

  @Override
  protected void load(int cpus, CpuState state) {
    placeSegments(elf);
    placeModules(elf.end(), MemoryLayout.PCI_HOLE, 1);
    writeCommandLine(Integer.MAX_VALUE);
    writeFirmwareTables(cpus);
    ZeroPage zeroPage = new ZeroPage(memory);
    zeroPage.header();
    zeroPage.fill(memoryMap, moduleAt(0), moduleBytes(0), rsdp);
    BootState.longMode(memory, state, elf.physicalEntry());
    state.gpr[CpuState.RSI] = MemoryLayout.BOOT_PARAMS;
    detail("entry", elf.physicalEntry());
    detail("zero page", MemoryLayout.BOOT_PARAMS);
  }
}
