package io.trapscope.recorder.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.recorder.event.LossCause;
import io.trapscope.recorder.event.RunEnd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FullDiskTest {
  @TempDir Path temp;

  /** An allocator that finds room for so many bytes and no more. */
  private static QueueFile.Allocator room(long bytes) {
    long[] left = {bytes};
    return (file, from, to) -> {
      left[0] -= to - from;
      if (left[0] < 0) {
        throw new IOException("No space left on device");
      }
      QueueFile.writeZeros(file, from, to);
    };
  }

  @Test
  void whatFindsNoRoomIsCountedAndTheRestIsThere() throws Exception {
    Path dir = temp.resolve("t");
    int n = 60_000;
    long kept;
    try (TraceWriter writer = TraceWriter.create(dir, false, TestTraces.header(1), room(3 << 20))) {
      for (int i = 0; i < n; i++) {
        TestTraces.write(writer.vcpu(0), i);
      }
      kept = writer.events();
      assertThat(writer.lost()).isEqualTo(n - kept).isPositive();
      assertThat(writer.failure()).isEqualTo("No space left on device");
      TraceEnd end = writer.finish(RunEnd.HALTED, 0, "");
      assertThat(end.events()).isEqualTo(kept);
      assertThat(end.lost()).isEqualTo(n - kept);
      assertThat(end.streams().get(0).cause()).isEqualTo(LossCause.DISK_FULL);
    }
    EventCursor cursor = TraceReader.open(dir).merged();
    long seen = 0;
    while (cursor.next()) {
      assertThat(TestTraces.check(cursor.event(), seen++)).isTrue();
    }
    assertThat(seen).isEqualTo(kept).isGreaterThan(10_000);
    assertThat(cursor.anomalies().toMap()).containsOnlyKeys(Anomaly.LOST_EVENTS);
    assertThat(cursor.anomalies().count(Anomaly.LOST_EVENTS)).isEqualTo(n - kept);
  }

  @Test
  void aStartThatFindsNoRoomLeavesNothingBehind() throws Exception {
    for (long bytes : new long[] {0, 10_000, 1 << 20, 1_400_000}) {
      Path dir = temp.resolve("start" + bytes);
      assertThatThrownBy(
              () -> TraceWriter.create(dir, false, TestTraces.header(1), room(bytes)).close())
          .isInstanceOf(TraceException.class)
          .hasMessage("cannot write trace " + dir + ": No space left on device");
      assertThat(dir).doesNotExist();
    }
  }

  @Test
  void aVcpuThatFindsNoRoomLeavesNothingBehind() throws Exception {
    Path dir = temp.resolve("t");
    TraceHeader one = TestTraces.header(1);
    try (TraceWriter writer = TraceWriter.create(dir, false, one, room(2 << 20))) {
      int vcpus = 1;
      while (vcpus < 100) {
        try {
          writer.addVcpu();
          vcpus++;
        } catch (TraceException e) {
          break;
        }
      }
      assertThat(vcpus).isBetween(2, 99);
      writer.finish(RunEnd.DETACHED, 0, "");
      assertThat(dir.resolve(TraceFormat.streamName(vcpus - 1))).isDirectory();
      assertThat(dir.resolve(TraceFormat.streamName(vcpus))).doesNotExist();
    }
  }

  @Test
  void aHeaderThatCannotBeReplacedLeavesTheFormerOne() throws Exception {
    Path dir = temp.resolve("t");
    try (TraceWriter writer = TraceWriter.create(dir, false, TestTraces.header(1))) {
      Path header = dir.resolve(TraceFormat.HEADER_FILE);
      Files.move(header, temp.resolve("header"));
      Files.createDirectories(header.resolve("in-the-way"));
      assertThatThrownBy(() -> writer.describe(TestTraces.header(1)))
          .isInstanceOf(TraceException.class);
      assertThat(dir.resolve(TraceFormat.HEADER_FILE + ".part")).doesNotExist();
    }
  }

  @Test
  void aFailedReplacementLeavesTheOldTrace() throws Exception {
    Path dir = temp.resolve("t");
    try (TraceWriter writer = TraceWriter.create(dir, false, TestTraces.header(1))) {
      TestTraces.write(writer.vcpu(0), 0);
      writer.finish(RunEnd.HALTED, 0, "the old one");
    }
    assertThatThrownBy(() -> TraceWriter.create(dir, true, TestTraces.header(1), room(1 << 20)))
        .isInstanceOf(TraceException.class);
    assertThat(TraceReader.open(dir).end().orElseThrow().text()).isEqualTo("the old one");
    assertThat(temp.toFile().list()).containsExactly("t");
  }

  /** The real thing: a file system of 4 MiB, and a process that must not die of SIGBUS. */
  @Test
  void aFullFileSystemEndsNeitherTheProcessNorTheTrace() throws Exception {
    Path mount = Files.createDirectory(temp.resolve("mount"));
    List<String> command = new ArrayList<>();
    command.addAll(
        List.of(
            "unshare",
            "-rm",
            "sh",
            "-c",
            "mount -t tmpfs -o size=4m none '" + mount + "' || exit 77; exec \"$@\"",
            "sh"));
    command.addAll(Processes.java(FullDiskRecorder.class, List.of(), mount.toString()));
    Path output = temp.resolve("output");
    Process process;
    try {
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
    } catch (IOException e) {
      Assumptions.abort("cannot run unshare: real full-disk test not run");
      return;
    }
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    String text = Files.readString(output);
    Assumptions.assumeFalse(
        process.exitValue() == 77 || text.startsWith("unshare:"),
        "may not mount a file system here: real full-disk test not run");
    assertThat(process.exitValue()).as(text).isZero();
    assertThat(text).contains("DISK_FULL").contains("all kept events read back");
  }
}
