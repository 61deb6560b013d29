package io.trapscope.recorder.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.recorder.event.RunEnd;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceDirectoryTest {
  @TempDir Path temp;

  private static void record(Path dir, boolean force, String text) throws TraceException {
    try (TraceWriter writer = TraceWriter.create(dir, force, TestTraces.header(1))) {
      TestTraces.write(writer.vcpu(0), 0);
      writer.finish(RunEnd.HALTED, 0, text);
    }
  }

  private static String text(Path dir) throws TraceException {
    return TraceReader.open(dir).end().orElseThrow().text();
  }

  @Test
  void anExistingTraceIsKeptUnlessForced() throws Exception {
    Path dir = temp.resolve("t");
    record(dir, false, "first");
    assertThatThrownBy(() -> record(dir, false, "second"))
        .isInstanceOf(TraceException.class)
        .hasMessage(dir + " exists; --force replaces it if it is a trace");
    assertThat(text(dir)).isEqualTo("first");
    record(dir, true, "third");
    assertThat(text(dir)).isEqualTo("third");
    assertThat(temp.toFile().list()).containsExactly("t");
  }

  @Test
  void nothingButATraceIsEverReplaced() throws Exception {
    Path dir = Files.createDirectory(temp.resolve("home"));
    Path precious = Files.writeString(dir.resolve("thesis.txt"), "years of work");
    assertThatThrownBy(() -> record(dir, true, ""))
        .isInstanceOf(TraceException.class)
        .hasMessage(dir + " is not a trace, and only a trace is replaced");
    assertThatThrownBy(() -> record(precious, true, "")).isInstanceOf(TraceException.class);
    assertThat(Files.readString(precious)).isEqualTo("years of work");
    assertThatThrownBy(() -> record(precious.resolve("t"), true, ""))
        .isInstanceOf(TraceException.class);
    Path link = Files.createSymbolicLink(temp.resolve("link"), dir);
    assertThatThrownBy(() -> record(link, true, "")).isInstanceOf(TraceException.class);
    assertThat(link).isSymbolicLink();
  }

  @Test
  void anEmptyDirectoryAndMissingParentsAreFine() throws Exception {
    Path empty = Files.createDirectory(temp.resolve("empty"));
    record(empty, false, "a");
    assertThat(text(empty)).isEqualTo("a");
    Path deep = temp.resolve("x/y/z");
    record(deep, false, "b");
    assertThat(text(deep)).isEqualTo("b");
  }

  @Test
  void aReadOnlyDirectoryIsOneClearLine() throws Exception {
    Path parent = Files.createDirectory(temp.resolve("readonly"));
    Files.setPosixFilePermissions(parent, PosixFilePermissions.fromString("r-xr-xr-x"));
    Assumptions.assumeFalse(
        Files.isWritable(parent), "this user may write anywhere (root): not run");
    assertThatThrownBy(() -> record(parent.resolve("t"), false, ""))
        .isInstanceOf(TraceException.class)
        .hasMessage("cannot write trace " + parent.resolve("t") + ": permission denied");
  }

  @Test
  void whatIsNoTraceIsOneClearLine() throws Exception {
    Path absent = temp.resolve("absent");
    assertThatThrownBy(() -> TraceReader.open(absent)).hasMessage(absent + " does not exist");
    assertThatThrownBy(() -> TraceReader.open(temp))
        .hasMessage(temp + " is no trace: it holds no trace.json");
    Path file = Files.writeString(temp.resolve("file"), "x");
    assertThatThrownBy(() -> TraceReader.open(file))
        .hasMessage(file + " is no trace: not a directory");
    for (String json :
        new String[] {"", "[]", "{", "{}", "{\"format\":1e9}", "x", "{\"format\":1}", "\0\0\0"}) {
      Path header = Files.writeString(temp.resolve("trace.json"), json);
      assertThatThrownBy(() -> TraceReader.open(temp))
          .isInstanceOf(TraceException.class)
          .hasMessageStartingWith("cannot read " + header + ": ")
          .hasMessageNotContainingAny("\n", "REDACTED");
    }
    Files.writeString(temp.resolve("trace.json"), "{\"format\":99,\"schema\":1,\"cpus\":1}");
    assertThatThrownBy(() -> TraceReader.open(temp))
        .hasMessageEndingWith("format version 99 is newer than this program's 1");
    Files.writeString(temp.resolve("trace.json"), "[".repeat(100_000));
    assertThatThrownBy(() -> TraceReader.open(temp)).isInstanceOf(TraceException.class);
    Files.writeString(
        temp.resolve("trace.json"),
        "{\"format\":1,\"schema\":1,\"cpus\":1,\"x\":" + "[".repeat(100_000));
    assertThatThrownBy(() -> TraceReader.open(temp)).isInstanceOf(TraceException.class);
  }

  /** A recorder that is closed without an end has failed; its trace must not look whole. */
  @Test
  void closingWithoutAnEndReadsAsCutOff() throws Exception {
    Path dir = temp.resolve("t");
    try (TraceWriter writer = TraceWriter.create(dir, false, TestTraces.header(1))) {
      TestTraces.write(writer.vcpu(0), 0);
    }
    EventCursor cursor = TraceReader.open(dir).merged();
    assertThat(cursor.next()).isTrue();
    assertThat(cursor.next()).isFalse();
    assertThat(cursor.anomalies().toMap()).containsOnlyKeys(Anomaly.UNCLEAN_END);
  }

  /** A vCPU thread is interrupted to kick it; that must not close the files it records to. */
  @Test
  void interruptsDoNotDisturbRecording() throws Exception {
    Path dir = temp.resolve("t");
    int n = 200_000;
    try (TraceWriter writer = TraceWriter.create(dir, false, TestTraces.header(1))) {
      for (int i = 0; i < n; i++) {
        Thread.currentThread().interrupt();
        TestTraces.write(writer.vcpu(0), i);
        assertThat(Thread.interrupted()).isTrue();
      }
      Thread.currentThread().interrupt();
      assertThat(writer.finish(RunEnd.HALTED, 0, "").lost()).isZero();
      assertThat(Thread.interrupted()).isTrue();
    }
    EventCursor cursor = TraceReader.open(dir).merged();
    long[] seen = {0};
    cursor.forEach(event -> seen[0]++);
    assertThat(seen[0]).isEqualTo(n);
    assertThat(cursor.anomalies().toMap()).isEmpty();
  }
}
