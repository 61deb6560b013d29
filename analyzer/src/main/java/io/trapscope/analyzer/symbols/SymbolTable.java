package io.trapscope.analyzer.symbols;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Functions by address, where the guest runs them: {@link #relocated} finds by how much that is
 * away from where they are linked. Immutable; any number of threads may look up at once.
 */
public final class SymbolTable {
  /** A table without symbols: every address is unknown. */
  public static final SymbolTable EMPTY = new SymbolTable("", List.of(), null);

  /** A function of unknown length is taken to end at the next symbol, or here: 1 MiB. */
  private static final long LONGEST_FUNCTION = 1 << 20;

  /** Between a kernel's code and its modules there is more. */
  private static final long LARGEST_GAP = 32 << 20;

  /** Largest file of symbols; a vmlinux with all its debug information has half of that. */
  private static final long LARGEST_FILE = Integer.MAX_VALUE;

  private static final Pattern LINE = Pattern.compile("\n");

  private final String source;
  private final long[] addresses;
  private final String[] names;

  /** The functions from one to before the other are the kernel's own, without its modules'. */
  private final int firstOfKernel;

  private final int endOfKernel;

  /** Null where the file has no code. */
  private final KernelCode code;

  /** For addresses in the upper half, where kernels run. */
  private final KernelOffset upper;

  /** For addresses in the lower half, where a kernel runs until it has its own page tables. */
  private final KernelOffset lower;

  private SymbolTable(String source, List<Symbol> symbols, KernelCode code) {
    List<Symbol> sorted = new ArrayList<>(symbols);
    // Of several names at one address the first in the file stays: sorting is stable.
    sorted.sort(Comparator.comparing(Symbol::address, Long::compareUnsigned));
    long[] all = new long[sorted.size()];
    String[] allNames = new String[sorted.size()];
    int kept = 0;
    for (Symbol symbol : sorted) {
      if (kept == 0 || all[kept - 1] != symbol.address()) {
        all[kept] = symbol.address();
        allNames[kept++] = symbol.name();
      }
    }
    this.source = source;
    this.addresses = Arrays.copyOf(all, kept);
    this.names = Arrays.copyOf(allNames, kept);
    int[] kernel = longestRun(addresses);
    this.firstOfKernel = kernel[0];
    this.endOfKernel = kernel[1];
    this.code = code;
    this.upper = KernelOffset.NONE;
    this.lower = KernelOffset.NONE;
  }

  private SymbolTable(SymbolTable linked, KernelOffset upper, KernelOffset lower) {
    this.source = linked.source;
    this.addresses = linked.addresses;
    this.names = linked.names;
    this.firstOfKernel = linked.firstOfKernel;
    this.endOfKernel = linked.endOfKernel;
    this.code = linked.code;
    this.upper = upper;
    this.lower = lower;
  }

  /** From where to where most functions lie without a gap that none of a kernel's parts has. */
  private static int[] longestRun(long[] addresses) {
    int[] longest = {0, 0};
    int start = 0;
    for (int i = 1; i <= addresses.length; i++) {
      if (i == addresses.length || addresses[i] - addresses[i - 1] > LARGEST_GAP) {
        if (i - start > longest[1] - longest[0]) {
          longest = new int[] {start, i};
        }
        start = i;
      }
    }
    return longest;
  }

  /**
   * Reads a file of symbols; see {@link #of}.
   *
   * @param name of the file, for people
   * @throws IOException with one line that names the file, where it is none
   */
  public static SymbolTable read(String name, Path file) throws IOException {
    if (Files.size(file) > LARGEST_FILE) {
      throw new IOException(name + " is too large for a file of symbols");
    }
    try (FileChannel channel = FileChannel.open(file)) {
      return of(name, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
    }
  }

  /**
   * Symbols from an ELF file with a symbol table (vmlinux), from one without in which a Linux
   * kernel has its own (kallsyms), or from text with a line a symbol: address in hexadecimal, type
   * letter, name (System.map, /proc/kallsyms).
   *
   * @param name of the file, for people
   * @throws IOException with one line that names the file, where there are none
   */
  public static SymbolTable of(String name, ByteBuffer bytes) throws IOException {
    if (!ElfFile.isElf(bytes)) {
      return of(name, text(StandardCharsets.ISO_8859_1.decode(bytes.duplicate())), null);
    }
    ElfFile elf = new ElfFile(name, bytes);
    List<Symbol> symbols = elf.functions();
    return symbols.isEmpty()
        ? of(name, KallsymsTables.read(bytes).orElse(List.of()), new KernelCode(elf))
        : of(name, symbols, new KernelCode(elf));
  }

  private static SymbolTable of(String name, List<Symbol> symbols, KernelCode code)
      throws IOException {
    if (symbols.isEmpty()) {
      throw new IOException(name + " holds no symbols of functions");
    }
    return new SymbolTable(name, symbols, code);
  }

  /** Lines "ffffffff81000000 T _text". Lines that are no function's are left out. */
  private static List<Symbol> text(CharSequence text) {
    List<Symbol> symbols = new ArrayList<>();
    for (String line : LINE.split(text)) {
      String[] words = line.trim().split("\\s+");
      if (words.length >= 3
          && words[1].length() == 1
          && isFunction(words[1].charAt(0))
          && words[0].matches("[0-9a-f]{1,16}")) {
        long address = Long.parseUnsignedLong(words[0], 16);
        // kallsyms shows 0 for every symbol to those who may not see addresses.
        if (address != 0) {
          symbols.add(new Symbol(address, words[2]));
        }
      }
    }
    return symbols;
  }

  /** Whether this letter, as nm prints it, is a function's: in the text section, or weak. */
  static boolean isFunction(char type) {
    return type == 't' || type == 'T' || type == 'w' || type == 'W';
  }

  /** Number of functions. */
  public int size() {
    return names.length;
  }

  /** Address of the kernel's first function as it is linked. */
  long first() {
    return addresses[firstOfKernel];
  }

  /** Address behind the kernel's last function as it is linked, about. */
  long last() {
    return addresses[endOfKernel - 1] + LONGEST_FUNCTION;
  }

  /**
   * The same functions where this guest runs them.
   *
   * @param places where it exits, each once, user mode left out
   */
  public SymbolTable relocated(List<ExitPlace> places) {
    if (names.length == 0) {
      return this;
    }
    List<ExitPlace> inUpper = places.stream().filter(place -> place.rip() < 0).toList();
    List<ExitPlace> inLower = places.stream().filter(place -> place.rip() >= 0).toList();
    return new SymbolTable(
        this, KernelOffset.find(this, inUpper), KernelOffset.find(this, inLower));
  }

  /** Whether this instruction can be at an address as it is linked. */
  boolean fits(long address, ExitInstruction instruction) {
    if (code != null) {
      return instruction.isAt(code, address);
    }
    int index = linkedIndexOf(address);
    return index >= 0 && instruction.fits(names[index]);
  }

  /** Index of the function that this address of the kernel lies in, or -1. */
  public int indexOf(long address) {
    return indexOf(address, false);
  }

  /** The same of an address in user mode, where code is not relocated with the kernel's. */
  public int indexOf(long address, boolean user) {
    return linkedIndexOf(user ? address : linked(address));
  }

  /** How far an address lies behind the start of the function with this index. */
  public long offset(int index, long address, boolean user) {
    return (user ? address : linked(address)) - addresses[index];
  }

  private long linked(long address) {
    KernelOffset offset = address < 0 ? upper : lower;
    return offset.isSure() ? address - offset.offset() : address;
  }

  private int linkedIndexOf(long address) {
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
    boolean near =
        high >= 0 && Long.compareUnsigned(address - addresses[high], LONGEST_FUNCTION) < 0;
    return near ? high : -1;
  }

  /** Name of the function with this index. */
  public String name(int index) {
    return names[index];
  }

  /** "name+0x1f", or null where no function of the kernel holds the address. */
  public String describe(long address) {
    int index = indexOf(address);
    return index < 0 ? null : describe(index, offset(index, address, false));
  }

  /** "name+0x1f" of the function with this index. */
  public String describe(int index, long offset) {
    return names[index] + "+0x" + Long.toHexString(offset);
  }

  /** Where the names come from, where the kernel runs, and how sure that is. */
  public String note() {
    if (names.length == 0) {
      return "no symbols: name a file of them with --symbols";
    }
    String text = String.format(Locale.ROOT, "symbols: %s, %,d functions", source, names.length);
    KernelOffset shown = upper.places() == 0 ? lower : upper;
    return text
        + "; "
        + shown.note(code == null ? "a likely function" : "the instruction that exits so");
  }
}
