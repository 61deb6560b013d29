package io.trapscope.vmm.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The parts of an x86 ELF executable that booting needs: entry, loadable segments, PVH note (System
 * V ABI, chapters 4 and 5; Xen, docs/misc/pvh.pandoc).
 */
final class ElfImage {
  private static final int EM_386 = 3;
  private static final int EM_X86_64 = 62;
  private static final int PT_LOAD = 1;
  private static final int PT_NOTE = 4;

  /** The note whose content is the 32-bit entry's physical address. */
  private static final int XEN_ELFNOTE_PHYS32_ENTRY = 18;

  /** A loadable segment; {@code memoryBytes} past {@code fileBytes} are zero. */
  record Segment(long physical, long virtual, int offset, int fileBytes, long memoryBytes) {}

  private final ByteBuffer bytes;
  private final String name;
  private final boolean wide;
  private final long entry;
  private final List<Segment> segments = new ArrayList<>();
  private long pvhEntry = -1;

  /**
   * @param name the file, for messages
   * @throws BootException where it is no x86 ELF executable, or cut short
   */
  ElfImage(byte[] image, String name) {
    this.name = name;
    bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    if (image.length < 52) {
      throw new BootException(name + ": truncated ELF header");
    }
    wide = image[4] == 2;
    int machine = bytes.getShort(18);
    if (image[5] != 1 || machine != (wide ? EM_X86_64 : EM_386)) {
      throw new BootException(name + ": an ELF file for another processor, not x86");
    }
    if (wide && image.length < 64) {
      throw new BootException(name + ": truncated ELF header");
    }
    entry = wide ? bytes.getLong(24) : bytes.getInt(24) & 0xffff_ffffL;
    readProgramHeaders();
    if (segments.isEmpty()) {
      throw new BootException(name + ": an ELF file with nothing to load");
    }
  }

  static boolean isElf(byte[] image) {
    return image.length >= 4
        && image[0] == 0x7f
        && image[1] == 'E'
        && image[2] == 'L'
        && image[3] == 'F';
  }

  private void readProgramHeaders() {
    long table = wide ? bytes.getLong(32) : bytes.getInt(28) & 0xffff_ffffL;
    int size = bytes.getShort(wide ? 54 : 42) & 0xffff;
    int count = bytes.getShort(wide ? 56 : 44) & 0xffff;
    check(table, (long) size * count, "program headers");
    if (count > 0 && size < (wide ? 56 : 32)) {
      throw new BootException(name + ": program headers of " + size + " bytes");
    }
    for (int i = 0; i < count; i++) {
      readProgramHeader((int) table + i * size);
    }
  }

  private void readProgramHeader(int at) {
    int type = bytes.getInt(at);
    if (type != PT_LOAD && type != PT_NOTE) {
      return;
    }
    long offset = wide ? bytes.getLong(at + 8) : word(at + 4);
    long virtual = wide ? bytes.getLong(at + 16) : word(at + 8);
    long physical = wide ? bytes.getLong(at + 24) : word(at + 12);
    long fileBytes = wide ? bytes.getLong(at + 32) : word(at + 16);
    long memoryBytes = wide ? bytes.getLong(at + 40) : word(at + 20);
    check(offset, fileBytes, "segments");
    if (type == PT_NOTE) {
      readNotes((int) offset, (int) fileBytes);
    } else if (memoryBytes > 0) {
      if (fileBytes > memoryBytes || memoryBytes < 0) {
        throw new BootException(name + ": an ELF segment of negative size");
      }
      segments.add(new Segment(physical, virtual, (int) offset, (int) fileBytes, memoryBytes));
    }
  }

  private long word(int at) {
    return bytes.getInt(at) & 0xffff_ffffL;
  }

  private void check(long offset, long length, String what) {
    if (offset < 0 || length < 0 || offset > bytes.capacity() - length) {
      throw new BootException(name + ": truncated: its " + what + " lie past the end of the file");
    }
  }

  /** Notes: name size, description size, type, name and description padded to 4 bytes each. */
  private void readNotes(int offset, int length) {
    int at = offset;
    long end = (long) offset + length;
    while (at + 12 <= end) {
      long nameBytes = word(at);
      long descriptionBytes = word(at + 4);
      int type = bytes.getInt(at + 8);
      long description = at + 12 + (nameBytes + 3 & ~3L);
      long next = description + (descriptionBytes + 3 & ~3L);
      if (next > end) {
        return;
      }
      boolean xen = nameBytes == 4 && bytes.getInt(at + 12) == 0x006e_6558;
      if (xen && type == XEN_ELFNOTE_PHYS32_ENTRY && descriptionBytes >= 4) {
        pvhEntry = word((int) description);
      }
      at = (int) next;
    }
  }

  /** Whether it is a 64-bit file. */
  boolean isWide() {
    return wide;
  }

  /** The entry point as a physical address, where it lies in a segment; else as it stands. */
  long physicalEntry() {
    for (Segment segment : segments) {
      long offset = entry - segment.virtual;
      if (offset >= 0 && offset < segment.memoryBytes) {
        return segment.physical + offset;
      }
    }
    return entry;
  }

  /** The PVH entry point, or -1 without the note. */
  long pvhEntry() {
    return pvhEntry;
  }

  List<Segment> segments() {
    return segments;
  }

  byte[] bytes() {
    return bytes.array();
  }

  /** The first address after all segments. */
  long end() {
    return segments.stream().mapToLong(s -> s.physical + s.memoryBytes).max().orElse(0);
  }

  /** The first address of any segment. */
  long start() {
    return segments.stream().mapToLong(Segment::physical).min().orElse(0);
  }
}
