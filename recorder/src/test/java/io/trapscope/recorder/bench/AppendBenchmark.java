package io.trapscope.recorder.bench;

import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.recorder.trace.TestTraces;
import io.trapscope.recorder.trace.TraceEnd;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Appends port accesses with all their fields to a real trace.
 *
 * <p>Design note. {@link #timed} times every event itself: JMH's sample mode takes every 2^n-th,
 * and 1,024 records of 60 bytes are 15 pages exactly, so that its samples see either every first
 * touch of a page or none.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class AppendBenchmark {
  private static final int LONGEST = 1 << 20;

  /** Events by the nanoseconds they took; the last bucket is "that or longer". */
  private final long[] buckets = new long[LONGEST + 1];

  private Path directory;
  private TraceWriter writer;
  private ExitSink sink;
  private long n;

  /** A new trace an iteration, so that the disk holds one at a time. */
  @Setup(Level.Iteration)
  public void open() throws IOException, TraceException {
    Path parent = Path.of(System.getProperty("trapscope.bench.dir", "target"));
    directory = Files.createTempDirectory(Files.createDirectories(parent), "append");
    writer = TraceWriter.create(directory, false, TestTraces.header(1));
    sink = writer.vcpu(0);
    n = 0;
    Arrays.fill(buckets, 0);
  }

  /** Ends the trace and prints what an event took. */
  @TearDown(Level.Iteration)
  public void close() throws IOException, TraceException {
    TraceEnd end = writer.finish(RunEnd.HALTED, 0, "");
    System.out.printf(
        "[%d events, %d lost, disk %.3f bytes an event", end.events(), end.lost(), disk(end));
    if (Arrays.stream(buckets).sum() > 0) {
      System.out.printf(
          ", p50 %d p99 %d p99.9 %d p99.99 %d ns",
          percentile(0.5), percentile(0.99), percentile(0.999), percentile(0.9999));
    }
    System.out.print("] ");
    try (Stream<Path> tree = Files.walk(directory)) {
      for (Path path : (Iterable<Path>) tree.sorted(Comparator.reverseOrder())::iterator) {
        Files.delete(path);
      }
    }
  }

  private static double disk(TraceEnd end) {
    return (double) end.bytes() / end.events();
  }

  private long percentile(double share) {
    long below = (long) (share * Arrays.stream(buckets).sum());
    int nanos = 0;
    for (long seen = buckets[0]; seen <= below && nanos < LONGEST; seen += buckets[nanos]) {
      nanos++;
    }
    return nanos;
  }

  /** The mean of an event. */
  @Benchmark
  public void append() {
    TestTraces.write(sink, n++);
  }

  /** Every event's time, which includes reading the clock. */
  @Benchmark
  public void timed() {
    long start = System.nanoTime();
    TestTraces.write(sink, n++);
    long nanos = System.nanoTime() - start;
    buckets[(int) Math.min(nanos, LONGEST)]++;
  }
}
