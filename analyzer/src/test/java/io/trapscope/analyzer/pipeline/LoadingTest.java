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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The first table does not wait for classes it does not need: reading a trace and printing tables
 * loads neither Arrow nor Chronicle.
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

  @Test
  void printingTablesLoadsNeitherArrowNorChronicle()
      throws IOException, InterruptedException, TraceException {
    Path trace = directory.resolve("trace");
    SyntheticTrace.write(trace, 1000, 1);
    assertThat(loaded(trace.toString()))
        .isNotEmpty()
        .noneMatch(name -> name.startsWith("org.apache.arrow"))
        .noneMatch(name -> name.startsWith("net.openhft"))
        .noneMatch(name -> name.startsWith("io.netty"));
    // The same with files loads Arrow: the check above would see it.
    assertThat(loaded(trace.toString(), directory.resolve("tables").toString()))
        .anyMatch(name -> name.startsWith("org.apache.arrow"));
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
