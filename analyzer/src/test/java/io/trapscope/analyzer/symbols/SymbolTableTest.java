package io.trapscope.analyzer.symbols;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SymbolTableTest {
  @TempDir Path directory;

  private SymbolTable text(String lines) throws IOException {
    return SymbolTable.read(Files.writeString(directory.resolve("System.map"), lines));
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
    SymbolTable symbols = SymbolTable.read(Files.write(directory.resolve("vmlinux"), elf()));
    assertThat(symbols.size()).isEqualTo(1);
    assertThat(symbols.describe(0xffff_ffff_8100_0123L)).isEqualTo("start_kernel+0x23");
  }

  @Test
  void everyTruncationOfAnElfFileIsOneLine() throws IOException {
    byte[] whole = elf();
    // What comes after the function's name is not needed.
    int needed = 352 + "\0start_kernel\0".length();
    Path file = directory.resolve("vmlinux");
    for (int length = 0; length < needed; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> SymbolTable.read(file))
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
