package io.trapscope.analyzer.html;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.bench.SyntheticTrace;
import io.trapscope.analyzer.notebooks.PythonEnvironment;
import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.pipeline.TableFormat;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.analyzer.symbols.SymbolTable;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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

  /** Faults, halts, a poll loop, a string, and console text that would break a bad page. */
  private static MemoryTrace source(int vcpus) {
    MemoryTrace trace = new MemoryTrace(vcpus);
    for (int i = 0; i < EXITS; i++) {
      long time = 1_000L + i * 7_000L;
      int n = i;
      trace.add(
          i % vcpus,
          type(i),
          event -> {
            event.put(Field.TIME, time).put(Field.GUEST_TIME, 2_000 + n % 100);
            event.put(Field.RIP, 0xffff_ffff_8100_0000L + n % 7);
            event
                .put(Field.LOOP_TIME, 10 + n % 50)
                .put(Field.DISPATCH_TIME, 90)
                .put(Field.DEVICE_TIME, n);
            if (n % 3 == 0) {
              event.put(Field.KERNEL_TIME, 200 + n % 30).put(Field.USER_TIME, 40);
            }
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
              default -> {
                event
                    .put(Field.REASON, ExitReason.EPT_VIOLATION.code())
                    .put(Field.GPA, n * 577L)
                    .put(Field.REGION, 0)
                    .put(Field.QUALIFICATION, 2)
                    .put(Field.EPT_PAGE, 12);
                if (n % 16 != 7) { // of these the trace does not tell
                  event.put(Field.FIRST_TOUCH, n % 8 == 3 ? 1 : 0);
                }
              }
            }
          });
    }
    long end = 1_000L + EXITS * 7_000L;
    for (int i = 0; i < 60; i++) {
      // A status that never changes, index and data in turn, a mask that stays.
      boolean data = i >= 20 && i < 40 && i % 2 == 1;
      boolean read = i < 20 || data;
      int port = i < 20 ? 0x64 : i >= 40 ? 0x21 : data ? 0x71 : 0x70;
      int value = i < 20 ? 0x1c : i >= 40 ? 0xff : 0;
      long time = end + i * 5_000L;
      trace.add(
          0,
          EventType.PIO,
          event ->
              event
                  .put(Field.TIME, time)
                  .put(Field.GUEST_TIME, 700)
                  .put(Field.RIP, 0xffff_ffff_8100_1000L + port)
                  .put(Field.DEVICE_TIME, 90)
                  .put(Field.REASON, ExitReason.IO_INSTRUCTION.code())
                  .put(Field.PORT, port)
                  .put(Field.DIRECTION, read ? 0 : 1)
                  .put(Field.SIZE, 1)
                  .put(Field.COUNT, 1)
                  .put(Field.VALUE, value));
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

  /** Adds faults of no known vCPU: on devices above RAM, on its last byte, at no address. */
  private static MemoryTrace withFaultsElsewhere(MemoryTrace trace) {
    for (int i = 0; i < 40; i++) {
      long time = 1_000L + i * 500_000L;
      int n = i;
      trace.add(
          EventReader.NO_VCPU,
          EventType.EPT_FAULT,
          event -> {
            event.put(Field.TIME, time).put(Field.REASON, ExitReason.EPT_VIOLATION.code());
            event.put(Field.DEVICE_TIME, 400);
            if (n % 4 != 3) {
              event.put(Field.GPA, n % 4 == 0 ? 0x1f_ffff : n == 1 ? -1 : 0xfee0_0000L + n);
            }
          });
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
    assertThat(check(withFaultsElsewhere(source(2))))
        .contains(
            "compared cell by cell: combinable_accesses, ept_faults, phases, poll_loops, timeline,"
                + " unchanged_accesses")
        .contains("report.html: as the files say, 4 lines of console, no error");
  }

  /** Of one vCPU nothing is added up for people: every cell of every table is a file's. */
  @Test
  void everyTableOfOneVcpuIsItsFile() throws IOException, InterruptedException {
    assertThat(check(source(1), "whole"))
        .contains(
            "compared cell by cell: combinable_accesses, ept_faults, exit_histogram, exit_latency,"
                + " hotspots, phases, poll_loops, timeline, unchanged_accesses");
  }

  /** What a guest, a file of symbols or a mark may say: nothing of it is the page's own. */
  private static final String[] HOSTILE = {
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(2)>",
    "</script><!--<script>",
    "';alert(3);//`${alert(4)}",
    "a\u2028b\u2029c\u0000d\u0001e\u007f\u202e\ufeff",
    "&lt;b&gt; &amp; caf\u00e9 \ud83d\ude00",
    "x".repeat(3000),
  };

  private static void say(MemoryTrace trace, EventType type, long time, byte[] bytes) {
    trace.add(
        0, type, event -> event.put(Field.TIME, time).putBytes(Field.DATA, bytes, 0, bytes.length));
  }

  @Test
  void nothingInTheDataIsExecuted() throws IOException, InterruptedException {
    MemoryTrace trace = source(4);
    StringBuilder symbols = new StringBuilder();
    for (int i = 0; i < HOSTILE.length; i++) {
      byte[] bytes = (HOSTILE[i] + "\n").getBytes(StandardCharsets.UTF_8);
      say(trace, EventType.CONSOLE_OUTPUT, 31_000_000L + i, bytes);
      say(trace, EventType.MARK, 32_000_000L + i, HOSTILE[i].getBytes(StandardCharsets.UTF_8));
      String name = HOSTILE[i].replaceAll("\\s", "").replaceAll("[^ -~]", "");
      symbols.append(String.format("%x T %s%n", 0xffff_ffff_8100_0000L + i, name));
    }
    // UTF-8 of a lone surrogate, and of nothing at all.
    byte[] wrong = {'a', (byte) 0xed, (byte) 0xa0, (byte) 0x80, (byte) 0xff, (byte) 0xc3, '\n'};
    say(trace, EventType.CONSOLE_OUTPUT, 33_000_000L, wrong);
    // A reason alone makes no exit of what is none.
    trace.add(
        0,
        EventType.CONSOLE_OUTPUT,
        event ->
            event
                .put(Field.TIME, 33_000_001L)
                .put(Field.REASON, 1)
                .putBytes(Field.DATA, wrong, 0, wrong.length));
    SymbolTable names =
        SymbolTable.of(
            "</script>", ByteBuffer.wrap(symbols.toString().getBytes(StandardCharsets.US_ASCII)));
    Results results = Analysis.of(trace).reports(Reports.all()).symbols(names).threads(2).run();
    assertThat(check("check_hostile.py", results))
        .contains("12 lines of console as the files have them, nothing executed, no error");
  }

  @Test
  void thereIsAPageOfNextToNothing() throws IOException, InterruptedException {
    MemoryTrace one = new MemoryTrace(1);
    one.add(0, EventType.HLT, event -> event.put(Field.TIME, 1000).put(Field.REASON, 12));
    MemoryTrace kernelOnly = new MemoryTrace(2);
    for (int i = 0; i < 20; i++) {
      long time = 1000 + i;
      kernelOnly.add(i % 2, EventType.EOI, event -> event.put(Field.TIME, time));
      kernelOnly.add(i % 2, EventType.INJECTION, event -> event.put(Field.TIME, time));
    }
    for (MemoryTrace trace : List.of(new MemoryTrace(1), one, kernelOnly)) {
      assertThat(check("check_hostile.py", Analysis.run(trace, Reports.all(), 1)))
          .contains("nothing executed, no error");
    }
  }

  private String check(MemoryTrace trace, String... how) throws IOException, InterruptedException {
    return check("check_page.py", Analysis.run(trace, Reports.all(), 2), how);
  }

  private String check(String script, Results results, String... how)
      throws IOException, InterruptedException {
    Path python = PythonEnvironment.pythonWithBrowser();
    Path tables = directory.resolve("tables");
    Path page = directory.resolve("report.html");
    results.write(tables, TableFormat.ARROW);
    results.writeHtml(page);
    List<String> command = new ArrayList<>();
    command.add(python.toString());
    command.add("analyzer/src/test/python/" + script);
    command.add(page.toString());
    command.add(tables.toString());
    command.addAll(List.of(how));
    return PythonEnvironment.run(120, command.toArray(String[]::new));
  }

  @Test
  void dataCannotEndItsElement() throws IOException {
    Path page = directory.resolve("report.html");
    Analysis.run(source(1), Reports.all(), 1).writeHtml(page);
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
