package io.trapscope.recorder.trace;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills recorders with SIGKILL at random moments. A few in every build; the number the
 * specification promises with {@code recorder/kill-test}.
 */
class KilledRecorderTest {
  private static final int KILLS = Integer.getInteger("trapscope.kills", 6);

  @TempDir Path temp;

  @Test
  void noCommittedEventIsMissingAfterAKill() throws Exception {
    long seed = Long.getLong("trapscope.seed", System.nanoTime());
    Random random = new Random(seed);
    long events = 0;
    for (int kill = 0; kill < KILLS; kill++) {
      Path trace = temp.resolve("kill" + kill);
      long[] told = record(trace, random.nextLong(), true, random.nextInt(200));
      String what = "seed " + seed + ", kill " + kill;
      assertThat(told[0]).as(what).isNotNegative();
      events += readBack(trace, told, what);
      delete(trace);
    }
    System.out.printf("%d kills, %d events, none missing (seed %d)%n", KILLS, events, seed);
  }

  @Test
  void aKillDuringTheStartLeavesNothingOrATraceThatOpens() throws Exception {
    long seed = Long.getLong("trapscope.seed", System.nanoTime());
    Random random = new Random(seed);
    for (int kill = 0; kill < Math.max(2, KILLS / 4); kill++) {
      Path trace = temp.resolve("start" + kill);
      long[] told = record(trace, random.nextLong(), false, 100 + random.nextInt(900));
      if (told[0] >= 0 || TraceWriter.isTrace(trace)) {
        readBack(trace, told, "seed " + seed + ", kill " + kill);
      }
    }
  }

  /** Starts a recorder, kills it, and returns what it told last: events of both streams, or -1. */
  private static long[] record(Path trace, long seed, boolean waitForFirst, int millis)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Processes.java(
                    KilledRecorder.class, List.of(), trace.toString(), Long.toString(seed)))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    long[] told = {-1, -1};
    try (DataInputStream in = new DataInputStream(process.getInputStream())) {
      if (waitForFirst) {
        tell(in, told);
      }
      Thread killer =
          new Thread(
              () -> {
                try {
                  Thread.sleep(millis);
                } catch (InterruptedException e) {
                  // Kill at once.
                }
                // Not through the process, which would close the pipe before it is read.
                process.toHandle().destroyForcibly();
              });
      killer.start();
      while (tell(in, told)) {
        // The last one counts; the pipe still holds what was told before the kill.
      }
      killer.join();
    }
    assertThat(process.waitFor()).as("ended by SIGKILL").isEqualTo(128 + 9);
    return told;
  }

  private static boolean tell(DataInputStream in, long[] told) throws IOException {
    try {
      long first = in.readLong();
      told[1] = in.readLong();
      told[0] = first;
      return true;
    } catch (EOFException e) {
      return false;
    }
  }

  private static void delete(Path trace) throws IOException {
    try (Stream<Path> tree = Files.walk(trace)) {
      for (Path path : (Iterable<Path>) tree.sorted(Comparator.reverseOrder())::iterator) {
        Files.delete(path);
      }
    }
  }

  private static long readBack(Path path, long[] told, String what) throws TraceException {
    TraceReader trace = TraceReader.open(path);
    assertThat(trace.end()).as(what).isEmpty();
    assertThat(trace.anomalies().count(Anomaly.UNCLEAN_END)).isOne();
    long all = 0;
    for (int stream = 0; stream < 2; stream++) {
      EventCursor cursor = trace.stream(stream);
      long seen = 0;
      while (cursor.next()) {
        assertThat(cursor.event().sequence()).as(what).isEqualTo(seen);
        assertThat(TestTraces.check(cursor.event(), seen)).as(what).isTrue();
        seen++;
      }
      assertThat(seen).as("%s, stream %d", what, stream).isGreaterThanOrEqualTo(told[stream]);
      // A kill during the start may come before a stream is made.
      assertThat(cursor.anomalies().toMap().keySet())
          .as(what)
          .isSubsetOf(
              told[0] >= 0
                  ? List.of(Anomaly.SALVAGED_EVENTS)
                  : List.of(Anomaly.SALVAGED_EVENTS, Anomaly.MISSING_STREAM));
      all += seen;
    }
    return all;
  }
}
