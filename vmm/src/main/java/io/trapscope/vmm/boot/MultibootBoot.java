package io.trapscope.vmm.boot;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.memory.MemoryLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * A Multiboot 1 image (Multiboot Specification 0.6.96): ELF, or any file whose header says where it
 * goes (the "a.out kludge"). The RAM disk is its first module.
 *
 * <pre>
 *   START_INFO  0 flags  4 mem_lower  8 mem_upper  16 cmdline  20 mods_count  24 mods_addr
 *              44 mmap_length  48 mmap_addr  64 boot_loader_name
 *         +0xa0 memory map: u32 size (20), u64 address, u64 length, u32 type each
 *        +0x400 loader name
 *        +0x800 modules: u32 start, u32 end, u32 string, u32 reserved each
 *       +0x1000 the modules' strings
 * </pre>
 */
final class MultibootBoot extends KernelBoot {
  private static final int HEADER_MAGIC = 0x1bad_b002;
  private static final int LOADER_MAGIC = 0x2bad_b002;
  private static final int SEARCH_BYTES = 8192;

  private static final int ADDRESSES_VALID = 1 << 16;

  /** Features a header can require: modules on pages, memory information, and a video mode. */
  private static final int REQUIRED_KNOWN = 0x7;

  /** There is no screen: a kernel that asks for a mode finds no video information. */
  private static final int VIDEO_MODE = 1 << 2;

  private static final int INFO_MEMORY = 1;
  private static final int INFO_COMMAND_LINE = 1 << 2;
  private static final int INFO_MODULES = 1 << 3;
  private static final int INFO_MEMORY_MAP = 1 << 6;
  private static final int INFO_LOADER_NAME = 1 << 9;

  private static final int MEMORY_MAP = 0xa0;
  private static final int LOADER_NAME = 0x400;
  private static final int MODULES = 0x800;
  private static final int MODULE_BYTES = 16;
  private static final int MOST_MODULES = 64;

  private final ByteBuffer image;
  private final int header;
  private final int flags;

  MultibootBoot(KernelFiles files) {
    super(files);
    image = ByteBuffer.wrap(files.kernel()).order(ByteOrder.LITTLE_ENDIAN);
    header = findHeader(files.kernel());
    flags = image.getInt(header + 4);
    int unmet = flags & 0xffff & ~REQUIRED_KNOWN;
    if (unmet != 0) {
      throw new BootException(
          String.format(
              Locale.ROOT,
              "%s: its Multiboot header requires features %#x, which are not there",
              files.name(),
              unmet));
    }
    if ((flags & ADDRESSES_VALID) != 0 && header + 32 > image.capacity()) {
      throw new BootException(files.name() + ": truncated Multiboot header");
    }
  }

  /** Offset of the Multiboot header, or -1: its three words sum to zero. */
  static int findHeader(byte[] image) {
    ByteBuffer bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at + 12 <= Math.min(image.length, SEARCH_BYTES); at += 4) {
      if (bytes.getInt(at) == HEADER_MAGIC
          && HEADER_MAGIC + bytes.getInt(at + 4) + bytes.getInt(at + 8) == 0) {
        return at;
      }
    }
    return -1;
  }

  @Override
  String protocol() {
    return (flags & ADDRESSES_VALID) != 0 ? "Multiboot, addresses in header" : "Multiboot, ELF";
  }

  @Override
  protected void load(int cpus, CpuState state) {
    long entry;
    long end;
    if ((flags & ADDRESSES_VALID) != 0) {
      entry = word(header + 28);
      end = placeByHeader();
    } else {
      if (!ElfImage.isElf(files.kernel())) {
        throw new BootException(
            files.name() + ": its Multiboot header has no addresses, and it is no ELF file");
      }
      ElfImage elf = new ElfImage(files.kernel(), files.name());
      placeSegments(elf);
      entry = elf.physicalEntry();
      end = elf.end();
    }
    placeModules(Math.max(end, MemoryLayout.HIGH_MEMORY), MemoryLayout.PCI_HOLE, MOST_MODULES);
    // Boot loaders put the image's name first, and kernels such as Xen skip the first word.
    writeCommandLine(files.name() + " " + files.commandLine(), Integer.MAX_VALUE);
    writeFirmwareTables(cpus);
    writeInformation();
    BootState.protectedMode(memory, state, entry);
    state.gpr[CpuState.RAX] = LOADER_MAGIC;
    state.gpr[CpuState.RBX] = MemoryLayout.START_INFO;
    detail("entry", entry);
    detail("multiboot information", MemoryLayout.START_INFO);
    if ((flags & VIDEO_MODE) != 0) {
      detail("video mode", "asked for, and not there");
    }
  }

  private long word(int at) {
    return image.getInt(at) & 0xffff_ffffL;
  }

  /** Loads by the header's own addresses; returns the end of what it takes with its BSS. */
  private long placeByHeader() {
    long headerAt = word(header + 12);
    long start = word(header + 16);
    long loadEnd = word(header + 20);
    long bssEnd = word(header + 24);
    long offset = header - (headerAt - start);
    long length = loadEnd == 0 ? image.capacity() - offset : loadEnd - start;
    if (offset < 0 || length < 0 || offset > image.capacity()) {
      throw new BootException(files.name() + ": the addresses in its Multiboot header are wrong");
    }
    if (length > image.capacity() - offset) {
      throw new BootException(files.name() + ": truncated: shorter than its Multiboot header says");
    }
    long memoryBytes = Math.max(length, bssEnd - start);
    place(start, files.kernel(), (int) offset, (int) length, memoryBytes);
    detail("kernel", range(start, memoryBytes));
    return start + memoryBytes;
  }

  private void writeInformation() {
    long info = MemoryLayout.START_INFO;
    memory.writeInt(
        info, INFO_MEMORY | INFO_COMMAND_LINE | INFO_MODULES | INFO_MEMORY_MAP | INFO_LOADER_NAME);
    memory.writeInt(info + 4, (int) (MemoryLayout.MP_TABLE >> 10));
    memory.writeInt(info + 8, (int) (ram.get(0).end() - MemoryLayout.HIGH_MEMORY >> 10));
    memory.writeInt(info + 16, (int) MemoryLayout.COMMAND_LINE);
    memory.writeInt(info + 20, modules());
    memory.writeInt(info + 24, (int) info + MODULES);
    long[] texts = writeModuleTexts(MemoryLayout.MODULE_TEXTS, MemoryLayout.PAGE_SIZE);
    for (int i = 0; i < texts.length; i++) {
      long at = info + MODULES + (long) MODULE_BYTES * i;
      memory.writeInt(at, (int) moduleAt(i));
      memory.writeInt(at + 4, (int) moduleAt(i) + moduleBytes(i));
      memory.writeInt(at + 8, (int) texts[i]);
    }
    memory.writeInt(info + 44, 24 * memoryMap.size());
    memory.writeInt(info + 48, (int) info + MEMORY_MAP);
    for (int i = 0; i < memoryMap.size(); i++) {
      E820.Entry entry = memoryMap.get(i);
      long at = info + MEMORY_MAP + 24L * i;
      memory.writeInt(at, 20);
      memory.writeLong(at + 4, entry.base());
      memory.writeLong(at + 12, entry.length());
      memory.writeInt(at + 20, entry.type());
    }
    memory.writeInt(info + 64, (int) info + LOADER_NAME);
    byte[] loader = "trapscope\0".getBytes(StandardCharsets.US_ASCII);
    memory.write(info + LOADER_NAME, loader, 0, loader.length);
  }
}
