package io.trapscope.vmm.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.memory.ArrayMemory;
import io.trapscope.vmm.memory.MemoryRegion;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What each boot protocol's document asks for, found in memory and registers. */
class KernelLoaderTest {
  private static final int MEMORY = 32 << 20;

  @TempDir Path directory;

  private final ArrayMemory memory = new ArrayMemory(MEMORY);
  private final List<MemoryRegion> ram = List.of(new MemoryRegion(0, MEMORY, "ram-low"));
  private final CpuState state = new CpuState();
  private final byte[] code = new byte[600];

  KernelLoaderTest() {
    for (int i = 0; i < code.length; i++) {
      code[i] = (byte) (i * 7 + 1);
    }
  }

  private Path file(String name, byte[] content) {
    try {
      return Files.write(directory.resolve(name), content);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private BootSource load(ByteBuffer image, String initrd, KernelEntry entry) {
    List<BootModule> modules =
        initrd == null
            ? List.of()
            : List.of(BootModule.of(file("initrd", initrd.getBytes(StandardCharsets.US_ASCII))));
    BootSource boot =
        KernelLoader.open(file("kernel", image.array()), modules, "console=ttyS0 quiet", entry);
    boot.load(memory, ram, 1, state);
    return boot;
  }

  private String text(long gpa, int length) {
    return new String(memory.bytes(gpa, length), StandardCharsets.US_ASCII);
  }

  @Test
  void bzImageAtIts64BitEntry() {
    BootSource boot = load(Images.bzImage(code), "ramdisk!", KernelEntry.AUTO);
    assertThat(memory.bytes(0x100_0000, code.length)).isEqualTo(code);
    assertThat(state.rip).isEqualTo(0x100_0200);
    assertThat(state.gpr[CpuState.RSI]).isEqualTo(0x90000);
    assertThat(state.rflags & 0x200).as("interrupts off").isZero();
    assertThat(state.cr0 & 0x8000_0001L).isEqualTo(0x8000_0001L);
    assertThat(state.efer).isEqualTo(0x500);
    CpuState.Segment cs = state.segments[CpuState.CS];
    assertThat(cs.selector).isEqualTo(0x10);
    assertThat(cs.access).isEqualTo(0xa09b);
    assertThat(state.segments[CpuState.DS].selector).isEqualTo(0x18);
    assertThat(memory.readLong(state.gdtBase + 0x10)).isEqualTo(0x00af_9b00_0000_ffffL);
    assertThat(memory.readLong(state.gdtBase + 0x18)).isEqualTo(0x00cf_9300_0000_ffffL);
    // The first, a middle and the last 2 MiB of 4 GiB, mapped to themselves.
    for (long address : new long[] {0, 0x4020_0000L, 0xffe0_0000L}) {
      long pdpt = memory.readLong(state.cr3) & ~0xfffL;
      long directoryAt = memory.readLong(pdpt + 8 * (address >> 30)) & ~0xfffL;
      assertThat(memory.readLong(directoryAt + 8 * (address >> 21 & 511)))
          .isEqualTo(address | 0x83);
    }
    assertThat(boot.description()).endsWith("(bzImage, 64-bit entry)");
    assertThat(boot.details())
        .containsEntry("entry", "0x1000200")
        .containsEntry("kernel version", "6.1 test")
        .containsEntry("boot protocol", "2.15")
        .containsEntry("command line", "console=ttyS0 quiet")
        .containsEntry("initrd", "0x1fff000-0x1fff007")
        .containsEntry("e820.2", "0x100000-0x1ffffff usable");
  }

  @Test
  void theZeroPageHasHeaderMapAndRamDisk() {
    load(Images.bzImage(code), "ramdisk!", KernelEntry.AUTO);
    long page = 0x90000;
    assertThat(memory.readInt(page + 0x202)).isEqualTo(0x5372_6448);
    assertThat(memory.readByte(page + 0x210)).isEqualTo((byte) 0xff);
    assertThat(memory.readLong(page + 0x258)).as("header to its end").isEqualTo(0x100_0000);
    assertThat(memory.readInt(page + 0x218)).isEqualTo(0x1ff_f000);
    assertThat(memory.readInt(page + 0x21c)).isEqualTo(8);
    assertThat(text(0x1ff_f000, 8)).isEqualTo("ramdisk!");
    long line = memory.readInt(page + 0x228);
    assertThat(text(line, 20)).isEqualTo("console=ttyS0 quiet\0");
    assertThat(memory.readByte(page + 0x1e8)).isEqualTo((byte) 3);
    assertThat(memory.readLong(page + 0x2d0 + 40)).isEqualTo(0x10_0000);
    assertThat(memory.readLong(page + 0x2d0 + 48)).isEqualTo(MEMORY - 0x10_0000);
    assertThat(memory.readInt(page + 0x2d0 + 56)).isEqualTo(1);
    long rsdp = memory.readLong(page + 0x70);
    assertThat(text(rsdp, 8)).isEqualTo("RSD PTR ");
  }

  @Test
  void bzImageAtIts32BitEntry() {
    load(Images.bzImage(code), null, KernelEntry.BITS_32);
    assertThat(state.rip).isEqualTo(0x100_0000);
    assertThat(state.gpr[CpuState.RSI]).isEqualTo(0x90000);
    assertThat(state.cr0 & 0x8000_0001L).isEqualTo(1);
    assertThat(state.efer).isZero();
    assertThat(state.segments[CpuState.CS].access).isEqualTo(0xc09b);
    assertThat(memory.readInt(0x90218)).as("no RAM disk").isZero();
  }

  @Test
  void bzImageWithItsPayloadUnpacked() throws IOException {
    byte[] payload = UnpackerTest.gzip(Images.elf64(code, false).array());
    BootSource boot = load(Images.bzImage(payload), null, KernelEntry.UNPACKED);
    assertThat(memory.bytes(0x20_0000, code.length)).isEqualTo(code);
    assertThat(state.rip).isEqualTo(0x20_0010);
    assertThat(memory.readInt(0x90202)).isEqualTo(0x5372_6448);
    assertThat(boot.details()).containsEntry("payload", "gzip");
  }

  /** A kernel's build appends the size to what it packs. */
  @Test
  void bzImageWithAZstandardPayload() throws IOException {
    byte[] elf = Images.elf64(code, false).array();
    byte[] packed = UnpackerTest.pack(Unpacker.Format.ZSTD, elf);
    byte[] payload =
        ByteBuffer.allocate(packed.length + 4)
            .order(ByteOrder.LITTLE_ENDIAN)
            .put(packed)
            .putInt(elf.length)
            .array();
    Path kernel = file("kernel", Images.bzImage(payload).array());
    assertThat(KernelLoader.unpacked(kernel)).hasValue(elf);
    assertThat(KernelLoader.unpacked(file("vmlinux.zst", packed))).hasValue(elf);
    assertThat(KernelLoader.unpacked(file("vmlinux", elf))).isEmpty();
  }

  @Test
  void elfWithAPvhNote() {
    BootSource boot = load(Images.elf64(code, true), "ramdisk!", KernelEntry.AUTO);
    assertThat(state.rip).isEqualTo(0x20_0020);
    assertThat(state.cr0 & 0x8000_0001L).isEqualTo(1);
    assertThat(state.cr4).isZero();
    long info = state.gpr[CpuState.RBX];
    assertThat(memory.readInt(info)).isEqualTo(0x336e_c578);
    assertThat(memory.readInt(info + 4)).isEqualTo(1);
    assertThat(memory.readInt(info + 12)).isEqualTo(1);
    long module = memory.readLong(info + 16);
    assertThat(text(memory.readLong(module), 8)).isEqualTo("ramdisk!");
    assertThat(memory.readLong(module + 8)).isEqualTo(8);
    assertThat(text(memory.readLong(info + 24), 7)).isEqualTo("console");
    assertThat(text(memory.readLong(info + 32), 8)).isEqualTo("RSD PTR ");
    long map = memory.readLong(info + 40);
    assertThat(memory.readInt(info + 48)).isEqualTo(3);
    assertThat(memory.readLong(map + 24)).isEqualTo(0x9fc00);
    assertThat(memory.readInt(map + 40)).as("reserved").isEqualTo(2);
    assertThat(boot.details()).containsEntry("protocol", "PVH");
  }

  @Test
  void elf64AtItsEntry() {
    BootSource boot = load(Images.elf64(code, false), null, KernelEntry.AUTO);
    assertThat(state.rip).as("virtual address made physical").isEqualTo(0x20_0010);
    assertThat(state.efer).isEqualTo(0x500);
    assertThat(state.gpr[CpuState.RSI]).isEqualTo(0x90000);
    assertThat(memory.readInt(0x90202)).isEqualTo(0x5372_6448);
    assertThat(boot.description()).contains("ELF64 entry");
    load(Images.elf64(code, true), null, KernelEntry.BITS_64);
    assertThat(state.rip).as("also where a PVH note is").isEqualTo(0x20_0010);
  }

  @Test
  void multibootElf() {
    load(Images.elf32(Images.multiboot(3).array()), "ramdisk!", KernelEntry.AUTO);
    assertThat(state.rip).isEqualTo(0x10_0040);
    assertThat(state.gpr[CpuState.RAX]).isEqualTo(0x2bad_b002L);
    long info = state.gpr[CpuState.RBX];
    assertThat(memory.readInt(info)).isEqualTo(1 | 4 | 8 | 0x40 | 0x200);
    assertThat(memory.readInt(info + 4)).isEqualTo(639);
    assertThat(memory.readInt(info + 8)).isEqualTo((MEMORY >> 10) - 1024);
    String line = directory.resolve("kernel") + " console=ttyS0 quiet\0";
    assertThat(text(memory.readInt(info + 16), line.length())).isEqualTo(line);
    assertThat(memory.readInt(info + 20)).isEqualTo(1);
    long module = memory.readInt(info + 24);
    assertThat(text(memory.readInt(module), 8)).isEqualTo("ramdisk!");
    assertThat(memory.readInt(module + 4) - memory.readInt(module)).isEqualTo(8);
    assertThat(text(memory.readInt(module + 8), 256)).contains("initrd\0");
    assertThat(memory.readInt(info + 44)).isEqualTo(3 * 24);
    long map = memory.readInt(info + 48);
    assertThat(memory.readInt(map)).isEqualTo(20);
    assertThat(memory.readLong(map + 48 + 4)).isEqualTo(0x10_0000);
    assertThat(memory.readInt(map + 48 + 20)).isEqualTo(1);
  }

  @Test
  void multibootByTheAddressesInItsHeader() {
    ByteBuffer image = Images.buffer(0x80 + 256);
    image.put(0x80, Images.multiboot(0x10003).array());
    BootSource boot = load(image, null, KernelEntry.AUTO);
    assertThat(memory.readInt(0x10_0000)).isEqualTo(0x1bad_b002);
    assertThat(state.rip).isEqualTo(0x10_0050);
    assertThat(boot.details()).containsEntry("kernel", "0x100000-0x101fff");
  }

  @Test
  void aCompressedKernelIsUnpacked() throws IOException {
    ByteBuffer packed = ByteBuffer.wrap(UnpackerTest.gzip(Images.elf64(code, true).array()));
    load(packed, null, KernelEntry.AUTO);
    assertThat(state.rip).isEqualTo(0x20_0020);
  }

  private void refused(byte[] image, String words) {
    Path kernel = file("bad", image);
    assertThatThrownBy(
            () -> {
              BootSource boot = KernelLoader.open(kernel, List.of(), "", KernelEntry.AUTO);
              boot.load(memory, ram, 1, state);
            })
        .isInstanceOf(BootException.class)
        .hasMessageContaining(words)
        .hasMessageNotContaining("\n");
  }

  @Test
  void whatIsNoKernelIsRefusedInOneLine() {
    refused(new byte[0], "the file is empty");
    refused("#!/bin/sh\n".getBytes(StandardCharsets.US_ASCII), "not a kernel");
    refused(new byte[100_000], "not a kernel");
    byte[] arm = Images.elf64(code, true).array();
    arm[18] = (byte) 183;
    refused(arm, "another processor");
    refused(Images.elf32(code).array(), "without a PVH note or a Multiboot header");
    refused(Images.elf32(Images.multiboot(0x8).array()).array(), "requires features 0x8");
    assertThatThrownBy(
            () -> KernelLoader.open(directory.resolve("none"), List.of(), "", KernelEntry.AUTO))
        .isInstanceOf(BootException.class)
        .hasMessageEndingWith("none: no such file");
  }

  @Test
  void whatIsCutShortIsRefused() {
    byte[] linux = Images.bzImage(code).array();
    refused(Arrays.copyOf(linux, 1100), "truncated");
    refused(Arrays.copyOf(linux, 1000), "truncated");
    refused(Arrays.copyOf(Images.elf64(code, true).array(), 700), "truncated");
    refused(Arrays.copyOf(Images.elf64(code, true).array(), 40), "truncated");
    refused(new byte[] {0x1f, (byte) 0x8b, 8, 0, 0, 0}, "damaged or truncated gzip");
  }

  @ParameterizedTest
  @ValueSource(longs = {0x300_0000, 0x200_0000, -4096})
  void aSegmentWithoutMemoryIsRefused(long physical) {
    ByteBuffer image = Images.elf64(code, true);
    image.putLong(88, physical);
    assertThatThrownBy(() -> load(image, null, KernelEntry.AUTO))
        .isInstanceOf(BootException.class)
        .hasMessageContaining(physical < 0 ? "boot structures" : "give more --memory");
  }

  @Test
  void aSegmentOverBootStructuresIsRefused() {
    ByteBuffer image = Images.elf64(code, true);
    image.putLong(88, 0x8f000);
    assertThatThrownBy(() -> load(image, null, KernelEntry.AUTO))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("boot structures");
  }

  @Test
  void aRamDiskThatDoesNotFitIsRefused() {
    byte[] large = new byte[MEMORY - (8 << 20)];
    List<BootModule> disk = List.of(BootModule.of(file("large", large)));
    BootSource boot =
        KernelLoader.open(file("kernel", Images.bzImage(code).array()), disk, "", KernelEntry.AUTO);
    assertThatThrownBy(() -> boot.load(memory, ram, 1, state))
        .isInstanceOf(BootException.class)
        .hasMessageContaining("give more --memory");
  }

  private List<BootModule> twoModules() {
    return List.of(
        new BootModule(file("dom0", "kernel".getBytes(StandardCharsets.US_ASCII)), "dom0 quiet"),
        BootModule.of(file("disk", "ramdisk!".getBytes(StandardCharsets.US_ASCII))));
  }

  @Test
  void multibootModulesKeepTheirOrderAndTexts() {
    Path kernel = file("kernel", Images.elf32(Images.multiboot(3).array()).array());
    KernelLoader.open(kernel, twoModules(), "", KernelEntry.AUTO).load(memory, ram, 1, state);
    long info = state.gpr[CpuState.RBX];
    assertThat(memory.readInt(info + 20)).isEqualTo(2);
    long module = memory.readInt(info + 24);
    assertThat(text(memory.readInt(module), 6)).isEqualTo("kernel");
    assertThat(text(memory.readInt(module + 8), 11)).isEqualTo("dom0 quiet\0");
    assertThat(text(memory.readInt(module + 16), 8)).isEqualTo("ramdisk!");
    assertThat(memory.readInt(module + 20) - memory.readInt(module + 16)).isEqualTo(8);
    assertThat(text(memory.readInt(module + 24), 256)).contains("disk\0");
  }

  @Test
  void kernelIsToldTheNameItIsGivenWhereverItsFileLies() {
    Path file = file("copy", Images.elf32(Images.multiboot(3).array()).array());
    BootModule kernel = new BootModule(file, "vmlinuz");
    KernelLoader.open(kernel, List.of(), "quiet", KernelEntry.AUTO).load(memory, ram, 1, state);
    long info = state.gpr[CpuState.RBX];
    assertThat(text(memory.readInt(info + 16), 14)).isEqualTo("vmlinuz quiet\0");
  }

  @Test
  void pvhModulesKeepTheirOrderAndTexts() {
    Path kernel = file("kernel", Images.elf64(code, true).array());
    KernelLoader.open(kernel, twoModules(), "", KernelEntry.AUTO).load(memory, ram, 1, state);
    long info = state.gpr[CpuState.RBX];
    assertThat(memory.readInt(info + 12)).isEqualTo(2);
    long module = memory.readLong(info + 16);
    assertThat(text(memory.readLong(module), 6)).isEqualTo("kernel");
    assertThat(text(memory.readLong(module + 16), 11)).isEqualTo("dom0 quiet\0");
    assertThat(text(memory.readLong(module + 32), 8)).isEqualTo("ramdisk!");
    assertThat(memory.readLong(module + 40)).isEqualTo(8);
  }

  @Test
  void linuxTakesOneFileBesideTheKernel() {
    Path kernel = file("kernel", Images.bzImage(code).array());
    BootSource boot = KernelLoader.open(kernel, twoModules(), "", KernelEntry.AUTO);
    assertThatThrownBy(() -> boot.load(memory, ram, 1, state))
        .isInstanceOf(BootException.class)
        .hasMessageEndingWith("takes one file beside the kernel, not 2");
  }

  @Test
  void aCommandLineThatIsTooLongIsRefused() {
    BootSource boot =
        KernelLoader.open(
            file("kernel", Images.bzImage(code).array()),
            List.of(),
            "x".repeat(2048),
            KernelEntry.AUTO);
    assertThatThrownBy(() -> boot.load(memory, ram, 1, state))
        .isInstanceOf(BootException.class)
        .hasMessage("the command line has 2048 bytes; this kernel takes 2047");
  }

  @Test
  void entriesThatAreNotThereAreRefused() {
    assertThatThrownBy(() -> load(Images.bzImage(code), null, KernelEntry.PVH))
        .hasMessageContaining("no PVH entry");
    assertThatThrownBy(() -> load(Images.elf64(code, false), null, KernelEntry.PVH))
        .hasMessageContaining("no entry of the kind 'pvh'");
  }
}
