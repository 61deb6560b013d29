package io.trapscope.analyzer.compare;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.notebooks.PythonEnvironment;
import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.pipeline.TableFormat;
import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.Table;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordingsTest {
  private static final List<Report> REPORTS =
      List.of(Reports.named("exit_histogram"), Reports.named("hotspots"));

  @TempDir Path directory;

  private static final int UNTIMED = -1;

  /** A run with so many port writes and CPUID exits, each handled in so many ns. */
  private static Results run(int writes, int cpuids, int nanos) {
    MemoryTrace trace = new MemoryTrace(1);
    for (int i = 0; i < writes + cpuids; i++) {
      long time = 1000L * (i + 1);
      boolean write = i < writes;
      trace.add(
          0,
          write ? EventType.PIO : EventType.CPUID,
          event -> {
            event.put(Field.TIME, time);
            if (nanos != UNTIMED) {
              event.put(Field.DEVICE_TIME, nanos);
            }
            event.put(Field.REASON, (write ? ExitReason.IO_INSTRUCTION : ExitReason.CPUID).code());
            if (write) {
              event.put(Field.PORT, 0x3f8).put(Field.SIZE, 1);
            } else {
              event.put(Field.LEAF, 1);
            }
          });
    }
    return Analysis.run(trace, REPORTS, 1);
  }

  private static String text(List<Results> before, List<Results> after) throws IOException {
    StringWriter out = new StringWriter();
    new Recordings(before, after, List.of("target")).writeText(out, 0);
    return out.toString();
  }

  /** A run that attach has recorded where KVM does not tell of exits, against one of our own. */
  @Test
  void aTimeThatOneSideDoesNotTellIsNeitherNewNorGone() throws IOException {
    List<Results> timed = List.of(run(3, 2, 100), run(3, 2, 120));
    String text = text(timed, List.of(run(3, 2, UNTIMED), run(3, 0, UNTIMED)));
    assertThat(
            text.lines().filter(line -> line.contains("IO_INSTRUCTION") || line.contains("CPUID")))
        .map(line -> line.strip().replaceAll("  +", " | "))
        .containsExactly("IO_INSTRUCTION | 3 | 3 | 0 | same", "CPUID | 2 | 1 | -1 | same");
  }

  @Test
  void changesAreNamed() throws IOException {
    String text =
        text(
            List.of(run(100, 0, 1000), run(100, 0, 1010), run(100, 0, 990)),
            List.of(run(80, 5, 500), run(80, 5, 505), run(80, 5, 495)));
    assertThat(text)
        .contains("a: 3 recordings, b: 3 recordings")
        .containsPattern("IO_INSTRUCTION +100 +80 +-20 +less +100 us +40.0 us +-60.0 us +less")
        .containsPattern("CPUID +0 +5 +5 +new +0 ns +2.50 us +2.50 us +new")
        .containsPattern("port 0x3f8 +100 +80 +-20 +less")
        .containsPattern("cpuid 0x1.0 +0 +5 +5 +new")
        .contains("counts are exact")
        .contains("Welch");
  }

  @Test
  void oneRecordingASideHasExactCountsOnSoftAndNoIntervalOfTime() throws IOException {
    assertThat(text(List.of(run(100, 5, 1000)), List.of(run(100, 0, 900))))
        .containsPattern("IO_INSTRUCTION +100 +100 +0 +same +100 us +90.0 us +-10.0 us +unknown")
        .containsPattern("CPUID +5 +0 +-5 +gone")
        .contains("times have no interval");
  }

  /** So that the files of both can be joined: a size is a number here and there. */
  @Test
  void keysAreTheColumnsOfOneTrace() {
    List<Results> side = List.of(run(3, 2, 10));
    List<String> keys = List.of("size", "target", "vcpu");
    Table compared = new Recordings(side, side, keys).tables().get(1);
    Table hotspots = side.get(0).table("hotspots").orElseThrow();
    for (String key : keys) {
      Column column = compared.schema().columns().get(compared.schema().indexOf(key));
      assertThat(hotspots.schema().columns()).contains(column);
    }
    assertThat(compared.number(0, 0)).isEqualTo(1);
    assertThat(compared.text(0, 1)).isEqualTo("port 0x3f8");
    assertThat(compared.isNull(1, 0)).as("size of a CPUID").isTrue();
    assertThat(compared.number(1, 2)).as("vCPU").isZero();
  }

  @Test
  void pageShowsWhatTheArrowFilesSay() throws IOException, InterruptedException {
    Path python = PythonEnvironment.pythonWithBrowser();
    Path page = directory.resolve("compare.html");
    Path tables = directory.resolve("tables");
    Recordings recordings =
        new Recordings(
            List.of(run(30, 4, 10), run(30, 4, 12)),
            List.of(run(41, 4, 10), run(41, 4, 14)),
            List.of("target", "size", "vcpu"));
    recordings.writeHtml(page);
    assertThat(recordings.write(tables, TableFormat.ARROW)).hasSize(2);
    String said =
        PythonEnvironment.run(
            60,
            python.toString(),
            "analyzer/src/test/python/check_compare.py",
            page.toString(),
            tables.toString());
    assertThat(said).contains("compare.html: 8 rows as the files say, no error");
  }
}
