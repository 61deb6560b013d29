package io.trapscope.analyzer.symbols;

/** The bytes of a kernel at the addresses that it is linked to. Immutable. */
final class KernelCode {
  private final ElfFile elf;

  KernelCode(ElfFile elf) {
    this.elf = elf;
  }

  /** The byte at an address, 0 to 255; -1 where nothing is loaded. */
  int at(long address) {
    for (ElfFile.Segment segment : elf.segments()) {
      long offset = address - segment.address();
      if (offset >= 0 && offset < segment.bytes()) {
        return elf.byteAt(segment.offset() + (int) offset);
      }
    }
    return -1;
  }
}
