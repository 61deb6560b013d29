package io.trapscope.analyzer.symbols;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What of an ELF file names addresses, 32-bit or 64-bit, little-endian: sections, symbols, and the
 * bytes that are loaded. Offsets are those of {@code elf.h}: Elf32_Ehdr, Elf64_Ehdr and so on.
 */
final class ElfFile {
  private static final int MAGIC = 0x7f << 24 | 'E' << 16 | 'L' << 8 | 'F';
  private static final int SHT_SYMTAB = 2;
  private static final int SHF_EXECINSTR = 4;
  private static final int PT_LOAD = 1;
  private static final int STT_NOTYPE = 0;
  private static final int STT_FUNC = 2;
  private static final int STB_GLOBAL = 1;

  /** Bytes of the file that are loaded at an address of their own. */
  record Segment(long address, int offset, int bytes) {}

  private record Section(int type, long flags, long offset, long bytes, int link) {}

  private final String name;
  private final ByteBuffer elf;
  private final boolean wide;
  private final List<Section> sections = new ArrayList<>();
  private final List<Segment> segments = new ArrayList<>();

  /**
   * Reads the headers.
   *
   * @param name of the file, for messages
   * @throws IOException with one line where it is of another kind, damaged or cut short
   */
  ElfFile(String name, ByteBuffer bytes) throws IOException {
    this.name = name;
    this.elf = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    if (elf.get(5) != 1) {
      throw new IOException(name + " is not a little-endian ELF file");
    }
    wide = elf.get(4) == 2;
    try {
      readHeaders();
    } catch (IndexOutOfBoundsException | ArithmeticException e) {
      throw damaged(e);
    }
  }

  static boolean isElf(ByteBuffer bytes) {
    return bytes.limit() >= 64 && bytes.duplicate().order(ByteOrder.BIG_ENDIAN).getInt(0) == MAGIC;
  }

  private IOException damaged(RuntimeException cause) {
    return new IOException(name + " is a damaged ELF file", cause);
  }

  private void readHeaders() {
    long table = wide ? elf.getLong(40) : u32(32);
    int size = u16(wide ? 58 : 46);
    int count = u16(wide ? 60 : 48);
    for (int i = 0; i < count; i++) {
      int at = Math.toIntExact(table + (long) i * size);
      sections.add(
          wide
              ? new Section(
                  elf.getInt(at + 4),
                  elf.getLong(at + 8),
                  elf.getLong(at + 24),
                  elf.getLong(at + 32),
                  elf.getInt(at + 40))
              : new Section(
                  elf.getInt(at + 4),
                  u32(at + 8),
                  u32(at + 16),
                  u32(at + 20),
                  elf.getInt(at + 24)));
    }
    table = wide ? elf.getLong(32) : u32(28);
    size = u16(wide ? 54 : 42);
    count = u16(wide ? 56 : 44);
    for (int i = 0; i < count; i++) {
      int at = Math.toIntExact(table + (long) i * size);
      if (elf.getInt(at) == PT_LOAD) {
        long offset = wide ? elf.getLong(at + 8) : u32(at + 4);
        long address = wide ? elf.getLong(at + 16) : u32(at + 8);
        long length = wide ? elf.getLong(at + 32) : u32(at + 16);
        // Of a file that is cut short what is there.
        long there = Math.max(0, Math.min(length, elf.limit() - offset));
        segments.add(
            new Segment(address, Math.toIntExact(Math.max(0, offset)), Math.toIntExact(there)));
      }
    }
  }

  private int u16(int at) {
    return elf.getShort(at) & 0xffff;
  }

  private long u32(int at) {
    return elf.getInt(at) & 0xffff_ffffL;
  }

  /** What is loaded, in the order of the program headers. */
  List<Segment> segments() {
    return segments;
  }

  /** The byte of the file at an offset, 0 to 255. */
  int byteAt(int offset) {
    return elf.get(offset) & 0xff;
  }

  /**
   * The functions of .symtab, and the global labels in code, which assembly code names so.
   *
   * @throws IOException with one line where the table is damaged or cut short
   */
  List<Symbol> functions() throws IOException {
    List<Symbol> functions = new ArrayList<>();
    List<Symbol> labels = new ArrayList<>();
    try {
      for (Section section : sections) {
        if (section.type == SHT_SYMTAB) {
          int strings = Math.toIntExact(sections.get(section.link).offset);
          addSymbols(section, strings, functions, labels);
        }
      }
    } catch (IndexOutOfBoundsException | ArithmeticException e) {
      throw damaged(e);
    }
    functions.addAll(labels);
    return functions;
  }

  private void addSymbols(Section table, int strings, List<Symbol> functions, List<Symbol> labels) {
    int size = wide ? 24 : 16;
    long end = table.offset + table.bytes;
    for (long at = table.offset; at + size <= end; at += size) {
      int symbol = Math.toIntExact(at);
      int info = elf.get(symbol + (wide ? 4 : 12));
      int section = u16(symbol + (wide ? 6 : 14));
      long address = wide ? elf.getLong(symbol + 8) : u32(symbol + 4);
      if (section == 0 || address == 0) {
        continue;
      }
      int type = info & 0xf;
      if (type == STT_FUNC) {
        functions.add(new Symbol(address, string(strings + elf.getInt(symbol))));
      } else if (type == STT_NOTYPE && info >> 4 == STB_GLOBAL && isCode(section)) {
        labels.add(new Symbol(address, string(strings + elf.getInt(symbol))));
      }
    }
  }

  private boolean isCode(int section) {
    return section < sections.size() && (sections.get(section).flags & SHF_EXECINSTR) != 0;
  }

  private String string(int at) {
    int end = at;
    while (elf.get(end) != 0) {
      end++;
    }
    byte[] text = new byte[end - at];
    elf.get(at, text);
    return new String(text, StandardCharsets.UTF_8);
  }
}
