package io.trapscope.analyzer.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableText;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TimelineReportTest {
  private static final long MS = 1_000_000;

  private static EventWriter exit(EventWriter event, ExitReason reason, long time, long guest) {
    return event
        .put(Field.TIME, time)
        .put(Field.REASON, reason.code())
        .put(Field.GUEST_TIME, guest)
        .put(Field.DEVICE_TIME, 100_000);
  }

  private static Table table(MemoryTrace trace, String name, long bucket) {
    return Analysis.of(trace)
        .reports(List.of(Reports.named("timeline"), Reports.named("console")))
        .bucket(bucket)
        .run()
        .table(name)
        .orElseThrow();
  }

  private static long[] column(Table table, String name) {
    int column = table.schema().indexOf(name);
    return IntStream.range(0, table.rows()).mapToLong(row -> table.number(row, column)).toArray();
  }

  /** Begins at 1 ms; two vCPUs. */
  private static MemoryTrace trace() {
    return new MemoryTrace(2)
        .add(0, EventType.CPUID, event -> exit(event, ExitReason.CPUID, 2 * MS, MS))
        .add(0, EventType.CPUID, event -> exit(event, ExitReason.CPUID, 8 * MS, 5 * MS))
        .add(
            1,
            EventType.EPT_FAULT,
            event ->
                exit(event, ExitReason.EPT_VIOLATION, 9 * MS, 2 * MS)
                    .put(Field.GPA, 0x10_1000)
                    .put(Field.FIRST_TOUCH, 1))
        .add(
            1,
            EventType.EPT_FAULT,
            event ->
                exit(event, ExitReason.EPT_VIOLATION, 13 * MS, 2 * MS)
                    .put(Field.GPA, 0x1000)
                    .put(Field.FIRST_TOUCH, 0))
        .add(
            1,
            EventType.HLT,
            event -> exit(event, ExitReason.HLT, 15 * MS, MS).put(Field.IDLE_TIME, 10 * MS));
  }

  @Test
  void guestAndIdleTimeAreWhereTheyPassed() {
    Table table = table(trace(), "timeline", 5 * MS);
    assertThat(column(table, "since_start")).containsExactly(0, 5 * MS, 10 * MS, 15 * MS, 20 * MS);
    assertThat(column(table, "count")).containsExactly(1, 2, 2, 0, 0);
    // From 3 to 8 ms: 3 ms of it before 6 ms, where the second bucket begins.
    assertThat(column(table, "guest_ns")).containsExactly(4 * MS, 4 * MS, 3 * MS, 0, 0);
    assertThat(column(table, "idle_ns")).containsExactly(0, 0, 900_000, 5 * MS, 4_100_000);
    assertThat(column(table, "ept_faults")).containsExactly(0, 1, 1, 0, 0);
    assertThat(column(table, "first_touches")).containsExactly(0, 1, 0, 0, 0);
    int share = table.schema().indexOf("guest_share");
    assertThat(table.real(0, share)).isEqualTo(0.4); // 4 ms of 5 ms of two vCPUs
    assertThat(table.isNull(3, table.schema().indexOf("p50"))).isTrue();
  }

  @Test
  void exitsByReasonAndFaultsByMemory() {
    Table exits = table(trace(), "timeline_exits", 5 * MS);
    assertThat(new TableText(0, 0).render(exits).lines().skip(2).map(String::strip))
        .map(line -> line.replaceAll("  +", " | "))
        .containsExactly(
            "CPUID | 10 | 2026-01-02T03:04:05.001000000Z | 1 | 4.00 ms | 100 us",
            "CPUID | 10 | 2026-01-02T03:04:05.006000000Z | 1 | 2.00 ms | 100 us",
            "EPT_VIOLATION | 48 | 2026-01-02T03:04:05.006000000Z | 1 | 2.00 ms | 100 us",
            "HLT | 12 | 2026-01-02T03:04:05.011000000Z | 1 | 1.00 ms | 100 us",
            "EPT_VIOLATION | 48 | 2026-01-02T03:04:05.011000000Z | 1 | 2.00 ms | 100 us");
    Table faults = table(trace(), "ept_fault_map", 5 * MS);
    long block = column(faults, "bytes")[0];
    assertThat(column(faults, "gpa")).containsExactly(0x10_1000 / block * block, 0);
    assertThat(column(faults, "count")).containsExactly(1, 1);
    assertThat(column(faults, "first_touches")).containsExactly(1, 0);
  }

  private static MemoryTrace fault(MemoryTrace trace, long millis, long gpa) {
    return trace.add(
        0,
        EventType.EPT_FAULT,
        event -> exit(event, ExitReason.EPT_VIOLATION, millis * MS, 0).put(Field.GPA, gpa));
  }

  /** Nobody has told how much RAM an attached guest has: blocks reach to its highest fault. */
  @Test
  void blocksOfUnknownRamGrow() {
    MemoryTrace trace = new MemoryTrace(1).withoutRam();
    fault(trace, 1, 0x7000);
    fault(trace, 2, 0x7_ffff);
    Table small = table(trace, "ept_fault_map", 5 * MS);
    assertThat(column(small, "gpa")).containsExactly(0x7000, 0x7_f000);
    fault(trace, 3, 0x1_0000_0000L);
    fault(trace, 4, 1L << 52);
    fault(trace, 6, 0x6000);
    Table large = table(trace, "ept_fault_map", 5 * MS);
    assertThat(column(large, "bytes")).containsOnly(1 << 26);
    assertThat(column(large, "gpa")).containsExactly(0, 0x1_0000_0000L, 0);
    assertThat(column(large, "count")).containsExactly(2, 1, 1);
  }

  @Test
  void percentilesAreWithinTheStatedErrorOfAnExactSort() {
    Random random = new Random(20261126);
    MemoryTrace trace = new MemoryTrace(1);
    long[] sorted = new long[1000];
    for (int i = 0; i < sorted.length; i++) {
      long time = 1000L * i;
      long device = random.nextInt(1 << random.nextInt(1, 30));
      sorted[i] = device;
      trace.add(
          0,
          EventType.EXIT,
          event ->
              event
                  .put(Field.TIME, time)
                  .put(Field.REASON, ExitReason.PAUSE.code())
                  .put(Field.DEVICE_TIME, device));
    }
    Arrays.sort(sorted);
    Table table = table(trace, "timeline", 10_000 * MS);
    assertThat(table.rows()).isEqualTo(1);
    int[] ranks = {500, 900, 990, 1000};
    String[] names = {"p50", "p90", "p99", "max"};
    for (int i = 0; i < ranks.length; i++) {
      long exact = sorted[ranks[i] - 1];
      assertThat(column(table, names[i])[0] - exact).as(names[i]).isBetween(0L, exact / 31);
    }
  }

  @Test
  void aTraceTooLongForTheBucketsGetsLongerOnesAndSaysSo() {
    MemoryTrace trace = new MemoryTrace(1);
    for (int i = 0; i <= 4; i++) {
      long time = i * 1_000 * MS;
      trace.add(0, EventType.CPUID, event -> exit(event, ExitReason.CPUID, time, 0));
    }
    Table table = table(trace, "timeline", 100_000);
    assertThat(column(table, "bucket_ns")).containsOnly(MS);
    assertThat(Arrays.stream(column(table, "count")).sum()).isEqualTo(5);
    assertThat(table.notes())
        .containsExactly(
            "buckets are 10 times as long as asked: the trace is too long for shorter ones");
    assertThat(table(trace, "timeline", 0).rows()).isLessThanOrEqualTo(200);
  }

  @Test
  void consoleTextComesByTheLine() {
    MemoryTrace trace = new MemoryTrace(1);
    String[] pieces = {"Hel", "lo\r\n\u001b[31mred\u001b[0m\nlast"};
    for (int i = 0; i < pieces.length; i++) {
      byte[] text = pieces[i].getBytes(StandardCharsets.UTF_8);
      long time = (i + 1) * MS;
      trace.add(
          0,
          EventType.CONSOLE_OUTPUT,
          event -> event.put(Field.TIME, time).putBytes(Field.DATA, text, 0, text.length));
    }
    Table console = table(trace, "console", 0);
    int text = console.schema().indexOf("text");
    assertThat(IntStream.range(0, console.rows()).mapToObj(row -> console.text(row, text)))
        .containsExactly("Hello", "red", "last");
    assertThat(column(console, "since_start")).containsExactly(0, MS, MS);
  }
}
