package io.trapscope.analyzer.symbols;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The symbols that a Linux kernel carries in itself to be able to name its own addresses
 * (CONFIG_KALLSYMS): there in every distribution's kernel, which has no .symtab. No header says
 * where they lie; they are found by what they must look like, and taken only where everything fits.
 *
 * <pre>
 *  kallsyms_num_syms     u32, then 4 bytes of 0
 *  kallsyms_names        of each symbol: length in tokens (one byte, or two of 7 bits each), tokens
 *  kallsyms_markers      u32 (before Linux 4.20 u64): where each 256th symbol's name begins
 *  kallsyms_seqs_of_names  3 bytes a symbol; Linux 6.2 and 6.3 have it here
 *  kallsyms_token_table  256 strings, each with a 0 behind it; tokens '0' to '9' stand for themselves
 *  kallsyms_token_index  256 u16: where each string begins
 *
 *  kallsyms_offsets      i32 a symbol (see {@link #addresses}), then, aligned to 8:
 *  kallsyms_relative_base  u64
 * </pre>
 *
 * <p>Offsets and base lie before the number of symbols up to Linux 6.3, behind the token index from
 * 6.4 on. A name's first letter is the symbol's type, as nm prints it. Source: scripts/kallsyms.c
 * of these kernels.
 */
final class KallsymsTables {
  private static final int TOKENS = 256;

  /** The strings of tokens '0' to '9', each of which stands for itself. */
  private static final byte[] DIGITS =
      "\0000\0001\0002\0003\0004\0005\0006\0007\0008\0009\000".getBytes(StandardCharsets.US_ASCII);

  private static final int[] SKIPS = skips();

  private static final int LONGEST_TOKEN = 512;
  private static final int SYMBOLS_A_MARKER = 256;
  private static final int LEAST_SYMBOLS = 256;
  private static final int MOST_SYMBOLS = 1 << 22;

  private final ByteBuffer image;
  private final int size;
  private String[] tokens;

  /** Where the token table begins, and where its index ends. */
  private int tokenTable;

  private int tokenEnd;

  /** Where the first name begins, and how many there are. */
  private int names;

  private int count;

  private KallsymsTables(ByteBuffer image) {
    this.image = image.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    this.size = image.limit();
  }

  /** The functions that the tables in this image name; empty where it has none. */
  static Optional<List<Symbol>> read(ByteBuffer image) {
    KallsymsTables tables = new KallsymsTables(image);
    for (int at = tables.digits(0); at >= 0; at = tables.digits(at + 1)) {
      if (tables.readTokens(at) && tables.findNames()) {
        long[] addresses = tables.addresses();
        if (addresses != null) {
          return Optional.of(tables.functions(addresses));
        }
      }
    }
    return Optional.empty();
  }

  /** Where the digits' strings are next; Horspool's search, as an image is tens of megabytes. */
  private int digits(int from) {
    int last = DIGITS.length - 1;
    for (int at = from; at + last < size; at += SKIPS[image.get(at + last) & 0xff]) {
      int i = 0;
      while (i < DIGITS.length && image.get(at + i) == DIGITS[i]) {
        i++;
      }
      if (i == DIGITS.length) {
        return at;
      }
    }
    return -1;
  }

  /** How far the digits may lie ahead, by the byte at which they would end. */
  private static int[] skips() {
    int[] skips = new int[256];
    Arrays.fill(skips, DIGITS.length);
    for (int i = 0; i < DIGITS.length - 1; i++) {
      skips[DIGITS[i]] = DIGITS.length - 1 - i;
    }
    return skips;
  }

  /** Reads the strings around those of the digits; false where they are none, or have no index. */
  private boolean readTokens(int digits) {
    int second = digits + 1;
    for (int token = '0'; token > 1; token--) {
      second--;
      while (second > 0 && image.get(second - 1) != 0) {
        second--;
      }
    }
    // Where the first string begins only alignment tells: there may be no 0 before it.
    int least = Math.max(0, second - 1 - LONGEST_TOKEN);
    for (int start = second - 1 & ~7; start >= least; start -= 8) {
      if (readTokensAt(start)) {
        return true;
      }
    }
    return false;
  }

  private boolean readTokensAt(int start) {
    String[] strings = new String[TOKENS];
    int[] at = new int[TOKENS];
    int end = start;
    for (int i = 0; i < TOKENS; i++) {
      at[i] = end - start;
      int from = end;
      while (end < size && image.get(end) != 0) {
        end++;
      }
      strings[i] = string(from, end);
      end++;
    }
    int index = end + 7 & ~7;
    if (index + 2 * TOKENS > size) {
      return false;
    }
    for (int i = 0; i < TOKENS; i++) {
      if ((image.getShort(index + 2 * i) & 0xffff) != at[i]) {
        return false;
      }
    }
    tokens = strings;
    tokenTable = start;
    tokenEnd = index + 2 * TOKENS;
    return true;
  }

  private String string(int from, int to) {
    byte[] text = new byte[to - from];
    image.get(from, text);
    return new String(text, StandardCharsets.ISO_8859_1);
  }

  /** Looks backwards for a number of symbols with as many names and the right markers behind it. */
  private boolean findNames() {
    for (int at = (tokenTable & ~7) - 8; at >= 0; at -= 8) {
      int symbols = image.getInt(at);
      if (symbols >= LEAST_SYMBOLS && symbols <= MOST_SYMBOLS && image.getInt(at + 4) == 0) {
        names = at + 8;
        count = symbols;
        if (hasNamesAndMarkers()) {
          return true;
        }
      }
    }
    return false;
  }

  private boolean hasNamesAndMarkers() {
    int[] markers = new int[(count + SYMBOLS_A_MARKER - 1) / SYMBOLS_A_MARKER];
    int at = names;
    for (int i = 0; i < count; i++) {
      if (i % SYMBOLS_A_MARKER == 0) {
        markers[i / SYMBOLS_A_MARKER] = at - names;
      }
      int tokensAt = at + lengthBytes(at);
      int length = nameTokens(at);
      if (length == 0 || tokensAt + length > tokenTable || !isType(image.get(tokensAt))) {
        return false;
      }
      at = tokensAt + length;
    }
    int from = at + 7 & ~7;
    return hasMarkers(markers, from, 4) || hasMarkers(markers, from, 8);
  }

  private boolean hasMarkers(int[] markers, int from, int bytes) {
    if (from + (long) markers.length * bytes > tokenTable) {
      return false;
    }
    for (int i = 0; i < markers.length; i++) {
      if (image.getInt(from + i * bytes) != markers[i]) {
        return false;
      }
    }
    return true;
  }

  /** Whether this token's string begins with the letter of a type. */
  private boolean isType(byte token) {
    String text = tokens[token & 0xff];
    return !text.isEmpty() && Character.isLetter(text.charAt(0));
  }

  /** A length of 128 tokens and more has its upper bits in a second byte: Linux 6.1 on. */
  private int lengthBytes(int at) {
    return image.get(at) < 0 ? 2 : 1;
  }

  private int nameTokens(int at) {
    return image.get(at) < 0
        ? image.get(at) & 0x7f | (image.get(at + 1) & 0xff) << 7
        : image.get(at);
  }

  /** Addresses of all symbols, wherever this kernel keeps them; null where that is nowhere. */
  private long[] addresses() {
    int offsetBytes = 4 * count + 7 & ~7;
    int base = names - 16;
    long[] before = addresses(base - offsetBytes, base);
    return before != null ? before : addresses(tokenEnd, tokenEnd + offsetBytes);
  }

  /**
   * Addresses by offsets from a base, in either of the ways there are: unsigned ones from the base
   * up; or, where a kernel for several processors keeps its per-CPU symbols' offsets as they are,
   * those above or at 0, and {@code base - 1 - offset} for the others (CONFIG_KALLSYMS_ABSOLUTE_
   * PERCPU, up to Linux 6.14). Null where the addresses do not rise.
   */
  private long[] addresses(int offsets, int base) {
    if (offsets < 0 || base < 0 || base + 8 > size) {
      return null;
    }
    long first = image.getLong(base);
    int negative = 0;
    for (int i = 0; i < count; i++) {
      negative += image.getInt(offsets + 4 * i) < 0 ? 1 : 0;
    }
    boolean fromTop = negative > count / 2;
    long[] addresses = new long[count];
    long last = 0;
    for (int i = 0; i < count; i++) {
      int offset = image.getInt(offsets + 4 * i);
      if (fromTop) {
        addresses[i] = offset >= 0 ? offset : first - 1 - offset;
      } else {
        addresses[i] = first + (offset & 0xffff_ffffL);
      }
      if (Long.compareUnsigned(addresses[i], last) < 0) {
        return null;
      }
      last = addresses[i];
    }
    return last == addresses[0] ? null : addresses;
  }

  private List<Symbol> functions(long[] addresses) {
    List<Symbol> functions = new ArrayList<>();
    StringBuilder name = new StringBuilder();
    int at = names;
    for (int i = 0; i < count; i++) {
      int length = nameTokens(at);
      at += lengthBytes(at);
      name.setLength(0);
      for (int token = 0; token < length; token++) {
        name.append(tokens[image.get(at + token) & 0xff]);
      }
      at += length;
      if (SymbolTable.isFunction(name.charAt(0))) {
        functions.add(new Symbol(addresses[i], name.substring(1)));
      }
    }
    return functions;
  }
}
