package io.trapscope.vmm.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.memory.ArrayMemory;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FlatLoaderTest {
  private static final int RAM = 4 << 20;

  private final GuestMemory memory = new ArrayMemory(RAM);
  private final CpuState state = new CpuState();

  private void load(int size, long load, long entry, FlatLoader.Mode mode, String commandLine) {
    byte[] image = new byte[size];
    image[0] = (byte) 0xf4;
    new FlatLoader("image", image, load, entry, mode, commandLine)
        .load(memory, MemoryLayout.ram(RAM), 1, state);
  }

  @Test
  void realModeStartsInFlatSegments() {
    load(100, 0x1000, 0x1010, FlatLoader.Mode.REAL, "");
    assertThat(memory.readByte(0x1000)).isEqualTo((byte) 0xf4);
    assertThat(state.rip).isEqualTo(0x1010);
    assertThat(state.segments[CpuState.CS].base).isZero();
    assertThat(state.gpr[CpuState.RSP]).isEqualTo(0x1000);
    assertThat(state.rflags).isEqualTo(2);
    assertThat(state.cr0 & 1).isZero();
  }

  @Test
  void realModeAboveTheFirstSegmentMovesCs() {
    load(100, 0x2_0004, 0x2_0014, FlatLoader.Mode.REAL, "");
    assertThat(state.segments[CpuState.CS].selector).isEqualTo(0x2001);
    assertThat(state.segments[CpuState.CS].base + state.rip).isEqualTo(0x2_0014);
    assertThat(state.gpr[CpuState.RSP]).isEqualTo(0xfff0);
  }

  @Test
  void protectedModeIsFlatWithoutPaging() {
    load(100, 0x100000, 0x100000, FlatLoader.Mode.PROTECTED, "hello");
    assertThat(state.cr0 & 0x8000_0001L).isEqualTo(1);
    assertThat(state.segments[CpuState.CS].selector).isEqualTo(0x10);
    assertThat(state.segments[CpuState.DS].limit).isEqualTo(-1);
    assertThat(memory.readLong(state.gdtBase + 0x10)).isEqualTo(0x00cf_9b00_0000_ffffL);
    byte[] line = new byte[6];
    memory.read(state.gpr[CpuState.RSI], line, 0, 6);
    assertThat(new String(line, StandardCharsets.UTF_8)).isEqualTo("hello\0");
  }

  @Test
  void longModeMapsFourGibToThemselves() {
    load(100, 0x100000, 0x100004, FlatLoader.Mode.LONG, "");
    assertThat(state.efer & 0x500).isEqualTo(0x500);
    assertThat(state.cr4 & 0x20).isEqualTo(0x20);
    for (long address : new long[] {0, 0x1234_5678, 0xc000_0000L, 0xffff_ffffL}) {
      long entry = state.cr3;
      for (int shift = 39; shift >= 21; shift -= 9) {
        entry = memory.readLong((entry & ~0xfffL) + 8 * (address >>> shift & 511));
        assertThat(entry & 3).isEqualTo(3);
      }
      assertThat(entry & 0x80).isEqualTo(0x80);
      assertThat(entry & ~0xffL | address & 0x1f_ffff).isEqualTo(address);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0x1000, 0x1000, REAL, is empty",
    "16, 0x1000, 0x1010, REAL, entry 0x1010 lies outside the image",
    "16, 0x1000, 0xfff, LONG, entry 0xfff lies outside",
    "16, 0xffff8, 0xffff8, REAL, real mode reaches 1 MiB",
    "16, 0xfffffff8, 0xfffffff8, LONG, above 4 GiB",
    "16, 0x90000, 0x90000, LONG, overlaps 0x90000 to 0x9bfff",
    "1048576, 0x1000, 0x1000, PROTECTED, overlaps",
    "16, -1, -1, LONG, no load address",
    "16, 0x3ffff8, 0x3ffff8, LONG, is not all RAM"
  })
  void refusesWhatCannotBoot(
      int size, String load, String entry, FlatLoader.Mode mode, String message) {
    assertThatThrownBy(
            () ->
                new FlatLoader(
                        "image", new byte[size], Long.decode(load), Long.decode(entry), mode, "")
                    .load(memory, MemoryLayout.ram(RAM), 1, state))
        .isInstanceOf(BootException.class)
        .hasMessageContaining(message)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void refusesACommandLineThatDoesNotFit() {
    assertThatThrownBy(() -> load(16, 0x1000, 0x1000, FlatLoader.Mode.REAL, "x".repeat(4096)))
        .hasMessage("the command line has 4096 bytes; 4095 fit");
  }
}
