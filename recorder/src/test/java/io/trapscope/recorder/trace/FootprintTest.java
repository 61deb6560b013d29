package io.trapscope.recorder.trace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.RunEnd;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What recording and reading leave alone: the heap, the network, the home directory. */
class FootprintTest {
  @TempDir Path temp;

  @Test
  void recordingAnEventAllocatesNothing() throws Exception {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Assumptions.assumeTrue(
        threads.isThreadAllocatedMemorySupported(), "this JVM does not count allocations");
    try (TraceWriter writer = TraceWriter.create(temp.resolve("t"), false, TestTraces.header(1))) {
      for (int i = 0; i < 200_000; i++) {
        TestTraces.write(writer.vcpu(0), i);
      }
      ExitSink sink = writer.vcpu(0);
      assertAllocatesNothing(threads, 20, i -> TestTraces.write(sink, i));
      writer.finish(RunEnd.HALTED, 0, "");
    }
  }

  @Test
  void readingAnEventAllocatesNothing() throws Exception {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Assumptions.assumeTrue(
        threads.isThreadAllocatedMemorySupported(), "this JVM does not count allocations");
    Path dir = temp.resolve("t");
    try (TraceWriter writer = TraceWriter.create(dir, false, TestTraces.header(1))) {
      for (int i = 0; i < 200_000; i++) {
        TestTraces.write(writer.vcpu(0), i);
      }
      writer.finish(RunEnd.HALTED, 0, "");
    }
    EventCursor cursor = TraceReader.open(dir).merged();
    for (int i = 0; i < 100_000; i++) {
      assertThat(cursor.next()).isTrue();
    }
    long[] right = {0};
    assertAllocatesNothing(
        threads,
        50,
        i -> {
          cursor.next();
          right[0] += TestTraces.check(cursor.event(), i + 100_000) ? 1 : 0;
        });
    assertThat(right[0]).isEqualTo(100_000);
  }

  /**
   * Inside a batch an event takes nothing at all. A batch, of 3,268 such events, takes a few
   * objects until its code is compiled, and so does a window of the file; so the least over several
   * rounds of 2,000 is what events take.
   *
   * @param event takes the number of the event
   */
  private static void assertAllocatesNothing(ThreadMXBean threads, int rounds, IntConsumer event) {
    long least = Long.MAX_VALUE;
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int round = 0; round < rounds; round++) {
      long start = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 2000; i++) {
        event.accept(2000 * round + i);
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - start);
    }
    long all = threads.getCurrentThreadAllocatedBytes() - before;
    assertThat(least).isZero();
    assertThat(all / (2000L * rounds)).as("whole bytes an event, batches included").isZero();
  }

  @Test
  void chroniclesAnalyticsAreNotOnTheClassPath() {
    assertThatThrownBy(() -> Class.forName("net.openhft.chronicle.analytics.Analytics"))
        .isInstanceOf(ClassNotFoundException.class);
  }

  @Test
  void recordingLeavesNothingInTheHomeDirectoryAndNothingOnTheTerminal() throws Exception {
    Path home = Files.createDirectory(temp.resolve("home"));
    String output = run(List.of(), home);
    // JNA, which the KVM back end needs too, keeps a directory here and removes its file.
    try (Stream<Path> tree = Files.walk(home)) {
      assertThat(tree.filter(Files::isRegularFile)).isEmpty();
    }
    assertThat(output).isEqualTo("recorded 1000, read 1000\n");
  }

  @Test
  void recordsWhereTheJdkDoesNotLetFilesBeUnmapped() throws Exception {
    Assumptions.assumeTrue(Processes.ASKS_ABOUT_UNSAFE, "this JDK does not refuse it");
    Files.createDirectory(temp.resolve("home"));
    String trace = temp.resolve("trace").toString();
    String output = start(List.of(), List.of(Processes.UNSAFE + "deny"), trace);
    assertThat(output).isEqualTo("recorded 1000, read 1000\n");
  }

  @Test
  void recordingAndReadingOpenNoConnection() throws Exception {
    Path log = temp.resolve("strace");
    Path home = Files.createDirectory(temp.resolve("home"));
    String output;
    try {
      output =
          run(List.of("strace", "-f", "-qq", "-e", "trace=network", "-o", log.toString()), home);
    } catch (IOException e) {
      Assumptions.abort("no strace: that no connection is attempted was not checked");
      return;
    }
    Assumptions.assumeTrue(
        output.endsWith("recorded 1000, read 1000\n"), "strace may not trace here: " + output);
    // The JVM opens sockets to see which protocols there are; nothing may be done with them.
    assertThat(Files.readAllLines(log))
        .isNotEmpty()
        .filteredOn(line -> !line.contains("socket(AF_") && !line.contains("AF_UNIX"))
        .noneMatch(line -> line.contains("AF_INET") || line.contains("connect("));
  }

  @Test
  void recordingAndReadingLoadNoClassOfChronicles() throws Exception {
    String dir = temp.resolve("t").toString();
    String classes = start(List.of(), List.of("-Xlog:class+load"), dir);
    assertThat(classes)
        .contains("recorder.trace.StreamWriter")
        .contains("recorder.trace.StreamCursor");
    assertThat(classes).doesNotContain("net.openhft");
  }

  private String run(List<String> wrapper, Path home) throws Exception {
    return start(wrapper, List.of("-Duser.home=" + home), temp.resolve("trace").toString());
  }

  private String start(List<String> wrapper, List<String> options, String... arguments)
      throws Exception {
    List<String> command = new ArrayList<>(wrapper);
    command.addAll(Processes.java(FootprintMain.class, options, arguments));
    Path output = temp.resolve("output");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
    builder.environment().put("HOME", temp.resolve("home").toString());
    Process process = builder.start();
    assertThat(process.waitFor(100, TimeUnit.SECONDS)).isTrue();
    return Files.readString(output);
  }
}
