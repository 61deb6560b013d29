package io.trapscope.vmm.boot;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Recognizes a kernel by its content. */
public final class KernelLoader {
  /** Enough to see what a file is. */
  private static final int HEAD_BYTES = 1024;

  private KernelLoader() {}

  /**
   * Opens a kernel: a bzImage, an ELF file (PVH note, Multiboot header, or 64-bit entry, in that
   * order), or another Multiboot image; also one that is compressed as a whole.
   *
   * @param kernel its text is its name, for messages and for a kernel that is told its own
   * @param modules files given to the kernel as they are; to Linux at most one, its RAM disk
   * @param commandLine for the kernel; may be empty
   * @param entry which of its entries to use
   * @throws BootException with a line for the user where a file cannot be read, is damaged, or is
   *     no kernel
   */
  public static BootSource open(
      BootModule kernel, List<BootModule> modules, String commandLine, KernelEntry entry) {
    KernelFiles files = KernelFiles.read(kernel, modules, commandLine);
    byte[] image = files.kernel();
    if (LinuxBoot.isBzImage(image)) {
      return new LinuxBoot(files, entry);
    }
    if (ElfImage.isElf(image)) {
      return openElf(files, entry);
    }
    if (MultibootBoot.findHeader(image) >= 0) {
      requireAuto(files, entry, "a Multiboot image");
      return new MultibootBoot(files);
    }
    throw new BootException(
        files.name() + ": not a kernel: no bzImage, ELF or Multiboot header found");
  }

  /** The same, of a kernel that is called as its file is. */
  public static BootSource open(
      Path kernel, List<BootModule> modules, String commandLine, KernelEntry entry) {
    return open(BootModule.of(kernel), modules, commandLine, entry);
  }

  /**
   * The ELF file inside a bzImage, as {@link KernelEntry#UNPACKED} boots it.
   *
   * @throws BootException where the file cannot be read or is no bzImage
   */
  public static byte[] unpack(Path kernel) {
    KernelFiles files = KernelFiles.read(BootModule.of(kernel), List.of(), "");
    if (!LinuxBoot.isBzImage(files.kernel())) {
      throw new BootException(files.name() + ": not a bzImage");
    }
    return new LinuxBoot(files, KernelEntry.UNPACKED).payload().bytes();
  }

  /** Whether a file is compressed as a whole, or a bzImage, in which the kernel is. */
  public static boolean isPacked(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] head = in.readNBytes(HEAD_BYTES);
      return LinuxBoot.isBzImage(head) || Unpacker.Format.of(head, 0) != null;
    }
  }

  /**
   * What is packed in a file: the ELF file inside a bzImage, or the content of a compressed file;
   * empty where the file is neither.
   *
   * @throws BootException where it is damaged
   * @throws IOException where the file cannot be read
   */
  public static Optional<byte[]> unpacked(Path file) throws IOException {
    if (!isPacked(file)) {
      return Optional.empty();
    }
    KernelFiles files = KernelFiles.read(BootModule.of(file), List.of(), "");
    return Optional.of(
        LinuxBoot.isBzImage(files.kernel())
            ? new LinuxBoot(files, KernelEntry.UNPACKED).payload().bytes()
            : files.kernel());
  }

  private static BootSource openElf(KernelFiles files, KernelEntry entry) {
    ElfImage elf = new ElfImage(files.kernel(), files.name());
    boolean auto = entry == KernelEntry.AUTO;
    if (elf.pvhEntry() >= 0 && (auto || entry == KernelEntry.PVH)) {
      return new PvhBoot(files, elf);
    }
    if (auto && MultibootBoot.findHeader(files.kernel()) >= 0) {
      return new MultibootBoot(files);
    }
    if (elf.isWide() && (auto || entry == KernelEntry.BITS_64)) {
      return new ElfBoot(files, elf);
    }
    if (auto) {
      throw new BootException(
          files.name() + ": a 32-bit ELF file without a PVH note or a Multiboot header");
    }
    throw new BootException(
        files.name() + ": this ELF file has no entry of the kind '" + entry.title() + "'");
  }

  private static void requireAuto(KernelFiles files, KernelEntry entry, String what) {
    if (entry != KernelEntry.AUTO) {
      throw new BootException(
          files.name() + ": " + what + " has no entry of the kind '" + entry.title() + "'");
    }
  }
}
