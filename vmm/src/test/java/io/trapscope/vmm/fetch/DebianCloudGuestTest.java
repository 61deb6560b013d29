package io.trapscope.vmm.fetch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Fetching with a package tool that only pretends: nothing is downloaded here. */
class DebianCloudGuestTest {
  private static final byte[] BUSYBOX = "a static busybox".getBytes(StandardCharsets.US_ASCII);

  @TempDir Path cache;

  private final List<String> commands = new ArrayList<>();
  private final List<String> progress = new ArrayList<>();
  private byte[] kernel = TestKernel.bzImage();
  private String symbols = "The real System.map is elsewhere.";

  private String tool(Path directory, List<String> command) {
    commands.add(String.join(" ", command));
    try {
      switch (command.get(0)) {
        case "apt-cache" -> {
          return command.get(2).equals("linux-image-cloud-amd64")
              ? "linux-image-cloud-amd64\n  Depends: linux-image-6.1.0-9-cloud-amd64\n"
              : command.get(2) + "\n  Depends: kmod\n";
        }
        case "apt-get" -> Files.write(directory.resolve(command.get(2) + ".deb"), new byte[1]);
        default -> unpack(directory.resolve(command.get(3)), Path.of(command.get(2)));
      }
      return "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void unpack(Path root, Path deb) throws IOException {
    boolean isKernel = deb.getFileName().toString().startsWith("linux-image");
    Path directory = Files.createDirectories(root.resolve(isKernel ? "boot" : "bin"));
    if (isKernel) {
      Files.write(directory.resolve("vmlinuz-6.1.0-9-cloud-amd64"), kernel);
      Files.writeString(directory.resolve("System.map-6.1.0-9-cloud-amd64"), symbols);
    } else {
      Files.write(directory.resolve("busybox"), BUSYBOX);
    }
  }

  private DebianCloudGuest guest() {
    return new DebianCloudGuest(cache, this::tool);
  }

  @Test
  void kernelAndRamDiskLandInTheCache() throws IOException {
    assertThat(guest().cached()).isEmpty();
    DebianCloudGuest.Fetched fetched = guest().fetch(progress::add);
    assertThat(fetched.release()).isEqualTo("6.1.0-9-cloud-amd64");
    assertThat(Files.readAllBytes(fetched.kernel())).startsWith(0x7f, 'E', 'L', 'F');
    assertThat(Files.readAllBytes(fetched.packedKernel())).isEqualTo(kernel);
    assertThat(fetched.symbols()).as("a note, not a symbol table").isNull();
    assertThat(guest().cached()).contains(fetched);
    try (Stream<Path> files = Files.list(cache.resolve("debian-cloud"))) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder("vmlinux", "vmlinuz", "initrd.cpio", "release");
    }
    assertThat(commands)
        .startsWith("apt-cache depends linux-image-cloud-amd64")
        .contains(
            "apt-get download linux-image-6.1.0-9-cloud-amd64", "apt-get download busybox-static");
    assertThat(progress).contains("unpacking kernel 6.1.0-9-cloud-amd64");
  }

  @Test
  void symbolsAreKeptWhereThePackageHasThem() throws IOException {
    symbols = "ffffffff81000000 T _text\n".repeat(200);
    DebianCloudGuest.Fetched fetched = guest().fetch(progress::add);
    assertThat(Files.readString(fetched.symbols())).isEqualTo(symbols);
  }

  @Test
  void theRamDiskHoldsWhatInitNeeds() throws IOException {
    byte[] disk = Files.readAllBytes(guest().fetch(progress::add).initrd());
    List<String> entries = new ArrayList<>();
    try (CpioArchiveInputStream in = new CpioArchiveInputStream(new ByteArrayInputStream(disk))) {
      for (CpioArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        byte[] content = in.readAllBytes();
        entries.add(entry.getName() + " " + Long.toOctalString(entry.getMode()));
        if (entry.getName().equals("bin/busybox")) {
          assertThat(content).isEqualTo(BUSYBOX);
        } else if (entry.getName().equals("init")) {
          assertThat(new String(content, StandardCharsets.US_ASCII))
              .startsWith("#!/bin/busybox sh\n")
              .endsWith("poweroff -f\n");
        } else if (entry.getName().equals("dev/console")) {
          assertThat(entry.getRemoteDeviceMaj()).isEqualTo(5);
          assertThat(entry.getRemoteDeviceMin()).isEqualTo(1);
        }
      }
    }
    assertThat(entries)
        .contains("init 100755", "bin/busybox 100755", "bin/sh 120777", "dev/console 20600");
    assertThat(Initramfs.build(BUSYBOX)).as("the same bytes each time").isEqualTo(disk);
  }

  @Test
  void aFailedFetchLeavesNoGuest() {
    guest().fetch(progress::add);
    kernel = new byte[5000];
    assertThatThrownBy(() -> guest().fetch(progress::add)).hasMessageContaining("not a bzImage");
    assertThat(guest().cached()).isEmpty();
  }

  @Test
  void withoutAPackageTheUserIsTold() {
    DebianCloudGuest none = new DebianCloudGuest(cache, (directory, command) -> "");
    assertThatThrownBy(() -> none.fetch(progress::add))
        .isInstanceOf(FetchException.class)
        .hasMessageContaining("linux-image-cloud-amd64")
        .hasMessageContaining("apt-get update");
  }

  @Test
  void theRealToolReportsFailuresInOneLine() {
    PackageTool tool = PackageTool.system(Duration.ofSeconds(20));
    assertThat(tool.run(cache, List.of("echo", "hello"))).isEqualTo("hello\n");
    assertThatThrownBy(() -> tool.run(cache, List.of("sh", "-c", "echo a; echo why >&2; exit 3")))
        .isInstanceOf(FetchException.class)
        .hasMessageEndingWith(": why");
    assertThatThrownBy(() -> tool.run(cache, List.of("no-such-tool-here")))
        .isInstanceOf(FetchException.class)
        .hasMessageContaining("is this Debian or Ubuntu?");
    assertThatThrownBy(
            () -> PackageTool.system(Duration.ofMillis(100)).run(cache, List.of("sleep", "20")))
        .isInstanceOf(FetchException.class)
        .hasMessageContaining("took more than");
  }
}
