package io.trapscope.vmm.boot;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;
import io.trapscope.vmm.memory.MemoryRegion;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What all boot protocols for kernels share: the command line, where the RAM disk goes, firmware's
 * tables, and a record of what was put where.
 */
abstract class KernelBoot implements BootSource {
  protected final KernelFiles files;
  private final Map<String, String> details = new LinkedHashMap<>();

  protected GuestMemory memory;
  protected List<MemoryRegion> ram;
  protected List<E820.Entry> memoryMap;

  /** Where each module lies, once {@link #placeModules} has run. */
  private final List<Long> moduleAt = new ArrayList<>();

  /** Address of ACPI's root pointer. */
  protected long rsdp;

  KernelBoot(KernelFiles files) {
    this.files = files;
  }

  /** The protocol's name, such as {@code PVH}. */
  abstract String protocol();

  @Override
  public final String description() {
    return files.name() + " (" + protocol() + ")";
  }

  @Override
  public final Map<String, String> details() {
    return Collections.unmodifiableMap(details);
  }

  protected final void detail(String key, String value) {
    details.put(key, value);
  }

  protected final void detail(String key, long address) {
    details.put(key, String.format(Locale.ROOT, "%#x", address));
  }

  @Override
  public final void load(GuestMemory memory, List<MemoryRegion> ram, int cpus, CpuState state) {
    this.memory = memory;
    this.ram = ram;
    this.memoryMap = E820.of(ram);
    details.clear();
    detail("protocol", protocol());
    load(cpus, state);
    detail("command line", files.commandLine());
    for (int i = 0; i < moduleAt.size(); i++) {
      detail(i == 0 ? "initrd" : "module." + i, range(moduleAt(i), moduleBytes(i)));
    }
    for (int i = 0; i < memoryMap.size(); i++) {
      detail("e820." + i, memoryMap.get(i).toString());
    }
  }

  /** Loads the image and its protocol's structures, and sets the registers. */
  protected abstract void load(int cpus, CpuState state);

  protected static String range(long base, long length) {
    return String.format(Locale.ROOT, "%#x-%#x", base, base + length - 1);
  }

  /** Writes the user's command line with its NUL at {@code MemoryLayout.COMMAND_LINE}. */
  protected final void writeCommandLine(int limit) {
    writeCommandLine(files.commandLine(), limit);
  }

  /** Writes a command line of up to {@code limit} bytes and its NUL. */
  protected final void writeCommandLine(String line, int limit) {
    byte[] text = line.getBytes(StandardCharsets.UTF_8);
    int most = Math.min(limit, MemoryLayout.COMMAND_LINE_BYTES - 1);
    if (text.length > most) {
      throw new BootException(
          "the command line has " + text.length + " bytes; this kernel takes " + most);
    }
    memory.write(MemoryLayout.COMMAND_LINE, text, 0, text.length);
    memory.writeByte(MemoryLayout.COMMAND_LINE + text.length, (byte) 0);
  }

  /**
   * Writes the modules as high as they fit below {@code limit}, a page boundary, and past {@code
   * kernelEnd}; the first one highest.
   *
   * @param most how many this protocol can hand over
   */
  protected final void placeModules(long kernelEnd, long limit, int most) {
    if (files.modules().size() > most) {
      throw new BootException(
          files.name()
              + ": "
              + protocol()
              + " takes "
              + (most == 1 ? "one file" : most + " files")
              + " beside the kernel, not "
              + files.modules().size());
    }
    moduleAt.clear();
    long top = Math.min(ram.get(0).end(), limit);
    for (KernelFiles.Module module : files.modules()) {
      int length = module.bytes().length;
      long base = top - length & -MemoryLayout.PAGE_SIZE;
      if (base < kernelEnd) {
        throw new BootException(
            String.format(
                Locale.ROOT,
                "%s: %d KiB do not fit between the kernel's end at %#x and %#x; give more --memory",
                module.name(),
                length + 1023 >> 10,
                kernelEnd,
                top));
      }
      memory.write(base, module.bytes(), 0, length);
      moduleAt.add(base);
      top = base;
    }
  }

  /** Modules that have been placed. */
  protected final int modules() {
    return moduleAt.size();
  }

  /** Address of a module; 0 where there are not so many. */
  protected final long moduleAt(int index) {
    return index < moduleAt.size() ? moduleAt.get(index) : 0;
  }

  /** Bytes of a module; 0 where there are not so many. */
  protected final int moduleBytes(int index) {
    return index < moduleAt.size() ? files.modules().get(index).bytes().length : 0;
  }

  /**
   * Writes every module's text with its NUL, one behind the other, from {@code gpa} on.
   *
   * @return where each lies
   */
  protected final long[] writeModuleTexts(long gpa, int room) {
    long[] at = new long[modules()];
    long end = gpa;
    for (int i = 0; i < at.length; i++) {
      byte[] text = files.modules().get(i).text().getBytes(StandardCharsets.UTF_8);
      if (end + text.length + 1 - gpa > room) {
        throw new BootException("the texts of the modules are longer than " + room + " bytes");
      }
      memory.write(end, text, 0, text.length);
      memory.writeByte(end + text.length, (byte) 0);
      at[i] = end;
      end += text.length + 1;
    }
    return at;
  }

  /** Writes part of the image to memory, or says that the machine is too small. */
  protected final void place(long gpa, byte[] from, int offset, int length, long memoryBytes) {
    boolean low = gpa < MemoryLayout.LOW_FREE;
    boolean overBoot =
        gpa < MemoryLayout.BOOT_AREA_END && gpa + memoryBytes > MemoryLayout.BOOT_AREA;
    boolean overTables =
        gpa < MemoryLayout.HIGH_MEMORY && gpa + memoryBytes > MemoryLayout.MP_TABLE;
    if (gpa < 0 || low || overBoot || overTables) {
      throw new BootException(
          String.format(
              Locale.ROOT,
              "%s: wants to be loaded at %s, which boot structures use",
              files.name(),
              range(gpa, memoryBytes)));
    }
    checkFits(gpa, memoryBytes);
    memory.write(gpa, from, offset, length);
  }

  /** Checks that RAM lies at a range, and says what to do where it does not. */
  protected final void checkFits(long gpa, long bytes) {
    if (!memory.contains(gpa, bytes)) {
      throw new BootException(
          String.format(
              Locale.ROOT,
              "%s: needs memory at %s, and RAM ends at %#x; give more --memory",
              files.name(),
              range(gpa, bytes),
              ram.get(0).end()));
    }
  }

  /** Loads an ELF file's segments at their physical addresses. */
  protected final void placeSegments(ElfImage elf) {
    for (ElfImage.Segment segment : elf.segments()) {
      place(
          segment.physical(),
          elf.bytes(),
          segment.offset(),
          segment.fileBytes(),
          segment.memoryBytes());
      detail(
          String.format(Locale.ROOT, "segment.%#x", segment.physical()),
          segment.fileBytes() + " bytes of " + segment.memoryBytes());
    }
  }

  /** Writes what firmware would leave, and notes where the roots of its tables are. */
  protected final void writeFirmwareTables(int cpus) {
    BiosData.write(memory);
    rsdp = AcpiTables.write(memory, cpus);
    MpTable.write(memory, cpus);
    detail("acpi rsdp", rsdp);
    detail("mp table", MpTable.pointerAt());
  }
}
