package io.trapscope.analyzer.html;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.bench.SyntheticTrace;
import io.trapscope.analyzer.notebooks.PythonEnvironment;
import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.pipeline.TableFormat;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The page in a real browser: opens from a file, says what the Arrow files say, has no error. Where
 * there is no Chromium the test is skipped, in CI never.
 */
class ReportPageTest {
  private static final int EXITS = 3_000;
  private static final long LARGEST_PAGE = 3 << 20;

  @TempDir Path directory;

  /**
   * Two vCPUs, faults, halts, a poll loop, a string, and console text that would break a bad page.
   */
  private static MemoryTrace source() {
    MemoryTrace trace = new MemoryTrace(2);
    for (int i = 0; i < EXITS; i++) {
      long time = 1_000L + i * 7_000L;
      int n = i;
      trace.add(
          i % 2,
          type(i),
          event -> {
            event.put(Field.TIME, time).put(Field.GUEST_TIME, 2_000 + n % 100);
            event.put(Field.RIP, 0xffff_ffff_8100_0000L + n % 7);
            event
                .put(Field.LOOP_TIME, 10 + n % 50)
                .put(Field.DISPATCH_TIME, 90)
                .put(Field.DEVICE_TIME, n);
            switch (n % 4) {
              case 0 ->
                  event
                      .put(Field.REASON, ExitReason.IO_INSTRUCTION.code())
                      .put(Field.PORT, n < 1_000 ? 0x3fd : 0x3f8)
                      .put(Field.DIRECTION, n < 1_000 ? 0 : 1)
                      .put(Field.SIZE, 1)
                      .put(Field.VALUE, n < 1_000 ? 0x60 : 'a');
              case 1 -> event.put(Field.REASON, ExitReason.CPUID.code()).put(Field.LEAF, n % 3);
              case 2 -> event.put(Field.REASON, ExitReason.HLT.code()).put(Field.IDLE_TIME, 500);
              default ->
                  event
                      .put(Field.REASON, ExitReason.EPT_VIOLATION.code())
                      .put(Field.GPA, n * 577L)
                      .put(Field.REGION, 0)
                      .put(Field.QUALIFICATION, 2)
                      .put(Field.EPT_PAGE, 12)
                      .put(Field.FIRST_TOUCH, n % 8 == 3 ? 1 : 0);
            }
          });
    }
    for (String text :
        new String[] {"a line\n", "</script><b>&amp;\n", "\u001b[1mbold\u001b[0m\r\n", "rest"}) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      trace.add(
          0,
          EventType.CONSOLE_OUTPUT,
          event ->
              event
                  .put(Field.TIME, 30_000_000L)
                  .put(Field.CHANNEL, 0)
                  .putBytes(Field.DATA, bytes, 0, bytes.length));
    }
    return trace;
  }

  private static EventType type(int n) {
    return switch (n % 4) {
      case 0 -> EventType.PIO;
      case 1 -> EventType.CPUID;
      case 2 -> EventType.HLT;
      default -> EventType.EPT_FAULT;
    };
  }

  @Test
  void browserShowsWhatTheArrowFilesSay() throws IOException, InterruptedException {
    Path python = PythonEnvironment.pythonWithBrowser();
    Results results = Analysis.run(source(), Reports.all(), 2);
    Path tables = directory.resolve("tables");
    Path page = directory.resolve("report.html");
    results.write(tables, TableFormat.ARROW);
    results.writeHtml(page);
    String said =
        PythonEnvironment.run(
            120,
            python.toString(),
            "analyzer/src/test/python/check_page.py",
            page.toString(),
            tables.toString());
    assertThat(said).contains("report.html: as the files say, 4 lines of console, no error");
  }

  @Test
  void dataCannotEndItsElement() throws IOException {
    Path page = directory.resolve("report.html");
    Analysis.run(source(), Reports.all(), 1).writeHtml(page);
    String html = Files.readString(page);
    String data = html.substring(html.indexOf("<script id=\"data\""));
    assertThat(data.substring(data.indexOf('>') + 1, data.indexOf("</script>")))
        .contains("\\u003c/script>\\u003cb>&amp;")
        .contains("\"bold\"");
    assertThat(html).contains("MIT License").doesNotContain("@DATA@").doesNotContain("@SCRIPT@");
  }

  @Test
  void pageStaysSmallWhateverTheTracesLength() throws IOException, TraceException {
    for (int events : new int[] {1_000, 400_000}) {
      Path trace = directory.resolve("trace-" + events);
      SyntheticTrace.write(trace, events, 2);
      Path page = directory.resolve("page-" + events + ".html");
      Analysis.run(TraceReader.open(trace), Reports.all(), 2).writeHtml(page);
      assertThat(Files.size(page)).isLessThan(LARGEST_PAGE);
    }
  }
}
