package io.trapscope.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.trace.TraceHeader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When a kernel's file is taken to be the one that was recorded. */
class GuestSymbolsTest {
  private static final String OTHER_HASH = "0".repeat(64);

  @TempDir private Path folder;

  @Test
  void fileThatHasNotChangedSinceTheRecordingBeganIsTheSame() throws Exception {
    Path file = kernel();
    assertThat(symbols(file, OTHER_HASH, Duration.ofHours(1))).isEqualTo(2);
  }

  @Test
  void fileThatHasChangedSinceIsComparedByItsHash() throws Exception {
    Path file = kernel();
    assertThat(symbols(file, OTHER_HASH, Duration.ofHours(-1))).isZero();
    assertThat(symbols(file, GuestImages.sha256(file), Duration.ofHours(-1))).isEqualTo(2);
  }

  @Test
  void fileThatMayHaveChangedWhileTheTraceBeganIsComparedToo() throws Exception {
    Path file = kernel();
    assertThat(symbols(file, OTHER_HASH, Duration.ofSeconds(10))).isZero();
  }

  @Test
  void timeOfContentsDoesNotCountAsAnybodyCanSetIt() throws Exception {
    Path file = kernel();
    Files.setLastModifiedTime(file, FileTime.fromMillis(0));
    assertThat(symbols(file, OTHER_HASH, Duration.ofHours(-1))).isZero();
  }

  private Path kernel() throws Exception {
    String text = "ffffffff81000000 T start_kernel\nffffffff81001000 T rest_init\n";
    return Files.writeString(folder.resolve("System.map"), text);
  }

  /** Number of functions, where the trace began so long after now. */
  private static int symbols(Path file, String hash, Duration later) throws Exception {
    long begun = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()) + later.toNanos();
    TraceHeader header =
        TraceHeader.builder()
            .product("test")
            .backEnd("soft", "test")
            .image("kernel", file.toString(), hash, Files.size(file))
            .clocks(begun, 0, 0)
            .build();
    return new GuestSymbols().own(header).size();
  }
}
