package io.trapscope.analyzer.notebooks;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.trapscope.analyzer.bench.SyntheticTrace;
import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.TableFormat;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NotebooksTest {
  @TempDir Path directory;

  private static List<Path> notebooks() throws IOException {
    try (Stream<Path> files = Files.list(PythonEnvironment.ROOT.resolve("notebooks"))) {
      return files.filter(path -> path.toString().endsWith(".ipynb")).sorted().toList();
    }
  }

  /** What a run printed belongs to whoever ran it: the sources hold none of it. */
  @Test
  void sourcesCarryNoOutputs() throws IOException {
    assertThat(notebooks()).isNotEmpty();
    for (Path notebook : notebooks()) {
      int cells = 0;
      try (JsonParser json = new JsonFactory().createParser(notebook.toFile())) {
        while (json.nextToken() != null) {
          if (json.currentToken() != JsonToken.FIELD_NAME) {
            continue;
          }
          String name = json.currentName();
          if (name.equals("outputs")) {
            cells++;
            assertThat(json.nextToken()).isEqualTo(JsonToken.START_ARRAY);
            assertThat(json.nextToken())
                .as(notebook.getFileName() + " has outputs")
                .isEqualTo(JsonToken.END_ARRAY);
          } else if (name.equals("execution_count")) {
            assertThat(json.nextToken())
                .as(notebook.getFileName() + " counts executions")
                .isEqualTo(JsonToken.VALUE_NULL);
          }
        }
      }
      assertThat(cells).isPositive();
    }
  }

  @Test
  void everyCellRunsAndDraws() throws IOException, InterruptedException, TraceException {
    PythonEnvironment.python();
    Path trace = directory.resolve("trace");
    Path tables = directory.resolve("tables");
    Path output = directory.resolve("output");
    SyntheticTrace.write(trace, 20_000, 2);
    Analysis.run(TraceReader.open(trace), Reports.all(), 2).write(tables, TableFormat.ARROW);
    String text = PythonEnvironment.run(300, "notebooks/run", tables.toString(), output.toString());
    Map<String, Integer> charts =
        Map.of("first-look", 3, "boot-hotspots", 2, "ept-faults", 3, "larger-than-memory", 1);
    assertThat(notebooks()).hasSameSizeAs(charts.keySet());
    charts.forEach(
        (name, count) -> {
          assertThat(text).contains(name + ".ipynb: " + count + " charts");
          assertThat(output.resolve(name + ".ipynb")).isNotEmptyFile();
          for (int chart = 1; chart <= count; chart++) {
            assertThat(output.resolve(name + "-" + chart + ".png")).isNotEmptyFile();
          }
        });
  }
}
