package io.trapscope.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.trace.TraceHeader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.AssertionsForClassTypes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where a recorded kernel's symbols come from, and when its file is taken to be still the same. */
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

  @Test
  void copyThatTheTraceKeepsServesWhereTheFileIsGone() throws Exception {
    Path file = kernel();
    TraceHeader header = header(file, keep(file, Files.size(file)), Duration.ZERO);
    Files.delete(file);
    assertThat(new GuestSymbols().own(folder, header).size()).isEqualTo(2);
    assertThat(new GuestSymbols().own(folder, header).note()).contains(file.toString());
  }

  @Test
  void fileLargerThanAskedForIsNotKept() throws Exception {
    Path file = kernel();
    TraceHeader header = header(file, keep(file, Files.size(file) - 1), Duration.ZERO);
    Files.delete(file);
    assertThat(new GuestSymbols().own(folder, header).size()).isZero();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void copyThatIsCutShortIsNone() throws Exception {
    Path file = kernel();
    TraceHeader header = header(file, keep(file, Files.size(file)), Duration.ZERO);
    Path copy = KeptFiles.find(folder, header.images().get(0)).orElseThrow();
    Files.writeString(copy, "ffffffff81000000 T start_kernel\n");
    Files.delete(file);
    assertThat(new GuestSymbols().own(folder, header).size()).isZero();
  }

  @Test
  void copyThatCannotBeMadeIsToldAndLeftOut() throws Exception {
    Path file = kernel();
    List<String> said = new ArrayList<>();
    KeptFiles nowhere = new KeptFiles(file, 1 << 20, said::add);
    assertThat(new GuestImages().add("kernel", file).hashed(() -> true, nowhere))
        .isEqualTo(new GuestImages().add("kernel", file).hashed());
    assertThat(said).singleElement().asString().contains("keeps no copy of " + file);
  }

  /** Keeps a file in the trace; returns its hash. */
  private String keep(Path file, long largest) {
    KeptFiles kept = new KeptFiles(folder, largest, AssertionsForClassTypes::fail);
    return new GuestImages().add("kernel", file).hashed(() -> true, kept).get(0).sha256();
  }

  private Path kernel() throws Exception {
    String text = "ffffffff81000000 T start_kernel\nffffffff81001000 T rest_init\n";
    return Files.writeString(folder.resolve("System.map"), text);
  }

  /** Number of functions, where the trace began so long after now. */
  private int symbols(Path file, String hash, Duration later) throws Exception {
    return new GuestSymbols().own(folder, header(file, hash, later)).size();
  }

  private static TraceHeader header(Path file, String hash, Duration later) throws Exception {
    long begun = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()) + later.toNanos();
    return TraceHeader.builder()
        .product("test")
        .backEnd("soft", "test")
        .image("kernel", file.toString(), hash, Files.size(file))
        .clocks(begun, 0, 0)
        .build();
  }
}
