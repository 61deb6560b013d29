package io.trapscope.analyzer.symbols;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SymbolTableTest {
  @TempDir Path directory;

  private SymbolTable text(String lines) throws IOException {
    return SymbolTable.read(
        "System.map", Files.writeString(directory.resolve("System.map"), lines));
  }

  @Test
  void readsSystemMap() throws IOException {
    SymbolTable symbols =
        text(
            """
            0000000000000000 D fixed_percpu_data
            ffffffff81000000 T _text
            ffffffff81000000 T startup_64
            ffffffff81000040 t verify_cpu
            ffffffff81001000 D not_a_function
            ffffffff81002000 W weak_one
            """);
    assertThat(symbols.size()).isEqualTo(3);
    assertThat(symbols.describe(0xffff_ffff_8100_0000L)).isEqualTo("_text+0x0");
    assertThat(symbols.describe(0xffff_ffff_8100_0041L)).isEqualTo("verify_cpu+0x1");
    assertThat(symbols.describe(0xffff_ffff_8100_2fffL)).isEqualTo("weak_one+0xfff");
  }

  @Test
  void farFromEveryFunctionIsUnknown() throws IOException {
    SymbolTable symbols = text("ffffffff81000000 T _text\n");
    assertThat(symbols.describe(0xffff_ffff_80ff_ffffL)).isNull();
    assertThat(symbols.describe(0xffff_ffff_8200_0000L)).isNull();
    assertThat(symbols.describe(0x40_0000)).isNull();
    assertThat(SymbolTable.EMPTY.describe(0)).isNull();
    // Farther than a signed number tells.
    assertThat(text("1000 T main\n").describe(0xffff_ffff_8100_0000L)).isNull();
  }

  @Test
  void readsModulesOfKallsyms() throws IOException {
    SymbolTable symbols = text("ffffffffc0000000 t edu_probe\t[edu]\n");
    assertThat(symbols.describe(0xffff_ffff_c000_0010L)).isEqualTo("edu_probe+0x10");
  }

  @Test
  void hiddenAddressesAreNoSymbols() {
    assertThatThrownBy(() -> text("0000000000000000 T _text\n0000000000000000 t other\n"))
        .isInstanceOf(IOException.class)
        .hasMessageEndingWith("System.map holds no symbols of functions");
  }

  @Test
  void readsTheSymbolTableOfAnElfFile() throws IOException {
    SymbolTable symbols =
        SymbolTable.read("vmlinux", Files.write(directory.resolve("vmlinux"), elf()));
    assertThat(symbols.size()).isEqualTo(1);
    assertThat(symbols.describe(0xffff_ffff_8100_0123L)).isEqualTo("start_kernel+0x23");
  }

  @Test
  void readsA32BitElfFileWithItsLabels() throws IOException {
    byte[] names = "\0main\0entry\0local\0".getBytes(StandardCharsets.US_ASCII);
    ByteBuffer elf = ByteBuffer.allocate(0x200).order(ByteOrder.LITTLE_ENDIAN);
    elf.put(0, new byte[] {0x7f, 'E', 'L', 'F', 1, 1, 1});
    elf.putInt(32, 0x40).putShort(46, (short) 40).putShort(48, (short) 3);
    // Section 0 is code: that of the labels; 1 has the symbols, 2 their names.
    elf.putInt(0x40 + 8, 4);
    elf.putInt(0x68 + 4, 2).putInt(0x68 + 16, 0x100).putInt(0x68 + 20, 64).putInt(0x68 + 24, 2);
    elf.putInt(0x90 + 4, 3).putInt(0x90 + 16, 0x180).putInt(0x90 + 20, names.length);
    // A function; a global label in code, one that is local, and one that is no code.
    symbol32(elf, 0x100, 1, 0x10_0000, 0x12, 2);
    symbol32(elf, 0x110, 6, 0x10_0100, 0x10, 3);
    symbol32(elf, 0x120, 12, 0x10_0200, 0x00, 3);
    symbol32(elf, 0x130, 12, 0x10_0300, 0x10, 2);
    elf.putShort(48, (short) 4).putInt(0xb8 + 8, 4); // section 3: code
    elf.put(0x180, names);
    SymbolTable symbols = SymbolTable.of("kernel", elf);
    assertThat(symbols.size()).isEqualTo(2);
    assertThat(symbols.describe(0x10_0004)).isEqualTo("main+0x4");
    assertThat(symbols.describe(0x10_0204)).isEqualTo("entry+0x104");
  }

  private static void symbol32(
      ByteBuffer elf, int at, int name, int address, int info, int section) {
    elf.putInt(at, name).putInt(at + 4, address);
    elf.put(at + 12, (byte) info).putShort(at + 14, (short) section);
  }

  /** A kernel of a distribution: no symbol table, but tables of its own. */
  @Test
  void readsKallsymsInAnElfFile() throws IOException {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      names.add("Tfunction_" + i);
    }
    ByteBuffer image = KallsymsImage.of(KallsymsImage.Layout.BEHIND, names, false);
    image.put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
    SymbolTable symbols = SymbolTable.of("vmlinux", image);
    assertThat(symbols.size()).isEqualTo(300);
    assertThat(symbols.describe(KallsymsImage.BASE + 0x28)).isEqualTo("function_2+0x8");
  }

  @Test
  void everyTruncationOfAnElfFileIsOneLine() throws IOException {
    byte[] whole = elf();
    // What comes after the function's name is not needed.
    int needed = 352 + "\0start_kernel\0".length();
    Path file = directory.resolve("vmlinux");
    for (int length = 0; length < needed; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> SymbolTable.read(file.toString(), file))
          .as(length + " bytes")
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith(file.toString());
    }
  }

  /**
   *
   *
   * <pre>
   *   0 Elf64_Ehdr: sections at 64, 3 of 64 bytes
   *  64 section 0: null; 128 section 1: symbols, strings in section 2; 192 section 2: strings
   * 256 symbols: null, a function, an object, a function that is undefined
   * 352 strings
   * </pre>
   */
  private static byte[] elf() {
    byte[] names = "\0start_kernel\0data\0".getBytes(StandardCharsets.US_ASCII);
    ByteBuffer elf = ByteBuffer.allocate(352 + names.length).order(ByteOrder.LITTLE_ENDIAN);
    elf.put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
    elf.putLong(40, 64).putShort(58, (short) 64).putShort(60, (short) 3);
    elf.putInt(128 + 4, 2).putLong(128 + 24, 256).putLong(128 + 32, 96).putInt(128 + 40, 2);
    elf.putInt(192 + 4, 3).putLong(192 + 24, 352).putLong(192 + 32, names.length);
    symbol(elf, 280, 1, 2, 1, 0xffff_ffff_8100_0100L);
    symbol(elf, 304, 14, 1, 1, 0xffff_ffff_8200_0000L);
    symbol(elf, 328, 1, 2, 0, 0x1000);
    elf.put(352, names);
    return elf.array();
  }

  private static void symbol(
      ByteBuffer elf, int at, int name, int type, int section, long address) {
    elf.putInt(at, name).put(at + 4, (byte) type);
    elf.putShort(at + 6, (short) section).putLong(at + 8, address);
  }
}
