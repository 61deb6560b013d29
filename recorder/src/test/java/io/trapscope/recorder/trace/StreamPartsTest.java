package io.trapscope.recorder.trace;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.RunEnd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A stream read in parts gives the events and anomalies of the stream read at once. */
@Timeout(120)
class StreamPartsTest {
  private static final int EVENTS = 30_000;
  private static final int DAMAGES = 400;

  @TempDir Path temp;
  private Path dir;
  private Path queue;

  @BeforeEach
  void record() throws Exception {
    dir = record("t", EVENTS);
    queue = queue(dir);
  }

  private static Path queue(Path trace) throws IOException {
    try (Stream<Path> files = Files.list(trace.resolve("vcpu-0"))) {
      return files.filter(file -> file.toString().endsWith(".cq4")).findFirst().orElseThrow();
    }
  }

  private Path record(String name, int events) throws Exception {
    Path made = temp.resolve(name);
    try (TraceWriter writer = TraceWriter.create(made, false, TestTraces.header(1))) {
      for (int i = 0; i < events; i++) {
        TestTraces.write(writer.vcpu(0), i);
      }
      writer.finish(RunEnd.HALTED, 0, "");
    }
    return made;
  }

  /** What is there is read, whole up to some event, whatever the writer does meanwhile. */
  @Test
  void aTraceMayBeReadWhileItIsWritten() throws Exception {
    Path live = temp.resolve("live");
    TraceWriter writer = TraceWriter.create(live, false, TestTraces.header(1));
    Thread recorder =
        new Thread(
            () -> {
              for (int i = 0; i < 2_000_000; i++) {
                TestTraces.write(writer.vcpu(0), i);
              }
            });
    recorder.start();
    long least = 0;
    while (recorder.isAlive()) {
      TraceReader trace = TraceReader.open(live);
      Map<Anomaly, Long> atEnds = trace.anomaliesAtEnds().toMap();
      EventCursor cursor = trace.stream(0);
      long events = new Sum(0, 0).read(cursor).events();
      StreamParts parts = trace.parts(0, 1 << 20);
      long inParts = readParts(parts).events();
      for (Map<Anomaly, Long> found : List.of(atEnds, cursor.anomalies().toMap())) {
        assertThat(found).doesNotContainKeys(ERRORS);
      }
      parts.anomalies().ifPresent(found -> assertThat(found.toMap()).doesNotContainKeys(ERRORS));
      assertThat(events).isGreaterThanOrEqualTo(least);
      assertThat(inParts).isGreaterThanOrEqualTo(events);
      least = events;
    }
    writer.close();
    assertThat(least).isPositive();
  }

  private static final Anomaly[] ERRORS =
      Arrays.stream(Anomaly.values())
          .filter(each -> each.severity() == Anomaly.Severity.ERROR)
          .toArray(Anomaly[]::new);

  /** A file that is longer than what is read of its end. */
  @Test
  void theEndsTellHowManyEventsAreNotThere() throws Exception {
    Path large = record("large", 100_000);
    TraceReader trace = TraceReader.open(large);
    assertThat(trace.anomaliesAtEnds().toMap()).isEmpty();
    Path file = queue(large);
    byte[] bytes = Files.readAllBytes(file);
    assertThat(bytes.length).isGreaterThan((int) (2 * StreamCursor.SEARCH_BYTES));
    for (int cut : new int[] {bytes.length - 1, bytes.length - 300_000, 4_000_000, 900_000, 0}) {
      Files.write(file, Arrays.copyOf(bytes, cut));
      EventCursor cursor = trace.stream(0);
      new Sum(0, 0).read(cursor);
      Anomalies found = trace.anomaliesAtEnds();
      assertThat(found.isIncomplete()).isEqualTo(cursor.anomalies().isIncomplete());
      assertThat(found.count(Anomaly.MISSING_AT_END))
          .as("cut to %d bytes", cut)
          .isEqualTo(cursor.anomalies().count(Anomaly.MISSING_AT_END));
    }
  }

  /** What reading gives: events, and a sum that depends on their order. */
  private record Sum(long events, long digest) {
    Sum read(EventCursor cursor) {
      long count = events;
      long sum = digest;
      while (cursor.next()) {
        EventReader event = cursor.event();
        sum = sum * 31 + event.sequence() + event.time() + event.get(Field.RIP, -1);
        count++;
      }
      return new Sum(count, sum);
    }
  }

  /** Reads the parts, the last one first, and puts them together. */
  private static Sum readParts(StreamParts parts) {
    Sum[] sums = new Sum[parts.size()];
    long power = 1;
    for (int i = parts.size() - 1; i >= 0; i--) {
      assertThat(parts.bytes(i)).isPositive();
      sums[i] = new Sum(0, 0).read(parts.cursor(i));
    }
    Sum all = new Sum(0, 0);
    for (Sum sum : sums) {
      power = 1;
      for (long n = 0; n < sum.events; n++) {
        power *= 31;
      }
      all = new Sum(all.events + sum.events, all.digest * power + sum.digest);
    }
    return all;
  }

  @Test
  void partsGiveWhatTheStreamGives() throws Exception {
    TraceReader trace = TraceReader.open(dir);
    Sum whole = new Sum(0, 0).read(trace.stream(0));
    assertThat(whole.events()).isEqualTo(EVENTS);
    long size = Files.size(queue);
    for (long bytes : new long[] {1, 100_000, 300_000, size / 2, size, Long.MAX_VALUE / 4}) {
      StreamParts parts = trace.parts(0, bytes);
      assertThat(readParts(parts)).isEqualTo(whole);
      assertThat(parts.anomalies().orElseThrow().toMap()).isEmpty();
    }
    assertThat(trace.parts(0, 1).size()).isGreaterThan(8);
    assertThat(trace.parts(0, size / 2).size()).isEqualTo(2);
    assertThat(trace.parts(0, size).size()).isEqualTo(1);
    assertThat(trace.parts(EventReader.NO_VCPU, 1).size()).isEqualTo(1);
  }

  @Test
  void aStreamFromATimeOnHasAllThatHappensFromThenOn() throws Exception {
    int events = 5 * EVENTS;
    TraceReader trace = TraceReader.open(record("long", events));
    List<Long> times = new ArrayList<>();
    EventCursor whole = trace.stream(0);
    while (whole.next()) {
      times.add(whole.event().time());
    }
    long first = times.get(0);
    long last = times.get(times.size() - 1);
    long fewest = Long.MAX_VALUE;
    for (int i = -1; i <= 20; i++) {
      long time = first + (last - first) * i / 20;
      long expected = times.stream().filter(when -> when >= time).count();
      long found = 0;
      long read = 0;
      EventCursor cursor = trace.stream(0, time);
      while (cursor.next()) {
        read++;
        found += cursor.event().time() >= time ? 1 : 0;
      }
      assertThat(found).isEqualTo(expected);
      fewest = Math.min(fewest, read);
    }
    // What is long before is not read.
    assertThat(fewest).isLessThan(events / 2);
  }

  @Test
  void damagedStreamsGiveTheSameOrSayThatTheyHaveToBeReadAtOnce() throws Exception {
    long seed = Long.getLong("trapscope.seed", System.nanoTime());
    Random random = new Random(seed);
    byte[] sound = Files.readAllBytes(queue);
    int refused = 0;
    for (int i = 0; i < DAMAGES; i++) {
      Files.write(queue, damaged(sound, random));
      TraceReader trace = TraceReader.open(dir);
      EventCursor cursor = trace.stream(0);
      Sum whole = new Sum(0, 0).read(cursor);
      StreamParts parts = trace.parts(0, 1 + random.nextInt(sound.length));
      Sum sum = readParts(parts);
      Optional<Anomalies> anomalies = parts.anomalies();
      if (anomalies.isEmpty()) {
        refused++;
      } else {
        String what = "seed " + seed + ", damage " + i;
        assertThat(sum).as(what).isEqualTo(whole);
        assertThat(anomalies.get().toMap()).as(what).isEqualTo(cursor.anomalies().toMap());
      }
    }
    assertThat(refused).as("seed " + seed).isLessThan(DAMAGES / 2);
  }

  private static byte[] damaged(byte[] sound, Random random) {
    byte[] bytes = sound.clone();
    int at = random.nextInt(bytes.length);
    switch (random.nextInt(4)) {
      case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 8), (byte) random.nextInt());
      case 2 -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 250_000), (byte) 0);
      default -> {
        // Where the document and the batch begin.
        int header = headerAt(bytes, at);
        bytes[header + random.nextInt(44)] ^= (byte) (1 << random.nextInt(8));
        bytes = random.nextBoolean() ? bytes : Arrays.copyOf(bytes, at);
      }
    }
    return bytes;
  }

  /** The document of the first batch after {@code at}, or of the first of all. */
  private static int headerAt(byte[] bytes, int at) {
    for (int i = at & -4; i < bytes.length - 48; i += 4) {
      if (bytes[i + 4] == 'T' && bytes[i + 5] == 'S' && bytes[i + 6] == 'B') {
        return i;
      }
    }
    return headerAt(bytes, 0);
  }

  @Test
  void missingStreamIsOnePart() throws IOException, TraceException {
    Files.delete(queue);
    StreamParts parts = TraceReader.open(dir).parts(0, 1);
    assertThat(parts.size()).isEqualTo(1);
    assertThat(parts.cursor(0).next()).isFalse();
    assertThat(parts.anomalies().orElseThrow().count(Anomaly.MISSING_STREAM)).isEqualTo(1);
    assertThat(parts.anomalies().orElseThrow().count(Anomaly.MISSING_AT_END)).isEqualTo(EVENTS);
  }
}
