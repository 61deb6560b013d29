package io.trapscope.vmm.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class DescriptorsTest {
  private static final long SYS_DUP = 32;
  private static final long SYS_PIPE2 = 293;

  /** How many of this process's descriptors lead to that pipe. */
  private static long open(String pipe) throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files.filter(file -> target(file).equals(pipe)).count();
    }
  }

  private static String target(Path file) {
    try {
      return Files.readSymbolicLink(file).toString();
    } catch (IOException e) {
      return "";
    }
  }

  /** More than one message takes. The reader sees the end when the kernel has closed every one. */
  @Test
  @Timeout(60)
  void allAreClosedHereAtOnceAndInTheKernelInTheEnd() throws IOException {
    ByteBuffer pair = LibC.allocate(8);
    LibC.check(
        LibC.syscall(SYS_PIPE2, LibC.address(pair), LibC.O_CLOEXEC, 0, 0, 0), "making a pipe");
    int reader = pair.getInt(0);
    int writer = pair.getInt(4);
    String pipe = Files.readSymbolicLink(Path.of("/proc/self/fd/" + reader)).toString();
    List<Integer> writers = new ArrayList<>(List.of(writer));
    for (int i = 0; i < 299; i++) {
      writers.add((int) LibC.check(LibC.syscall(SYS_DUP, writer, 0, 0, 0, 0), "dup"));
    }
    assertThat(open(pipe)).isEqualTo(301);
    Descriptors.closeWithoutWaiting(writers);
    assertThat(open(pipe)).isEqualTo(1);
    ByteBuffer to = LibC.allocate(1);
    assertThat(LibC.read(reader, LibC.address(to), 1)).isZero();
    LibC.close(reader);
  }

  @Test
  void noneIsFine() {
    Descriptors.closeWithoutWaiting(List.of());
  }
}
