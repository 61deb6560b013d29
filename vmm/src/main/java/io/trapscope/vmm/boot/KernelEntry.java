package io.trapscope.vmm.boot;

/** Which of a kernel's entries to use. */
public enum KernelEntry {
  /** The best it has: 64-bit for a bzImage; for ELF its PVH note, Multiboot header, or entry. */
  AUTO("auto"),
  /** The 64-bit entry: of a bzImage, or the entry point of an ELF64 file. */
  BITS_64("64"),
  /** The 32-bit entry of a bzImage. */
  BITS_32("32"),
  /** The PVH entry of an ELF file. */
  PVH("pvh"),
  /** A bzImage unpacked by the loader, and its payload entered in 64 bits. */
  UNPACKED("unpacked");

  private final String title;

  KernelEntry(String title) {
    this.title = title;
  }

  /** As on the command line. */
  public String title() {
    return title;
  }
}
