package io.trapscope.analyzer.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.report.HotspotFilter;
import io.trapscope.analyzer.report.HotspotKey;
import io.trapscope.analyzer.report.HotspotsReport;
import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableText;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.io.IOException;
import java.io.StringWriter;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AnalysisTest {

  private static EventWriter exit(EventWriter event, ExitReason reason, long time, long guest) {
    return event
        .put(Field.TIME, time)
        .put(Field.REASON, reason.code())
        .put(Field.GUEST_TIME, guest)
        .put(Field.LOOP_TIME, 10)
        .put(Field.DISPATCH_TIME, 20)
        .put(Field.DEVICE_TIME, 30);
  }

  private static MemoryTrace twoVcpus() {
    return new MemoryTrace(2)
        .add(
            0,
            EventType.PIO,
            event -> exit(event, ExitReason.IO_INSTRUCTION, 100, 1000).put(Field.PORT, 0x3f8))
        .add(1, EventType.CPUID, event -> exit(event, ExitReason.CPUID, 150, 500))
        .add(1, EventType.PIO, event -> exit(event, ExitReason.IO_INSTRUCTION, 300, 3000))
        .add(
            0,
            EventType.EPT_FAULT,
            event ->
                exit(event, ExitReason.EPT_VIOLATION, 200, 2000)
                    .put(Field.GPA, 0x1000)
                    .put(Field.QUALIFICATION, 2)
                    .put(Field.REGION, 1)
                    .put(Field.EPT_PAGE, 12)
                    .put(Field.FIRST_TOUCH, 1))
        .add(0, EventType.CONSOLE_OUTPUT, event -> event.put(Field.TIME, 250));
  }

  @Test
  void countsEveryExitAndNothingElse() {
    Results results = Analysis.run(twoVcpus(), Reports.all(), 1);
    assertThat(results.info().events()).isEqualTo(5);
    assertThat(text(results.tables().get(0)))
        .isEqualTo(
            """
            Exits by reason
              reason          sdm reason  vcpu  count   share  guest ns  handling ns
              CPUID                   10     1      1  25.0 %    500 ns        60 ns
              IO_INSTRUCTION          30     0      1  25.0 %   1.00 us        60 ns
              IO_INSTRUCTION          30     1      1  25.0 %   3.00 us        60 ns
              EPT_VIOLATION           48     0      1  25.0 %   2.00 us        60 ns
            """);
    assertThat(text(results.summary().get(0)))
        .isEqualTo(
            """
            Exits by reason
              reason          sdm reason  count   share  guest ns  handling ns
              IO_INSTRUCTION          30      2  50.0 %   4.00 us       120 ns
              CPUID                   10      1  25.0 %    500 ns        60 ns
              EPT_VIOLATION           48      1  25.0 %   2.00 us        60 ns
            """);
  }

  /** Of another VMM's guest: there are times in the kernel and outside, and no other. */
  private static MemoryTrace attached() {
    MemoryTrace trace = new MemoryTrace(1);
    long[][] times = {{400, 100, 7000}, {500, 300, -1}, {600, -1, -1}, {700, 1L << 53, -1}};
    for (long[] each : times) {
      trace.add(
          0,
          EventType.PIO,
          event -> {
            event
                .put(Field.TIME, each[0])
                .put(Field.REASON, ExitReason.IO_INSTRUCTION.code())
                .put(Field.PORT, 0x60);
            if (each[1] >= 0) {
              event.put(Field.KERNEL_TIME, each[1]);
            }
            if (each[2] >= 0) {
              event.put(Field.USER_TIME, each[2]);
            }
          });
    }
    return trace;
  }

  @Test
  void timesInTheKernelAndInAnotherVmmAreHandling() {
    List<Report> reports =
        List.of(
            Reports.named("exit_histogram"),
            Reports.named("exit_latency"),
            new HotspotsReport(List.of(HotspotKey.REASON), HotspotFilter.ALL, "kernel_ns", 0),
            Reports.named("timeline"));
    List<Table> tables = Analysis.run(attached(), reports, 1).tables();
    assertThat(text(tables.get(0)))
        .isEqualTo(
            """
            Exits by reason
              reason          sdm reason  vcpu  count    share  handling ns
              IO_INSTRUCTION          30     0      4  100.0 %      7.40 us
            """);
    Table latency = tables.get(1);
    assertThat(latency.rows()).isEqualTo(2);
    for (int row = 0; row < 2; row++) {
      assertThat(latency.text(row, 3)).isEqualTo(row == 0 ? "kernel" : "user");
      assertThat(latency.number(row, 4)).as("count").isEqualTo(row == 0 ? 2 : 1);
      assertThat(latency.number(row, 5)).as("total").isEqualTo(row == 0 ? 400 : 7000);
    }
    assertThat(latency.notes())
        .containsExactly("1 durations of more than 104 days left out: the trace is damaged");
    assertThat(text(tables.get(2)))
        .contains("kernel ns  user ns", "  400 ns  7.00 us")
        .doesNotContain("loop", "guest");
    Table timeline = tables.get(3);
    assertThat(timeline.number(0, timeline.schema().indexOf("handling_ns"))).isEqualTo(7400);
    assertThat(timeline.number(0, timeline.schema().indexOf("max"))).isEqualTo(7100);
    assertThat(timeline.number(0, timeline.schema().indexOf("p50"))).isBetween(300L, 310L);
    for (String untold : List.of("guest_ns", "guest_share")) {
      assertThat(timeline.isNull(0, timeline.schema().indexOf(untold))).as(untold).isTrue();
    }
  }

  @Test
  void addsUpEptFaultsByRegion() {
    Results results = Analysis.run(twoVcpus(), List.of(Reports.named("memory_translation")), 1);
    Table faults = results.tables().get(0);
    assertThat(faults.rows()).isEqualTo(1);
    assertThat(faults.text(0, faults.schema().indexOf("region"))).isEqualTo("ram-high");
    assertThat(faults.text(0, faults.schema().indexOf("access"))).isEqualTo("WRITE");
    assertThat(faults.number(0, faults.schema().indexOf("ept_page_size"))).isEqualTo(4096);
    assertThat(faults.isNull(0, faults.schema().indexOf("guest_page_size"))).isTrue();
    assertThat(faults.number(0, faults.schema().indexOf("first_touches"))).isEqualTo(1);
    assertThat(faults.number(0, faults.schema().indexOf("first_time")))
        .isEqualTo(MemoryTrace.EPOCH + 200);
  }

  @Test
  void sameResultForAnyNumberOfThreads() throws IOException {
    MemoryTrace source = new MemoryTrace(5);
    Random random = new Random(20260102);
    ExitReason[] reasons = {ExitReason.CPUID, ExitReason.HLT, ExitReason.MMIO, ExitReason.RDMSR};
    for (int i = 0; i < 20_000; i++) {
      long time = i;
      ExitReason reason = reasons[random.nextInt(reasons.length)];
      long guest = random.nextInt(1 << 20);
      source.add(random.nextInt(5), EventType.EXIT, event -> exit(event, reason, time, guest));
    }
    String one = json(Analysis.run(source, Reports.all(), 1));
    assertThat(one).contains("\"count\" : ");
    for (int threads = 2; threads <= 7; threads++) {
      assertThat(json(Analysis.run(source, Reports.all(), threads))).isEqualTo(one);
    }
  }

  @Test
  void saysWhatTheTraceCannotHold() throws IOException {
    Results results = Analysis.run(twoVcpus(), Reports.all(), 1);
    StringWriter text = new StringWriter();
    results.writeText(text, 0);
    assertThat(text.toString())
        .startsWith(
            """
            recorded 4 exits, 5 events up to where the recording was cut off
            not recorded: HLT (handled in the kernel)
            not recorded: CPUID (not enabled)
            """);
  }

  private static String text(Table table) {
    return new TableText(0, 0).render(table);
  }

  private static String json(Results results) throws IOException {
    StringWriter out = new StringWriter();
    results.writeJson(out);
    return out.toString();
  }
}
