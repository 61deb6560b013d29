package io.trapscope.vmm.boot;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.memory.MemoryLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * A bzImage by the Linux boot protocol (Linux, Documentation/arch/x86/boot.rst), entered in 64 or
 * 32 bits, or with its payload unpacked here instead of by the kernel's own code.
 */
final class LinuxBoot extends KernelBoot {
  private static final int SETUP_SECTS = 0x1f1;
  private static final int BOOT_FLAG = 0x1fe;
  private static final int APPENDED_SIZE_BYTES = 4;
  private static final int HEADER_MAGIC = 0x202;
  private static final int VERSION = 0x206;
  private static final int KERNEL_VERSION = 0x20e;
  private static final int LOADFLAGS = 0x211;
  private static final int INITRD_ADDR_MAX = 0x22c;
  private static final int RELOCATABLE = 0x234;
  private static final int XLOADFLAGS = 0x236;
  private static final int CMDLINE_SIZE = 0x238;
  private static final int PAYLOAD_OFFSET = 0x248;
  private static final int PAYLOAD_LENGTH = 0x24c;
  private static final int PREF_ADDRESS = 0x258;
  private static final int INIT_SIZE = 0x260;

  private static final int HEADER = 0x5372_6448;
  private static final int XLF_KERNEL_64 = 1;

  /** The 64-bit entry lies this far into the protected-mode kernel. */
  private static final int ENTRY_64 = 0x200;

  private static final int DEFAULT_CMDLINE_SIZE = 255;
  private static final long DEFAULT_INITRD_MAX = 0x37ff_ffffL;

  private final ByteBuffer image;
  private final KernelEntry entry;

  /** Where the protected-mode kernel begins in the file. */
  private final int kernelOffset;

  private final int version;

  LinuxBoot(KernelFiles files, KernelEntry entry) {
    super(files);
    image = ByteBuffer.wrap(files.kernel()).order(ByteOrder.LITTLE_ENDIAN);
    version = image.getShort(VERSION) & 0xffff;
    int sectors = image.get(SETUP_SECTS) & 0xff;
    kernelOffset = ((sectors == 0 ? 4 : sectors) + 1) * 512;
    if (version < 0x0202 || (image.get(LOADFLAGS) & 1) == 0) {
      throw new BootException(
          String.format(Locale.ROOT, "%s: a Linux image too old to load at 1 MiB", files.name()));
    }
    if (kernelOffset >= image.capacity()) {
      throw new BootException(files.name() + ": truncated: only the setup code is there");
    }
    long declared = version >= 0x0208 ? payloadEnd() : 0;
    if (declared > image.capacity()) {
      throw new BootException(
          files.name() + ": truncated: " + image.capacity() + " of " + declared + " bytes");
    }
    this.entry = choose(entry);
  }

  static boolean isBzImage(byte[] image) {
    ByteBuffer bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    return image.length >= 0x268
        && bytes.getInt(HEADER_MAGIC) == HEADER
        && bytes.getShort(BOOT_FLAG) == (short) 0xaa55;
  }

  private long payloadEnd() {
    return kernelOffset + word(PAYLOAD_OFFSET) + word(PAYLOAD_LENGTH);
  }

  private long word(int at) {
    return image.getInt(at) & 0xffff_ffffL;
  }

  private boolean has64BitEntry() {
    return version >= 0x020c && (image.getShort(XLOADFLAGS) & XLF_KERNEL_64) != 0;
  }

  private KernelEntry choose(KernelEntry wanted) {
    if (wanted == KernelEntry.AUTO) {
      return has64BitEntry() ? KernelEntry.BITS_64 : KernelEntry.BITS_32;
    }
    if (wanted == KernelEntry.BITS_64 && !has64BitEntry()) {
      throw new BootException(files.name() + ": this kernel has no 64-bit entry");
    }
    if (wanted == KernelEntry.PVH) {
      throw new BootException(files.name() + ": a bzImage has no PVH entry");
    }
    return wanted;
  }

  @Override
  String protocol() {
    return switch (entry) {
      case BITS_32 -> "bzImage, 32-bit entry";
      case UNPACKED -> "bzImage, unpacked, 64-bit entry";
      case AUTO, BITS_64, PVH -> "bzImage, 64-bit entry";
    };
  }

  @Override
  protected void load(int cpus, CpuState state) {
    long kernelEnd;
    long start;
    if (entry == KernelEntry.UNPACKED) {
      ElfImage elf = payload();
      placeSegments(elf);
      start = elf.physicalEntry();
      kernelEnd = elf.end();
    } else {
      long base = placeKernel();
      start = base + (entry == KernelEntry.BITS_32 ? 0 : ENTRY_64);
      kernelEnd = base + size();
    }
    long limit = version >= 0x0203 ? word(INITRD_ADDR_MAX) : DEFAULT_INITRD_MAX;
    placeModules(kernelEnd, limit + 1, 1);
    writeCommandLine(version >= 0x0206 ? image.getInt(CMDLINE_SIZE) : DEFAULT_CMDLINE_SIZE);
    writeFirmwareTables(cpus);
    ZeroPage zeroPage = new ZeroPage(memory);
    zeroPage.header(files.kernel());
    zeroPage.fill(memoryMap, moduleAt(0), moduleBytes(0), rsdp);
    if (entry == KernelEntry.BITS_32) {
      BootState.protectedMode(memory, state, start);
    } else {
      BootState.longMode(memory, state, start);
    }
    state.gpr[CpuState.RSI] = MemoryLayout.BOOT_PARAMS;
    describe(start);
  }

  /** Memory the kernel needs from its load address on: it unpacks itself in place. */
  private long size() {
    long code = image.capacity() - kernelOffset;
    return version >= 0x020a ? Math.max(code, word(INIT_SIZE)) : code;
  }

  /**
   * Writes the protected-mode kernel at the address it prefers, which saves it a move, or at 1 MiB,
   * and returns where.
   */
  private long placeKernel() {
    int length = image.capacity() - kernelOffset;
    long base = MemoryLayout.HIGH_MEMORY;
    if (version >= 0x020a && image.get(RELOCATABLE) != 0) {
      base = Math.max(base, image.getLong(PREF_ADDRESS));
    }
    checkFits(base, size());
    place(base, files.kernel(), kernelOffset, length, length);
    detail("kernel", range(base, length));
    return base;
  }

  /** The ELF file that the kernel would unpack itself. */
  ElfImage payload() {
    String what = files.name() + ": payload";
    if (version < 0x0208) {
      throw new BootException(files.name() + ": this kernel does not say where its payload is");
    }
    int at = (int) (kernelOffset + word(PAYLOAD_OFFSET));
    int length = (int) word(PAYLOAD_LENGTH);
    Unpacker.Format format = Unpacker.Format.of(files.kernel(), at);
    if (format == null) {
      throw new BootException(what + " is in no format this version unpacks");
    }
    detail("payload", format.title());
    // A kernel's build appends the unpacked size (scripts/Makefile.lib, size_append), which a
    // reader
    // of Zstandard takes for another frame.
    int size = format == Unpacker.Format.ZSTD ? APPENDED_SIZE_BYTES : 0;
    byte[] unpacked = Unpacker.unpack(format, files.kernel(), at, length - size, what);
    if (!ElfImage.isElf(unpacked)) {
      throw new BootException(what + " is no ELF file");
    }
    return new ElfImage(unpacked, what);
  }

  private void describe(long start) {
    detail("entry", start);
    detail("boot protocol", (version >> 8) + "." + String.format("%02d", version & 0xff));
    int text = (image.getShort(KERNEL_VERSION) & 0xffff) + 0x200;
    if (text > 0x200 && text < kernelOffset) {
      byte[] bytes = files.kernel();
      int end = text;
      while (end < kernelOffset && bytes[end] >= ' ') {
        end++;
      }
      detail("kernel version", new String(bytes, text, end - text, StandardCharsets.US_ASCII));
    }
    detail("zero page", MemoryLayout.BOOT_PARAMS);
    detail("initrd limit", version >= 0x0203 ? word(INITRD_ADDR_MAX) : DEFAULT_INITRD_MAX);
    detail("init size", size());
  }
}
