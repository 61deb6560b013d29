package io.trapscope.analyzer.symbols;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class KernelOffsetTest {
  private static final long TEXT = 0xffff_ffff_8100_0000L;
  private static final long KASLR = 0x2920_0000L;

  /** io_serial_in, native_cpuid and native_write_msr, a page apart. */
  private static final String MAP =
      """
      ffffffff81000000 T io_serial_in
      ffffffff81001000 t native_cpuid
      ffffffff81002000 T native_write_msr
      ffffffff81800000 T something_else
      ffffffffc0000000 t edu_probe [edu]
      """;

  private static SymbolTable map() throws IOException {
    return SymbolTable.of("map", ByteBuffer.wrap(MAP.getBytes(StandardCharsets.US_ASCII)));
  }

  private static List<ExitPlace> places(long offset) {
    return List.of(
        new ExitPlace(TEXT + offset + 0x14, ExitInstruction.IN),
        new ExitPlace(TEXT + offset + 0x100f, ExitInstruction.CPUID),
        new ExitPlace(TEXT + offset + 0x2004, ExitInstruction.WRMSR));
  }

  @Test
  void namesOfFunctionsTellTheOffset() throws IOException {
    SymbolTable relocated = map().relocated(places(KASLR));
    assertThat(relocated.describe(TEXT + KASLR + 0x14)).isEqualTo("io_serial_in+0x14");
    assertThat(relocated.describe(TEXT + KASLR + 0x80_0000)).isEqualTo("something_else+0x0");
    assertThat(relocated.describe(TEXT + 0x14)).isNull();
    assertThat(relocated.note())
        .isEqualTo(
            "symbols: map, 5 functions; kernel offset 0x29200000: 3 of 3 places fit, having a likely"
                + " function; with the next best 0");
  }

  @Test
  void aKernelThatIsWhereItIsLinked() throws IOException {
    assertThat(map().relocated(places(0)).note()).contains("kernel offset 0x0: 3 of 3 places fit");
    assertThat(map().relocated(List.of()).note())
        .endsWith("; kernel offset taken to be 0: no exit tells it");
  }

  @Test
  void anotherKernelsSymbolsProveNothing() throws IOException {
    List<ExitPlace> elsewhere =
        List.of(
            new ExitPlace(TEXT + KASLR + 0x3_0000, ExitInstruction.IN),
            new ExitPlace(TEXT + KASLR + 0x4_0000, ExitInstruction.CPUID),
            new ExitPlace(TEXT + KASLR + 0x2004, ExitInstruction.WRMSR));
    SymbolTable relocated = map().relocated(elsewhere);
    assertThat(relocated.note())
        .contains("kernel offset taken to be 0, for none is sure: 1 of 3 places fit");
    assertThat(relocated.describe(TEXT + 0x14)).isEqualTo("io_serial_in+0x14");
  }

  /** Until it has its own page tables a kernel runs where it lies in memory. */
  @Test
  void theLowerHalfHasAnOffsetOfItsOwn() throws IOException {
    SymbolTable relocated = map().relocated(places(0x100_0000 - TEXT));
    assertThat(relocated.describe(0x100_100f)).isEqualTo("native_cpuid+0xf");
    assertThat(relocated.describe(TEXT + 0x100f)).isEqualTo("native_cpuid+0xf");
  }

  @Test
  void codeTellsTheOffsetToTheInstruction() throws IOException {
    SymbolTable code = SymbolTable.of("vmlinux", elfWithCode());
    // At the instruction, at its prefix, and just behind it.
    List<ExitPlace> places =
        List.of(
            new ExitPlace(TEXT + KASLR + 0x10, ExitInstruction.IN),
            new ExitPlace(TEXT + KASLR + 0x20, ExitInstruction.OUT),
            new ExitPlace(TEXT + KASLR + 0x32, ExitInstruction.CPUID),
            new ExitPlace(TEXT + KASLR + 0x40, ExitInstruction.IN));
    SymbolTable relocated = code.relocated(places);
    assertThat(relocated.note())
        .endsWith(
            "kernel offset 0x29200000: 3 of 4 places fit, having the instruction that exits so; with"
                + " the next best 0");
    assertThat(relocated.describe(TEXT + KASLR + 0x10)).isEqualTo("start+0x10");
  }

  /** One segment at TEXT, whose symbol is start; 10: in al,dx; 20: out dx,ax; 30: cpuid. */
  private static ByteBuffer elfWithCode() {
    byte[] strings = "\0start\0".getBytes(StandardCharsets.US_ASCII);
    ByteBuffer elf = ByteBuffer.allocate(0x500).order(ByteOrder.LITTLE_ENDIAN);
    elf.put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
    elf.putLong(32, 0x40).putShort(54, (short) 56).putShort(56, (short) 1);
    elf.putLong(40, 0x100).putShort(58, (short) 64).putShort(60, (short) 3);
    elf.putInt(0x40, 1).putLong(0x48, 0x400).putLong(0x50, TEXT).putLong(0x60, 0x100);
    elf.putInt(0x144, 2).putLong(0x158, 0x300).putLong(0x160, 48).putInt(0x168, 2);
    elf.putInt(0x184, 3).putLong(0x198, 0x380).putLong(0x1a0, strings.length);
    elf.putInt(0x318, 1).put(0x31c, (byte) 0x12).putShort(0x31e, (short) 1).putLong(0x320, TEXT);
    elf.put(0x380, strings);
    elf.put(0x410, (byte) 0xec);
    elf.put(0x420, (byte) 0x66).put(0x421, (byte) 0xef);
    elf.put(0x430, (byte) 0x0f).put(0x431, (byte) 0xa2);
    return elf;
  }
}
