package io.trapscope.analyzer.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
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
  void saysBeforehandWhatCannotBe() {
    Path nowhere = directory.resolve("no/file");
    assertThatThrownBy(() -> PartFile.check(nowhere))
        .hasMessage("cannot write " + nowhere + ": no such folder");
    assertThatThrownBy(() -> PartFile.check(directory))
        .hasMessage("cannot write " + directory + ": it is a folder");
    assertThatCode(() -> PartFile.check(directory.resolve("file"))).doesNotThrowAnyException();
  }
}
