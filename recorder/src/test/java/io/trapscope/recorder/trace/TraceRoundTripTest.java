package io.trapscope.recorder.trace;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.LossCause;
import io.trapscope.recorder.event.RunEnd;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceRoundTripTest {
  @TempDir Path temp;

  private Path dir() {
    return temp.resolve("t");
  }

  @Test
  void everyEventComesBackInOrderAndTheEndIsClean() throws Exception {
    int n = 300_000;
    try (TraceWriter writer = TraceWriter.create(dir(), false, TestTraces.header(1))) {
      for (int i = 0; i < n; i++) {
        TestTraces.write(writer.vcpu(0), i);
      }
      assertThat(writer.events()).isEqualTo(n);
      TraceEnd end = writer.finish(RunEnd.HALTED, 0, "done");
      assertThat(end.events()).isEqualTo(n);
      assertThat(end.bytes() / (double) n).isLessThanOrEqualTo(64);
    }
    TraceReader reader = TraceReader.open(dir());
    EventCursor cursor = reader.merged();
    long seen = 0;
    while (cursor.next()) {
      assertThat(TestTraces.check(cursor.event(), seen)).isTrue();
      assertThat(cursor.event().sequence()).isEqualTo(seen);
      assertThat(cursor.event().vcpu()).isZero();
      seen++;
    }
    assertThat(seen).isEqualTo(n);
    assertThat(cursor.anomalies().toMap()).isEmpty();
    assertThat(reader.end().orElseThrow().how()).isEqualTo(RunEnd.HALTED);
    assertThat(reader.end().orElseThrow().text()).isEqualTo("done");
    assertThat(reader.header()).isEqualTo(TestTraces.header(1));
  }

  @Test
  void countersOfBeginAndEndComeBack() throws Exception {
    List<Counter> start =
        List.of(
            Counter.count("vm", "exits", 5),
            new Counter(
                "vcpu-0",
                "wait_hist",
                Counter.Kind.LINEAR_HISTOGRAM,
                Counter.Unit.SECONDS,
                2,
                -9,
                500,
                List.of(0L, 7L, -1L)));
    List<Counter> end = List.of(Counter.count("vm", "exits", 8));
    TraceHeader header = TraceHeader.builder().counters(start).build();
    try (TraceWriter writer = TraceWriter.create(dir(), false, header)) {
      writer.finish(RunEnd.HALTED, 0, "", end);
    }
    TraceReader reader = TraceReader.open(dir());
    assertThat(reader.header().counters()).isEqualTo(start);
    assertThat(reader.end().orElseThrow().counters()).isEqualTo(end);
  }

  @Test
  void streamsMergeByTimeThenStream() throws Exception {
    try (TraceWriter writer = TraceWriter.create(dir(), false, TestTraces.header(2))) {
      at(writer.vcpu(0), 10);
      at(writer.vcpu(0), 30);
      at(writer.vcpu(0), 31);
      at(writer.vcpu(1), 10);
      at(writer.vcpu(1), 20);
      at(writer.vcpu(1), 30);
      at(writer.other(), 5);
      at(writer.other(), 30);
      at(writer.other(), 40);
      writer.finish(RunEnd.RESET, 0, "");
    }
    List<String> order = new ArrayList<>();
    TraceReader.open(dir())
        .merged()
        .forEach(e -> order.add(e.time() + ":" + (e.has(Field.VCPU) ? e.vcpu() : "other")));
    assertThat(order)
        .containsExactly(
            "5:other", "10:0", "10:1", "20:1", "30:0", "30:1", "30:other", "31:0", "40:other");
  }

  private static void at(ExitSink sink, long time) {
    sink.claim(EventType.HLT).put(Field.TIME, time);
    sink.commit();
  }

  /** Times and counts that do not fit 32 bits from the base, also backwards, stay exact. */
  @Test
  void largeStepsStartNewBatchesAndStayExact() throws Exception {
    long[] times = {5, 5 + (1L << 32) - 1, 5 + (1L << 32), 1L << 40, 1L << 39, Long.MAX_VALUE - 1};
    long[] counts = {1L << 50, 1L << 50, 0, 3, 1L << 33, 1L << 62};
    try (TraceWriter writer = TraceWriter.create(dir(), false, TestTraces.header(1))) {
      for (int i = 0; i < times.length; i++) {
        writer.vcpu(0).claim(EventType.CPUID).put(Field.TIME, times[i]).put(Field.LEAF, i);
        writer.vcpu(0).commit();
        writer
            .vcpu(0)
            .claim(EventType.CPUID)
            .put(Field.TIME, times[i])
            .put(Field.INSTRUCTIONS, counts[i])
            .put(Field.EAX, i);
        writer.vcpu(0).commit();
      }
      writer.finish(RunEnd.HALTED, 0, "");
    }
    EventCursor cursor = TraceReader.open(dir()).stream(0);
    for (int i = 0; i < times.length; i++) {
      assertThat(cursor.next()).isTrue();
      assertThat(cursor.event().time()).isEqualTo(times[i]);
      assertThat(cursor.event().has(Field.INSTRUCTIONS)).isFalse();
      assertThat(cursor.event().get(Field.LEAF)).isEqualTo(i);
      assertThat(cursor.next()).isTrue();
      assertThat(cursor.event().time()).isEqualTo(times[i]);
      assertThat(cursor.event().get(Field.INSTRUCTIONS)).isEqualTo(counts[i]);
      assertThat(cursor.event().get(Field.EAX)).isEqualTo(i);
    }
    assertThat(cursor.next()).isFalse();
    assertThat(cursor.anomalies().toMap()).containsOnlyKeys(Anomaly.TIME_BACKWARDS);
  }

  @Test
  void payloadsOfEveryLengthSurviveBatchBoundaries() throws Exception {
    int n = 3000;
    try (TraceWriter writer = TraceWriter.create(dir(), false, TestTraces.header(1))) {
      for (int i = 0; i < n; i++) {
        byte[] data = payload(i);
        writer
            .other()
            .claim(EventType.CONSOLE_OUTPUT)
            .put(Field.TIME, i)
            .putBytes(Field.DATA, data, 0, data.length);
        writer.other().commit();
      }
      writer.finish(RunEnd.POWER_OFF, 0, "");
    }
    EventCursor cursor = TraceReader.open(dir()).stream(EventReader.NO_VCPU);
    for (int i = 0; i < n; i++) {
      assertThat(cursor.next()).isTrue();
      assertThat(cursor.event().getBytes(Field.DATA)).isEqualTo(payload(i));
    }
    assertThat(cursor.next()).isFalse();
    assertThat(cursor.anomalies().toMap()).isEmpty();
  }

  private static byte[] payload(int i) {
    byte[] data = new byte[i * 37 % 4097];
    for (int k = 0; k < data.length; k++) {
      data[k] = (byte) (i + k);
    }
    return data;
  }

  @Test
  void eventsThatNeverReachedTheSinkLeaveAHoleInTheNumbers() throws Exception {
    try (TraceWriter writer = TraceWriter.create(dir(), false, TestTraces.header(1))) {
      TestTraces.write(writer.vcpu(0), 0);
      writer.addLost(writer.vcpu(0), 5, LossCause.OVERRUN);
      TestTraces.write(writer.vcpu(0), 6);
      assertThat(writer.lost()).isEqualTo(5);
      TraceEnd end = writer.finish(RunEnd.HALTED, 0, "");
      assertThat(end.streams().get(0).cause()).isEqualTo(LossCause.OVERRUN);
    }
    EventCursor cursor = TraceReader.open(dir()).merged();
    List<Long> sequence = new ArrayList<>();
    cursor.forEach(event -> sequence.add(event.sequence()));
    assertThat(sequence).containsExactly(0L, 6L);
    assertThat(cursor.anomalies().count(Anomaly.MISSING_EVENTS)).isEqualTo(5);
    assertThat(cursor.anomalies().count(Anomaly.LOST_EVENTS)).isEqualTo(5);
    assertThat(cursor.anomalies().isIncomplete()).isTrue();
  }

  @Test
  void aTraceThatIsStillBeingWrittenCanBeRead() throws Exception {
    try (TraceWriter writer = TraceWriter.create(dir(), false, TestTraces.header(1))) {
      long written = 0;
      for (int round : new int[] {0, 1, 2, 10, 5000, 20_000}) {
        while (written < round) {
          TestTraces.write(writer.vcpu(0), written++);
        }
        // Claimed and not committed: not there.
        writer.vcpu(0).claim(EventType.PIO).put(Field.TIME, 1).put(Field.VALUE, -1);
        EventCursor cursor = TraceReader.open(dir()).merged();
        long seen = 0;
        while (cursor.next()) {
          assertThat(TestTraces.check(cursor.event(), seen++)).isTrue();
        }
        assertThat(seen).isEqualTo(written);
        assertThat(cursor.anomalies().toMap().keySet())
            .containsAnyOf(Anomaly.UNCLEAN_END)
            .isSubsetOf(Anomaly.UNCLEAN_END, Anomaly.SALVAGED_EVENTS);
      }
    }
  }

  @Test
  void aSmallTraceIsSmallAndHoldsNothingButItsFiles() throws Exception {
    try (TraceWriter writer = TraceWriter.create(dir(), false, TestTraces.header(1))) {
      for (int i = 0; i < 10; i++) {
        TestTraces.write(writer.vcpu(0), i);
      }
      writer.finish(RunEnd.HALTED, 0, "");
    }
    List<String> files = new ArrayList<>();
    long bytes = 0;
    try (Stream<Path> tree = Files.walk(dir())) {
      for (Path file : (Iterable<Path>) tree.filter(Files::isRegularFile)::iterator) {
        files.add(dir().relativize(file).toString().replaceAll("[0-9]{8}L", "DAY"));
        bytes += Files.size(file);
      }
    }
    assertThat(files)
        .containsExactlyInAnyOrder(
            "trace.json",
            "end.json",
            "vcpu-0/DAY.cq4",
            "vcpu-0/metadata.cq4t",
            "other/DAY.cq4",
            "other/metadata.cq4t");
    assertThat(bytes).isLessThan(20_000);
  }

  /**
   * An event type of a newer version is skipped by its length, counted, and nothing else suffers.
   */
  @Test
  void eventsOfUnknownTypesAreSkippedAndCounted() throws Exception {
    try (TraceWriter writer = TraceWriter.create(dir(), false, TestTraces.header(1))) {
      for (int i = 0; i < 10; i++) {
        TestTraces.write(writer.vcpu(0), i);
      }
      writer.finish(RunEnd.HALTED, 0, "");
    }
    Path file;
    try (Stream<Path> entries = Files.list(dir().resolve("vcpu-0"))) {
      file = entries.filter(path -> path.toString().endsWith(".cq4")).findFirst().orElseThrow();
    }
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 3 * 60] = (byte) 200;
    Files.write(file, bytes);
    EventCursor cursor = TraceReader.open(dir()).merged();
    List<Long> sequence = new ArrayList<>();
    cursor.forEach(event -> sequence.add(event.sequence()));
    assertThat(sequence).containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L, 8L, 9L);
    assertThat(cursor.anomalies().count(Anomaly.UNKNOWN_EVENTS)).isOne();
    assertThat(cursor.anomalies().count(Anomaly.BAD_CHECKSUM)).isOne();
  }
}
