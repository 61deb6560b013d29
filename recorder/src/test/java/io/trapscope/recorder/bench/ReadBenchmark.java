package io.trapscope.recorder.bench;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.TestTraces;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceReader;
import io.trapscope.recorder.trace.TraceWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Reads a trace of 4 M port accesses, checksums verified, on one core. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class ReadBenchmark {
  private static final int EVENTS = 4_000_000;

  private Path directory;
  private TraceReader reader;

  @Setup
  public void write() throws IOException, TraceException {
    Path parent = Path.of(System.getProperty("trapscope.bench.dir", "target"));
    directory = Files.createTempDirectory(Files.createDirectories(parent), "read");
    try (TraceWriter writer = TraceWriter.create(directory, false, TestTraces.header(1))) {
      for (int i = 0; i < EVENTS; i++) {
        TestTraces.write(writer.vcpu(0), i);
      }
      writer.finish(RunEnd.HALTED, 0, "");
    }
    reader = TraceReader.open(directory);
  }

  @TearDown
  public void delete() throws IOException {
    try (Stream<Path> tree = Files.walk(directory)) {
      for (Path path : (Iterable<Path>) tree.sorted(Comparator.reverseOrder())::iterator) {
        Files.delete(path);
      }
    }
  }

  /** Counts events by exit reason, and nothing else. */
  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public long[] countReasons() {
    long[] counts = new long[256];
    EventCursor cursor = reader.merged();
    while (cursor.next()) {
      counts[cursor.event().reasonCode() & 0xff]++;
    }
    return counts;
  }

  /** A histogram a reason of the device's time, in powers of two, with totals. */
  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public long[][] histogram() {
    long[][] buckets = new long[256][66];
    EventCursor cursor = reader.merged();
    while (cursor.next()) {
      EventReader event = cursor.event();
      long[] row = buckets[event.reasonCode() & 0xff];
      long nanos =
          event.get(Field.LOOP_TIME, 0)
              + event.get(Field.DISPATCH_TIME, 0)
              + event.get(Field.DEVICE_TIME, 0);
      row[64 - Long.numberOfLeadingZeros(nanos)]++;
      row[65] += nanos;
    }
    return buckets;
  }

  /** Reads every field that a port access has. */
  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public long everyField() {
    long sum = 0;
    EventCursor cursor = reader.merged();
    while (cursor.next()) {
      EventReader event = cursor.event();
      sum += event.time() + event.get(Field.GUEST_TIME, 0) + event.get(Field.RIP, 0);
      sum += event.get(Field.INSTRUCTIONS, 0) + event.get(Field.LOOP_TIME, 0);
      sum += event.get(Field.DISPATCH_TIME, 0) + event.get(Field.DEVICE_TIME, 0);
      sum += event.get(Field.REASON, 0) + event.get(Field.KVM_EXIT, 0) + event.get(Field.MODE, 0);
      sum += event.get(Field.CPL, 0) + event.get(Field.DIRECTION, 0) + event.get(Field.SIZE, 0);
      sum += event.get(Field.PORT, 0) + event.get(Field.COUNT, 0) + event.get(Field.VALUE, 0);
    }
    return sum;
  }
}
