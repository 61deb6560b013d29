package io.trapscope.analyzer.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

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
