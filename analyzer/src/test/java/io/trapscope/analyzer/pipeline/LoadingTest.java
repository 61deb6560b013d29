package io.trapscope.analyzer.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.bench.SyntheticTrace;
import io.trapscope.analyzer.notebooks.PythonEnvironment;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The first table does not wait for classes it does not need: reading a trace and printing tables
 * loads no library for files, and of ours nothing that writes files or pages.
 */
class LoadingTest {
  @TempDir Path directory;

  /** What the test's child runs: analyzes the trace and prints. */
  public static final class Child {
    private Child() {}

    public static void main(String[] arguments) throws IOException, TraceException {
      TraceReader trace = TraceReader.open(Path.of(arguments[0]));
      Results results = Analysis.run(trace, Reports.all(), 2);
      results.writeText(new OutputStreamWriter(System.out, StandardCharsets.UTF_8), 80);
      if (arguments.length > 1) {
        results.write(Path.of(arguments[1]), TableFormat.ARROW);
      }
    }
  }

  /** What only files and pages need, each with a class of it that is there to be loaded. */
  private static final Map<String, String> FOR_FILES =
      Map.of(
          "org.apache.arrow.", "org.apache.arrow.vector.BigIntVector",
          "org.apache.parquet.", "org.apache.parquet.format.RowGroup",
          "com.github.luben.zstd.", "com.github.luben.zstd.ZstdCompressCtx",
          "io.trapscope.analyzer.arrow.", "io.trapscope.analyzer.arrow.ArrowTableWriter",
          "io.trapscope.analyzer.parquet.", "io.trapscope.analyzer.parquet.ParquetTableWriter",
          "io.trapscope.analyzer.csv.", "io.trapscope.analyzer.csv.CsvTableWriter",
          "io.trapscope.analyzer.html.", "io.trapscope.analyzer.html.ReportPage",
          "io.trapscope.analyzer.perfetto.", "io.trapscope.analyzer.perfetto.PerfettoTrace",
          "io.trapscope.analyzer.compare.", "io.trapscope.analyzer.compare.Recordings");

  @Test
  void printingTablesLoadsNothingForFiles()
      throws IOException, InterruptedException, TraceException, ClassNotFoundException {
    Path trace = directory.resolve("trace");
    SyntheticTrace.write(trace, 1000, 1);
    List<String> printing = loaded(trace.toString());
    assertThat(printing).anyMatch(name -> name.startsWith("io.trapscope.analyzer.table."));
    for (Map.Entry<String, String> each : FOR_FILES.entrySet()) {
      Class.forName(each.getValue(), false, getClass().getClassLoader());
      assertThat(each.getValue()).startsWith(each.getKey());
      assertThat(printing).noneMatch(name -> name.startsWith(each.getKey()));
    }
    // The same with files loads Arrow: the check above would see it.
    assertThat(loaded(trace.toString(), directory.resolve("tables").toString()))
        .anyMatch(name -> name.startsWith("org.apache.arrow."));
  }

  /** Names of all classes that the child loaded. */
  private List<String> loaded(String... arguments) throws IOException, InterruptedException {
    Path log = directory.resolve("loaded");
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    String[] command =
        new String[] {
          java,
          "-Xlog:class+load:file=" + log + "::filecount=0",
          "--add-opens=java.base/java.nio=ALL-UNNAMED",
          "-cp",
          System.getProperty("java.class.path"),
          Child.class.getName()
        };
    String[] all = new String[command.length + arguments.length];
    System.arraycopy(command, 0, all, 0, command.length);
    System.arraycopy(arguments, 0, all, command.length, arguments.length);
    assertThat(PythonEnvironment.run(60, all)).contains("Exits by reason");
    return Files.readAllLines(log).stream()
        .map(line -> line.substring(line.lastIndexOf(']') + 1).trim())
        .toList();
  }
}
