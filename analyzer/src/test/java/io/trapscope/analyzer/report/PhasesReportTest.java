package io.trapscope.analyzer.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.pipeline.RandomTrace;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.table.Table;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class PhasesReportTest {
  private static final long KERNEL = 0xffff_ffff_8100_0000L;
  private static final int MS = 1_000_000;

  /** An exit at this many ms; 0.3 ms of guest time before it, 0.1 ms of handling. */
  private static void exit(MemoryTrace trace, int ms, long rip, int cpl) {
    trace.add(
        0,
        EventType.EXIT,
        event ->
            event
                .put(Field.TIME, (long) ms * MS)
                .put(Field.REASON, ExitReason.RDTSC.code())
                .put(Field.RIP, rip)
                .put(Field.CPL, cpl)
                .put(Field.GUEST_TIME, 300_000)
                .put(Field.DEVICE_TIME, 100_000));
  }

  private static void fault(MemoryTrace trace, int ms, boolean first) {
    trace.add(
        0,
        EventType.EPT_FAULT,
        event ->
            event
                .put(Field.TIME, (long) ms * MS)
                .put(Field.REASON, ExitReason.EPT_VIOLATION.code())
                .put(Field.GPA, 0x1000)
                .put(Field.FIRST_TOUCH, first ? 1 : 0)
                .put(Field.REGION, 0));
  }

  private static void port(MemoryTrace trace, int ms, int port, int value) {
    trace.add(
        0,
        EventType.PIO,
        event ->
            event
                .put(Field.TIME, (long) ms * MS)
                .put(Field.REASON, ExitReason.IO_INSTRUCTION.code())
                .put(Field.PORT, port)
                .put(Field.DIRECTION, 1)
                .put(Field.SIZE, 1)
                .put(Field.VALUE, value));
  }

  private static void text(MemoryTrace trace, int ms, EventType type, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    trace.add(
        0,
        type,
        event ->
            event.put(Field.TIME, (long) ms * MS).putBytes(Field.DATA, bytes, 0, bytes.length));
  }

  private static MemoryTrace boot() {
    MemoryTrace trace = new MemoryTrace(1);
    exit(trace, 1, 0x10_0000, 0);
    text(trace, 2, EventType.CONSOLE_OUTPUT, "Decompressing Linux... done\n");
    fault(trace, 3, true);
    exit(trace, 5, KERNEL, 0);
    text(trace, 6, EventType.CONSOLE_OUTPUT, "devtmpfs: initi");
    text(trace, 7, EventType.CONSOLE_OUTPUT, "alized\r\n");
    fault(trace, 8, true);
    fault(trace, 9, false);
    exit(trace, 11, 0x40_0000, 3);
    port(trace, 12, 0x80, 0x41);
    port(trace, 13, 0x80, 0x42);
    text(trace, 14, EventType.MARK, "test-begins");
    exit(trace, 16, KERNEL, 0);
    text(trace, 17, EventType.CONSOLE_OUTPUT, "reboot: Power down\n");
    exit(trace, 19, KERNEL, 0);
    return trace;
  }

  private static Table phases(MemoryTrace trace, String... marks) {
    List<Mark> own = Arrays.stream(marks).map(Mark::parse).toList();
    return Analysis.run(trace, List.of(new PhasesReport(own)), 1).table("phases").orElseThrow();
  }

  private static List<String> column(Table table, String... names) {
    return IntStream.range(0, table.rows())
        .mapToObj(
            row ->
                String.join(
                    " ",
                    Arrays.stream(names)
                        .map(
                            name -> {
                              int column = table.schema().indexOf(name);
                              return name.equals("phase") || name.equals("mark")
                                  ? table.text(row, column)
                                  : "" + table.number(row, column);
                            })
                        .toList()))
        .toList();
  }

  @Test
  void aBootIsCutByWhatItShows() {
    Table table = phases(boot());
    assertThat(column(table, "phase", "since_start", "duration"))
        .containsExactly(
            // The run begins with the guest time before the first exit.
            "loader 0 1300000",
            "decompression 1300000 3000000",
            "early kernel 4300000 2000000",
            // When the line is whole.
            "drivers 6300000 4000000",
            "init 10300000 3000000",
            "test-begins 13300000 3000000",
            "end 16300000 2000000");
    assertThat(column(table, "phase", "count", "ept_faults", "first_touches", "handling_ns"))
        .containsExactly(
            "loader 1 0 0 100000",
            "decompression 1 1 1 0",
            "early kernel 1 0 0 100000",
            "drivers 2 2 1 0",
            "init 3 0 0 100000",
            "test-begins 1 0 0 100000",
            "end 1 0 0 100000");
    // Guest time is in the phase in which it passed: 0.3 ms before each of the five exits.
    assertThat(column(table, "phase", "guest_ns"))
        .containsExactly(
            "loader 300000",
            "decompression 300000",
            "early kernel 0",
            "drivers 300000",
            "init 0",
            "test-begins 300000",
            "end 300000");
  }

  @Test
  void onesOwnMarks() {
    Table table =
        phases(
            boot(),
            "post=port:0x80=0x42",
            "drivers=text:^devtmpfs",
            "user=where:cpl=3",
            "never=hypercall:7");
    assertThat(column(table, "phase", "since_start", "mark"))
        .containsExactly(
            "loader 0 the run begins",
            "decompression 1300000 text 'Decompressing Linux'",
            "early kernel 4300000 first exit at a kernel address",
            "drivers 6300000 text ^devtmpfs",
            "init 10300000 first exit in user mode",
            "user 10300000 where cpl=3",
            "post 12300000 port 0x80=0x42",
            "test-begins 13300000 mark of the trace",
            "end 16300000 text of the last moments");
    assertThat(table.notes()).containsExactly("never: hypercall 7 did not come");
  }

  /** Whatever phases are called, the run's beginning is in one. */
  @Test
  void aMarkNamedAsAPhaseThatIsThereTakesNothingAway() {
    MemoryTrace trace = new MemoryTrace(1);
    exit(trace, 1, 0x1000, 0);
    exit(trace, 2, 0x1000, 3);
    Table table = phases(trace, "run=port:0x999");
    assertThat(column(table, "phase", "count", "mark")).containsExactly("run 2 the run begins");
    assertThat(table.notes()).containsExactly("run: port 0x999 did not come");
    assertThat(column(phases(trace, "run=where:cpl=3"), "phase", "count", "mark"))
        .containsExactly("run 1 the run begins", "run 1 where cpl=3");
  }

  @Test
  void ofMarksOfOneNameTheFirstCounts() {
    MemoryTrace trace = new MemoryTrace(2);
    exit(trace, 1, 0x1000, 0);
    text(trace, 3, EventType.MARK, "test");
    byte[] name = "test".getBytes(StandardCharsets.UTF_8);
    trace.add(
        1,
        EventType.MARK,
        event -> event.put(Field.TIME, 2L * MS).putBytes(Field.DATA, name, 0, name.length));
    assertThat(column(phases(trace), "phase", "since_start"))
        .containsExactly("run 0", "test 1300000");
  }

  @Test
  void aRunThatIsNoBootIsOnePhase() {
    MemoryTrace trace = new MemoryTrace(1);
    exit(trace, 1, 0x1000, 0);
    exit(trace, 2, 0x1000, 3);
    assertThat(column(phases(trace), "phase", "count", "duration"))
        .containsExactly("run 2 1300000");
    assertThat(column(phases(new MemoryTrace(1)), "phase", "count", "duration"))
        .containsExactly("run 0 0");
  }

  @Property(tries = 150)
  void phasesAddUpToTheRun(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 400) int events, @ForAll boolean marked) {
    MemoryTrace trace = RandomTrace.of(seed, 2, events);
    List<Mark> marks =
        marked
            ? List.of(Mark.parse("a=where:event=PIO"), Mark.parse("b=where:event=MMIO"))
            : List.of();
    Results results =
        Analysis.run(trace, List.of(new PhasesReport(marks), Reports.named("exit_histogram")), 1);
    Table phases = results.table("phases").orElseThrow();
    Table exits = results.table("phase_exits").orElseThrow();
    Table histogram = results.table("exit_histogram").orElseThrow();
    for (String sum : List.of("count", "guest_ns", "handling_ns")) {
      assertThat(sum(phases, sum)).as(sum).isEqualTo(sum(histogram, sum));
      assertThat(sum(exits, sum)).as(sum).isEqualTo(sum(histogram, sum));
    }
  }

  /** As a damaged trace has them: no exit is in no phase, and none in two. */
  @Property(tries = 20)
  void timesThatGoBackLoseNoExit(@ForAll long seed) {
    Random random = new Random(seed);
    MemoryTrace trace = new MemoryTrace(2);
    for (int i = 0; i < 2000; i++) {
      // Mostly forward, now and then anywhere.
      int ms = random.nextInt(100) == 0 ? random.nextInt(4000) : 1000 + i;
      if (random.nextInt(4) == 0) {
        port(trace, ms, random.nextInt(300), 0);
      } else {
        exit(trace, ms, 0x1000, 0);
      }
    }
    List<Mark> marks = List.of(Mark.parse("a=port:1"), Mark.parse("b=port:2"));
    Results results =
        Analysis.run(trace, List.of(new PhasesReport(marks), Reports.named("exit_histogram")), 1);
    Table phases = results.table("phases").orElseThrow();
    Table histogram = results.table("exit_histogram").orElseThrow();
    for (String sum : List.of("count", "guest_ns", "handling_ns")) {
      assertThat(sum(phases, sum)).as(sum).isEqualTo(sum(histogram, sum));
    }
  }

  private static long sum(Table table, String name) {
    int column = table.schema().indexOf(name);
    return IntStream.range(0, table.rows())
        .filter(row -> !table.isNull(row, column))
        .mapToLong(row -> table.number(row, column))
        .sum();
  }

  @Test
  void mistakesAreOneLine() {
    assertThatThrownBy(() -> Mark.parse("text:login"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("'text:login' is no mark; one is NAME=text:...");
    assertThatThrownBy(() -> Mark.parse("a=smell:bad"))
        .hasMessageStartingWith("'smell' is no kind of mark; there are text, port");
    assertThatThrownBy(() -> Mark.parse("a=text:("))
        .hasMessageStartingWith("'(' is no regular expression: ");
    assertThatThrownBy(() -> Mark.parse("a=port:http"))
        .hasMessageStartingWith("'http' is no value");
    assertThatThrownBy(() -> Mark.parse("a=text:")).hasMessage("the mark a is without its text");
  }
}
