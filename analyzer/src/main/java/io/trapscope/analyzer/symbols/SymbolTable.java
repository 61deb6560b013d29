package io.trapscope.analyzer.symbols;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** Functions by address. Immutable; any number of threads may look up at once. */
public final class SymbolTable {
  /** A table without symbols: every address is unknown. */
  public static final SymbolTable EMPTY = new SymbolTable(List.of());

  /** A function of unknown length is taken to end at the next symbol, or here: 1 MiB. */
  private static final long LONGEST_FUNCTION = 1 << 20;

  /** Largest symbol file that is read into memory. */
  private static final long LARGEST_FILE = 1L << 30;

  private record Symbol(long address, String name) {}

  private final long[] addresses;
  private final String[] names;

  private SymbolTable(List<Symbol> symbols) {
    List<Symbol> sorted = new ArrayList<>(symbols);
    // Of several names at one address the first in the file stays: sorting is stable.
    sorted.sort(Comparator.comparing(Symbol::address, Long::compareUnsigned));
    long[] all = new long[sorted.size()];
    String[] allNames = new String[sorted.size()];
    int kept = 0;
    for (Symbol symbol : sorted) {
      if (kept == 0 || all[kept - 1] != symbol.address) {
        all[kept] = symbol.address;
        allNames[kept++] = symbol.name;
      }
    }
    this.addresses = Arrays.copyOf(all, kept);
    this.names = Arrays.copyOf(allNames, kept);
  }

  /**
   * Reads an ELF file with a symbol table (vmlinux), or text with a line a symbol: address in
   * hexadecimal, type letter, name (System.map, /proc/kallsyms).
   *
   * @throws IOException with one line that names the file, where it is neither
   */
  public static SymbolTable read(Path file) throws IOException {
    if (Files.size(file) > LARGEST_FILE) {
      throw new IOException(file + " is too large for a file of symbols");
    }
    byte[] bytes = Files.readAllBytes(file);
    List<Symbol> symbols =
        isElf(bytes) ? elf(file, bytes) : text(new String(bytes, StandardCharsets.ISO_8859_1));
    if (symbols.isEmpty()) {
      throw new IOException(file + " holds no symbols of functions");
    }
    return new SymbolTable(symbols);
  }

  /** Number of functions. */
  public int size() {
    return names.length;
  }

  /** Index of the function that this address lies in, or -1. */
  public int indexOf(long address) {
    int low = 0;
    int high = addresses.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (Long.compareUnsigned(addresses[middle], address) <= 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high >= 0 && address - addresses[high] < LONGEST_FUNCTION ? high : -1;
  }

  /** Name of the function with this index. */
  public String name(int index) {
    return names[index];
  }

  /** "name+0x1f", or null where no function holds the address. */
  public String describe(long address) {
    int index = indexOf(address);
    return index < 0 ? null : names[index] + "+0x" + Long.toHexString(address - addresses[index]);
  }

  /**
   * Lines "ffffffff81000000 T _text"; letters t, T, w and W are functions. Other lines are left
   * out.
   */
  private static List<Symbol> text(String text) {
    List<Symbol> symbols = new ArrayList<>();
    for (String line : text.split("\n")) {
      String[] words = line.trim().split("\\s+");
      if (words.length >= 3 && words[1].matches("[tTwW]") && words[0].matches("[0-9a-f]{1,16}")) {
        long address = Long.parseUnsignedLong(words[0], 16);
        // kallsyms shows 0 for every symbol to those who may not see addresses.
        if (address != 0) {
          symbols.add(new Symbol(address, words[2]));
        }
      }
    }
    return symbols;
  }

  private static boolean isElf(byte[] bytes) {
    return bytes.length >= 64
        && bytes[0] == 0x7f
        && bytes[1] == 'E'
        && bytes[2] == 'L'
        && bytes[3] == 'F';
  }

  /**
   * The functions of .symtab. Offsets are those of Elf64_Ehdr, Elf64_Shdr and Elf64_Sym (elf.h).
   */
  private static List<Symbol> elf(Path file, byte[] bytes) throws IOException {
    ByteBuffer elf = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes[4] != 2 || bytes[5] != 1) {
      throw new IOException(file + " is not a 64-bit little-endian ELF file");
    }
    List<Symbol> symbols = new ArrayList<>();
    try {
      long sections = elf.getLong(40);
      int sectionBytes = elf.getShort(58) & 0xffff;
      int count = elf.getShort(60) & 0xffff;
      for (int i = 0; i < count; i++) {
        int section = Math.toIntExact(sections + (long) i * sectionBytes);
        if (elf.getInt(section + 4) == 2) { // SHT_SYMTAB
          int strings = Math.toIntExact(sections + (long) elf.getInt(section + 40) * sectionBytes);
          addSymbols(elf, section, Math.toIntExact(elf.getLong(strings + 24)), symbols);
        }
      }
    } catch (IndexOutOfBoundsException | ArithmeticException e) {
      throw new IOException(file + " is a damaged ELF file", e);
    }
    return symbols;
  }

  private static void addSymbols(ByteBuffer elf, int section, int strings, List<Symbol> symbols) {
    int start = Math.toIntExact(elf.getLong(section + 24));
    int end = Math.toIntExact(start + elf.getLong(section + 32));
    for (int at = start; at + 24 <= end; at += 24) {
      int type = elf.get(at + 4) & 0xf;
      long address = elf.getLong(at + 8);
      boolean undefined = elf.getShort(at + 6) == 0;
      if (type == 2 && !undefined && address != 0) { // STT_FUNC
        symbols.add(new Symbol(address, string(elf, strings + elf.getInt(at))));
      }
    }
  }

  private static String string(ByteBuffer elf, int at) {
    int end = at;
    while (elf.get(end) != 0) {
      end++;
    }
    return new String(elf.array(), at, end - at, StandardCharsets.UTF_8);
  }
}
