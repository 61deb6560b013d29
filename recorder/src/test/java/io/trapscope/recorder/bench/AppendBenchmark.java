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
 * Appends port accesses with all their fields to a real trace. {@code sample} gives the percentiles
 * (which include reading the clock twice), {@code average} the mean without that.
 */
@State(Scope.Thread)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class AppendBenchmark {
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
  }

  /** Ends the trace and prints what an event takes on disk. */
  @TearDown(Level.Iteration)
  public void close() throws IOException, TraceException {
    TraceEnd end = writer.finish(RunEnd.HALTED, 0, "");
    System.out.printf(
        "[%d events, %d lost, %.3f bytes an event] ",
        end.events(), end.lost(), (double) end.bytes() / end.events());
    try (Stream<Path> tree = Files.walk(directory)) {
      for (Path path : (Iterable<Path>) tree.sorted(Comparator.reverseOrder())::iterator) {
        Files.delete(path);
      }
    }
  }

  @Benchmark
  @BenchmarkMode(Mode.SampleTime)
  public void sample() {
    TestTraces.write(sink, n++);
  }

  @Benchmark
  @BenchmarkMode(Mode.AverageTime)
  public void average() {
    TestTraces.write(sink, n++);
  }
}
