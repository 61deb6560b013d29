package io.trapscope.analyzer.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PartFileTest {
  @TempDir Path directory;

  private static ByteBuffer text() {
    return ByteBuffer.wrap("all of it\n".getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void appearsWhenItIsComplete() throws IOException {
    Path target = directory.resolve("file");
    try (PartFile file = new PartFile(target)) {
      file.write(text());
      assertThat(target).doesNotExist();
      file.commit();
    }
    assertThat(target).hasContent("all of it\n");
    assertThat(Files.list(directory)).containsExactly(target);
  }

  /** As a shell's {@code >(command)} makes one. */
  @Test
  void pipeIsWrittenAndStaysOne() throws IOException, InterruptedException {
    Path pipe = directory.resolve("pipe");
    assumeTrue(
        new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0, "no mkfifo here");
    CompletableFuture<String> read =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return Files.readString(pipe);
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            });
    try (PartFile file = new PartFile(pipe)) {
      file.write(text());
      assertThat(file.commit()).isEqualTo(pipe);
    }
    assertThat(read.join()).isEqualTo("all of it\n");
    assertThat(Files.list(directory)).containsExactly(pipe);
    assertThat(Files.isRegularFile(pipe)).isFalse();
  }

  @Test
  void deviceThatIsFullIsNeitherReplacedNorRemoved() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full) && !Files.isRegularFile(full), "no /dev/full here");
    Path link = Files.createSymbolicLink(directory.resolve("link"), full);
    assertThatThrownBy(
            () -> {
              try (PartFile file = new PartFile(link)) {
                file.write(text());
                file.commit();
              }
            })
        .isInstanceOf(IOException.class)
        .hasMessage("cannot write " + link + ": No space left on device");
    assertThat(link).isSymbolicLink();
  }

  @Test
  void linkStaysAndItsFileIsReplaced() throws IOException {
    Path target = Files.writeString(directory.resolve("file"), "an earlier one\n");
    Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("file"));
    try (PartFile file = new PartFile(link)) {
      file.write(text());
      assertThat(file.commit()).isEqualTo(link);
    }
    assertThat(link).isSymbolicLink();
    assertThat(target).hasContent("all of it\n");
    assertThat(Files.list(directory)).containsExactlyInAnyOrder(target, link);
  }

  /** As /dev/stdout is where the output goes to a file: root could replace it. */
  @Test
  void openFileIsRefusedByTheNamesThatItHasAsSuch() throws IOException {
    Path target = Files.writeString(directory.resolve("file"), "before\n");
    try (FileChannel open = FileChannel.open(target, StandardOpenOption.WRITE)) {
      Path link = Files.createSymbolicLink(directory.resolve("link"), openFile(target));
      assertThatThrownBy(() -> PartFile.check(link))
          .hasMessage("cannot write " + link + ": it is a file already open; name the file");
      assertThatThrownBy(() -> new PartFile(link)).isInstanceOf(IOException.class);
      assertThat(link).isSymbolicLink();
      assertThat(open.isOpen()).isTrue();
    }
    assertThat(target).hasContent("before\n");
  }

  /** What the kernel calls a file that this process has open. */
  private static Path openFile(Path file) throws IOException {
    Path descriptors = Path.of("/proc/self/fd");
    assumeTrue(Files.isDirectory(descriptors), "no /proc here");
    try (Stream<Path> all = Files.list(descriptors)) {
      return all.filter(each -> isLinkTo(each, file)).findFirst().orElseThrow();
    }
  }

  private static boolean isLinkTo(Path link, Path file) {
    try {
      return Files.readSymbolicLink(link).equals(file.toRealPath());
    } catch (IOException e) {
      return false; // closed since
    }
  }

  @Test
  void saysBeforehandWhatCannotBe() {
    Path nowhere = directory.resolve("no/file");
    assertThatThrownBy(() -> PartFile.check(nowhere))
        .hasMessage("cannot write " + nowhere + ": no such folder");
    assertThatThrownBy(() -> PartFile.check(directory))
        .hasMessage("cannot write " + directory + ": it is a folder");
    assertThatCode(() -> PartFile.check(directory.resolve("file"))).doesNotThrowAnyException();
  }
}
