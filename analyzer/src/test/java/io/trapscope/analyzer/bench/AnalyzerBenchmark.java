package io.trapscope.analyzer.bench;

import io.trapscope.analyzer.arrow.ArrowTableWriter;
import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.TableFormat;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Events and rows a second, all on one thread, over a synthetic trace of one vCPU. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class AnalyzerBenchmark {
  private static final int EVENTS = 2_000_000;

  /** The columns that every exit fills. */
  private static final TableSchema COMMON =
      new TableSchema(
          "common",
          "Common",
          "an exit",
          List.of(
              Column.count("sequence", "number in its stream"),
              Column.of("vcpu", ColumnType.UINT16, Unit.NONE, "vCPU"),
              Column.of("time", ColumnType.TIMESTAMP, Unit.NANOSECONDS, "time"),
              Column.words("reason", List.of("A", "B", "C"), "reason"),
              Column.address("rip", "guest RIP"),
              Column.duration("guest_ns", "guest time"),
              Column.duration("handling_ns", "handling time")));

  private Path directory;
  private Path output;
  private TraceReader trace;

  @Setup
  public void write() throws IOException, TraceException {
    Path parent = Path.of(System.getProperty("trapscope.bench.dir", "target"));
    directory = Files.createTempDirectory(Files.createDirectories(parent), "analyzer");
    output = directory.resolve("out");
    SyntheticTrace.write(directory.resolve("trace"), EVENTS, 1);
    trace = TraceReader.open(directory.resolve("trace"));
  }

  /** A file that is written anew is not the file that was written before. */
  @Setup(Level.Invocation)
  public void clearOutput() throws IOException {
    delete(output);
    Files.createDirectories(output);
  }

  @TearDown
  public void clear() throws IOException {
    delete(directory);
  }

  private static void delete(Path root) throws IOException {
    if (Files.exists(root)) {
      try (Stream<Path> tree = Files.walk(root)) {
        for (Path path : (Iterable<Path>) tree.sorted(Comparator.reverseOrder())::iterator) {
          Files.delete(path);
        }
      }
    }
  }

  /** Reads the trace and makes exit_histogram. */
  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public long histogram() {
    return run("exit_histogram");
  }

  /** Reads the trace and makes exit_latency: four HdrHistograms an event. */
  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public long latency() {
    return run("exit_latency");
  }

  /** Reads the trace and makes every bounded table. */
  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public long allReports() {
    return Analysis.run(trace, Reports.all(), 1).info().events();
  }

  private long run(String report) {
    return Analysis.run(trace, List.of(Reports.named(report)), 1).info().events();
  }

  /** Writes rows of seven columns that are never null; no trace is read. */
  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public long arrowSevenColumns() throws IOException {
    try (ArrowTableWriter writer = new ArrowTableWriter(output, COMMON, Map.of())) {
      for (int row = 0; row < EVENTS; row++) {
        writer.number(0, row);
        writer.number(1, row & 1);
        writer.number(2, 1_767_323_045_000_000_000L + row);
        writer.number(3, row % 3);
        writer.number(4, 0xffff_ffff_8100_0000L + row);
        writer.number(5, row & 0xffff);
        writer.number(6, row & 0xff);
        writer.endRow();
      }
      writer.finish();
      writer.commit();
      return writer.rows();
    }
  }

  /** Reads the trace twice: for its info, then for exits.arrow with all its columns. */
  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public int exitsArrow() throws IOException {
    return exits(TableFormat.ARROW);
  }

  /** The same as Parquet. */
  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public int exitsParquet() throws IOException {
    return exits(TableFormat.PARQUET);
  }

  /** The same as CSV. */
  @Benchmark
  @OperationsPerInvocation(EVENTS)
  public int exitsCsv() throws IOException {
    return exits(TableFormat.CSV);
  }

  private int exits(TableFormat format) throws IOException {
    return Analysis.run(trace, List.of(Reports.named("exits")), 1).write(output, format).size();
  }
}
