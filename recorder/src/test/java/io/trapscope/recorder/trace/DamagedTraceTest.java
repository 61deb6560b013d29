package io.trapscope.recorder.trace;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.recorder.event.Wire;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged traces: reading ends, throws nothing but {@code TraceException}, and either gives the
 * same events as before or counts an anomaly.
 */
@Timeout(120)
class DamagedTraceTest {
  private static final int EVENTS = 7000;
  private static final int DAMAGES = Integer.getInteger("trapscope.damages", 3000);

  @TempDir Path temp;
  private Path dir;
  private final Map<Path, byte[]> files = new TreeMap<>();
  private long[] whole;

  @BeforeEach
  void record() throws Exception {
    dir = temp.resolve("t");
    try (TraceWriter writer = TraceWriter.create(dir, false, TestTraces.header(1))) {
      byte[] data = new byte[300];
      Arrays.fill(data, (byte) 'x');
      for (int i = 0; i < EVENTS; i++) {
        TestTraces.write(writer.vcpu(0), i);
        if (i % 50 == 0) {
          ExitSink sink = i % 100 == 0 ? writer.other() : writer.vcpu(0);
          sink.claim(EventType.CONSOLE_OUTPUT)
              .put(Field.TIME, TestTraces.BASE_TIME + i * 1000L)
              .putBytes(Field.DATA, data, 0, i % 300);
          sink.commit();
        }
      }
      writer.finish(RunEnd.HALTED, 0, "");
    }
    try (Stream<Path> tree = Files.walk(dir)) {
      for (Path file : (Iterable<Path>) tree.filter(Files::isRegularFile)::iterator) {
        files.put(file, Files.readAllBytes(file));
      }
    }
    Outcome outcome = read();
    assertThat(outcome.anomalies.toMap()).isEmpty();
    whole = outcome.digest;
  }

  private static final class Outcome {
    Anomalies anomalies;

    /** Events, and a sum over everything that can be read of them, in order. */
    long[] digest = new long[2];
  }

  private Outcome read() throws TraceException {
    Outcome outcome = new Outcome();
    EventCursor cursor = TraceReader.open(dir).merged();
    long sum = 0;
    while (cursor.next()) {
      EventReader event = cursor.event();
      for (Field field : EventLayout.of(event.type()).fields()) {
        if (field.wire() == Wire.BYTES) {
          sum = sum * 31 + Arrays.hashCode(event.getBytes(field));
        } else if (event.has(field)) {
          sum = sum * 31 + event.get(field);
          field.render(event.get(field));
        }
      }
      outcome.digest[0]++;
      assertThat(outcome.digest[0]).isLessThan(10 * EVENTS);
    }
    outcome.digest[1] = sum;
    outcome.anomalies = cursor.anomalies();
    return outcome;
  }

  /** Events that are not there at the end are noticed also by who reads no more than that. */
  private void expectShort(Path file, byte[] cut, String what) throws Exception {
    Files.write(file, cut);
    try {
      boolean fewer = read().digest[0] < whole[0];
      if (fewer) {
        assertThat(TraceReader.open(dir).anomaliesAtEnds().isIncomplete()).as(what).isTrue();
      }
    } finally {
      Files.write(file, files.get(file));
    }
  }

  /** Reads the damaged trace and puts the file back. */
  private void expectNoticed(Path file, byte[] damaged, String what) throws IOException {
    Files.write(file, damaged);
    try {
      Outcome outcome = read();
      boolean json = file.toString().endsWith(".json");
      if (!json && !Arrays.equals(outcome.digest, whole)) {
        assertThat(outcome.anomalies.isIncomplete()).as(what).isTrue();
      }
    } catch (TraceException e) {
      assertThat(e.getMessage()).as(what).isNotBlank().doesNotContain("\n");
    } catch (RuntimeException e) {
      throw new AssertionError(what, e);
    } finally {
      Files.write(file, files.get(file));
    }
  }

  @Test
  void filesCutOffAnywhereAreNoticed() throws Exception {
    long seed = Long.getLong("trapscope.seed", System.nanoTime());
    Random random = new Random(seed);
    for (Path file : files.keySet()) {
      byte[] bytes = files.get(file);
      for (int i = 0; i < 200; i++) {
        int near = i < 100 ? Math.min(bytes.length, i) : random.nextInt(bytes.length + 1);
        int length = i >= 150 ? bytes.length - Math.min(bytes.length, i - 149) : near;
        String what = "seed " + seed + ": " + file + " cut to " + length;
        expectNoticed(file, Arrays.copyOf(bytes, length), what);
        if (!file.endsWith(TraceFormat.HEADER_FILE)) {
          expectShort(file, Arrays.copyOf(bytes, length), what);
        }
        byte[] longer = Arrays.copyOf(bytes, length + 1 + random.nextInt(100_000));
        expectNoticed(file, longer, what + " and zeros after it");
      }
    }
  }

  @Test
  void flippedBitsAndOverwrittenWordsAreNoticed() throws Exception {
    long seed = Long.getLong("trapscope.seed", System.nanoTime());
    Random random = new Random(seed);
    Path[] paths = files.keySet().toArray(new Path[0]);
    for (int i = 0; i < DAMAGES; i++) {
      Path file = paths[random.nextInt(paths.length)];
      byte[] bytes = files.get(file).clone();
      String what = "seed " + seed + ", damage " + i + " to " + file;
      // Half of them where the lengths and numbers are: the beginnings of files and batches.
      int at = random.nextInt(random.nextBoolean() ? bytes.length : Math.min(bytes.length, 2000));
      switch (i % 4) {
        case 0:
        case 1:
          bytes[at] ^= (byte) (1 << random.nextInt(8));
          break;
        case 2:
          for (int k = at; k < Math.min(bytes.length, at + 4); k++) {
            bytes[k] = (byte) random.nextInt();
          }
          break;
        default:
          int end = Math.min(bytes.length, at + random.nextInt(5000));
          Arrays.fill(bytes, at, end, (byte) (random.nextBoolean() ? 0 : 0xff));
          break;
      }
      expectNoticed(file, bytes, what + " at " + at);
    }
  }

  @Test
  void lostFilesAreNoticed() throws Exception {
    for (Path file : files.keySet()) {
      if (file.toString().endsWith("t") || file.endsWith(TraceFormat.HEADER_FILE)) {
        continue;
      }
      Files.delete(file);
      assertThat(read().anomalies.isIncomplete()).as(file.toString()).isTrue();
      Files.write(file, files.get(file));
    }
  }
}
