package io.trapscope.vmm.boot;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.memory.MemoryLayout;

/**
 * An ELF kernel at its PVH entry (Xen, docs/misc/pvh.pandoc and include/public/arch-x86/hvm/
 * start_info.h): protected mode without paging, EBX points to the start info.
 *
 * <pre>
 *   START_INFO  0 u32 magic        4 u32 version 1     8 u32 flags      12 u32 modules
 *              16 u64 module list 24 u64 command line 32 u64 RSDP       40 u64 memory map
 *              48 u32 map entries 52 u32 reserved
 *         +0x80 memory map: u64 address, u64 size, u32 type, u32 reserved each
 *        +0x800 modules: u64 address, u64 size, u64 command line, u64 reserved each
 *       +0x1000 the modules' command lines
 * </pre>
 */
final class PvhBoot extends KernelBoot {
  private static final int MAGIC = 0x336e_c578;
  private static final int MEMORY_MAP = 0x80;
  private static final int MODULES = 0x800;
  private static final int MODULE_BYTES = 32;
  private static final int MOST_MODULES = 32;

  private final ElfImage elf;

  PvhBoot(KernelFiles files, ElfImage elf) {
    super(files);
    this.elf = elf;
  }

  @Override
  String protocol() {
    return "PVH";
  }

  @Override
  protected void load(int cpus, CpuState state) {
    placeSegments(elf);
    placeModules(elf.end(), MemoryLayout.PCI_HOLE, MOST_MODULES);
    writeCommandLine(Integer.MAX_VALUE);
    writeFirmwareTables(cpus);
    writeStartInfo();
    BootState.protectedMode(memory, state, elf.pvhEntry());
    state.gpr[CpuState.RBX] = MemoryLayout.START_INFO;
    detail("entry", elf.pvhEntry());
    detail("start info", MemoryLayout.START_INFO);
  }

  private void writeStartInfo() {
    long info = MemoryLayout.START_INFO;
    memory.writeInt(info, MAGIC);
    memory.writeInt(info + 4, 1);
    memory.writeInt(info + 12, modules());
    memory.writeLong(info + 16, modules() != 0 ? info + MODULES : 0);
    memory.writeLong(info + 24, MemoryLayout.COMMAND_LINE);
    memory.writeLong(info + 32, rsdp);
    memory.writeLong(info + 40, info + MEMORY_MAP);
    memory.writeInt(info + 48, memoryMap.size());
    long[] texts = writeModuleTexts(MemoryLayout.MODULE_TEXTS, MemoryLayout.PAGE_SIZE);
    for (int i = 0; i < texts.length; i++) {
      long at = info + MODULES + (long) MODULE_BYTES * i;
      memory.writeLong(at, moduleAt(i));
      memory.writeLong(at + 8, moduleBytes(i));
      memory.writeLong(at + 16, texts[i]);
    }
    for (int i = 0; i < memoryMap.size(); i++) {
      E820.Entry entry = memoryMap.get(i);
      long at = info + MEMORY_MAP + 24L * i;
      memory.writeLong(at, entry.base());
      memory.writeLong(at + 8, entry.length());
      memory.writeInt(at + 16, entry.type());
    }
  }
}
