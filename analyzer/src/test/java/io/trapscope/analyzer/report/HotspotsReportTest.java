package io.trapscope.analyzer.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.symbols.SymbolTable;
import io.trapscope.analyzer.table.CellText;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableText;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HotspotsReportTest {
  @TempDir Path directory;

  private static MemoryTrace trace() {
    MemoryTrace trace = new MemoryTrace(2);
    for (int i = 0; i < 6; i++) {
      long time = 100 + i;
      int value = i;
      trace.add(
          i % 2,
          EventType.PIO,
          event ->
              event
                  .put(Field.TIME, time)
                  .put(Field.REASON, 30)
                  .put(Field.DIRECTION, 1)
                  .put(Field.SIZE, 1)
                  .put(Field.PORT, value < 4 ? 0x3f8 : 0x80)
                  .put(Field.RIP, 0x1000 + value / 2 * 0x100)
                  .put(Field.DEVICE_TIME, value < 4 ? 10 : 1000));
    }
    return trace.add(
        0,
        EventType.CPUID,
        event ->
            event
                .put(Field.TIME, 200)
                .put(Field.REASON, 10)
                .put(Field.LEAF, 0x8000_0008L)
                .put(Field.SUBLEAF, 1)
                .put(Field.CPL, 3));
  }

  private static List<String> columns(Table table) {
    return table.schema().columns().stream().map(Column::name).toList();
  }

  /** Nobody wants to see the same place once for each of 64 vCPUs, unless he asks for it. */
  @Test
  void vcpusAreToldApartForPeopleOnlyWhereTheyAsk() {
    MemoryTrace trace = new MemoryTrace(3);
    for (int i = 0; i < 30; i++) {
      int n = i;
      trace.add(
          n % 3,
          EventType.PIO,
          event -> event.put(Field.TIME, n).put(Field.REASON, 30).put(Field.PORT, n % 2));
    }
    Results byDefault = Analysis.run(trace, List.of(new HotspotsReport()), 1);
    assertThat(columns(byDefault.tables().get(0))).contains("vcpu");
    assertThat(byDefault.tables().get(0).rows()).isEqualTo(6);
    assertThat(columns(byDefault.summary().get(0))).doesNotContain("vcpu");
    assertThat(byDefault.summary().get(0).rows()).isEqualTo(2);
    Report asked =
        new HotspotsReport(
            List.of(HotspotKey.TARGET, HotspotKey.VCPU), HotspotFilter.ALL, "count", 20);
    assertThat(Analysis.run(trace, List.of(asked), 1).summary().get(0).rows()).isEqualTo(6);
  }

  private String hotspots(String by, String where, String sort, int top, SymbolTable symbols) {
    List<HotspotKey> keys = Arrays.stream(by.split(",")).map(HotspotKey::named).toList();
    HotspotFilter filter = where.isEmpty() ? HotspotFilter.ALL : HotspotFilter.parse(where);
    Report report = new HotspotsReport(keys, filter, sort, top);
    Results results =
        Analysis.of(trace()).reports(List.of(report)).symbols(symbols).threads(2).run();
    String text = new TableText(70, 0).render(results.summary().get(0));
    return text.replaceAll("  not shown here.*\n", "");
  }

  @Test
  void byTargetMostFrequentFirst() {
    assertThat(hotspots("target,direction,size", "", "count", 0, SymbolTable.EMPTY))
        .isEqualTo(
            """
            Hotspots
              target              direction  size  count   share  device ns
              port 0x3f8          WRITE       1 B      4  57.1 %      40 ns
              port 0x80           WRITE       1 B      2  28.6 %    2.00 us
              cpuid 0x80000008.1                       1  14.3 %
            """);
  }

  @Test
  void byTimeAndOnlyTheTop() {
    assertThat(hotspots("target", "", "device_ns", 1, SymbolTable.EMPTY))
        .startsWith(
            """
            Hotspots
              target     count   share  device ns""")
        .contains("  port 0x80      2  28.6 %    2.00 us")
        .endsWith("  5 exits more in 2 rows\n");
  }

  @Test
  void byFunctionAndFilter() throws IOException {
    Path map = directory.resolve("System.map");
    Files.writeString(map, "0000000000001000 T first\n0000000000001100 T second\n");
    SymbolTable symbols = SymbolTable.read("System.map", map);
    assertThat(hotspots("function,location", "event=PIO,port=0x3f8", "count", 0, symbols))
        .startsWith(
            """
            Hotspots
              function  location    count   share  device ns""")
        .contains("  first     first+0x0       2  50.0 %      20 ns")
        .contains("  second    second+0x0      2  50.0 %      20 ns");
  }

  private static MemoryTrace kernelAndUser() {
    long[] rips = {0xffff_ffff_8100_0010L, 0xffff_ffff_8100_1020L, 0x40_1000L, 0x40_1000L};
    int[] cpls = {0, -1, 3, -1};
    MemoryTrace trace = new MemoryTrace(1);
    for (int i = 0; i < rips.length; i++) {
      int which = i;
      trace.add(
          0,
          EventType.HLT,
          event -> {
            event.put(Field.TIME, 100 + which).put(Field.REASON, 12).put(Field.RIP, rips[which]);
            if (cpls[which] >= 0) {
              event.put(Field.CPL, cpls[which]);
            }
          });
    }
    return trace;
  }

  private static String rows(String by, String where, String sort) throws IOException {
    byte[] map =
        "ffffffff81000000 T first_idle\nffffffff81001000 T second_halt\n0000000000401000 T program\n"
            .getBytes(StandardCharsets.US_ASCII);
    Report report =
        new HotspotsReport(
            Arrays.stream(by.split(",")).map(HotspotKey::named).toList(),
            HotspotFilter.parse(where),
            sort,
            0);
    Table table =
        Analysis.of(kernelAndUser())
            .reports(List.of(report))
            .symbols(SymbolTable.of("map", ByteBuffer.wrap(map)))
            .run()
            .tables()
            .get(0);
    StringBuilder text = new StringBuilder();
    for (int row = 0; row < table.rows(); row++) {
      for (int column = 0; column < by.split(",").length; column++) {
        text.append(CellText.of(table, row, column)).append(' ');
      }
      text.append(table.number(row, by.split(",").length)).append('\n');
    }
    return text.toString();
  }

  @Test
  void userModeIsToldApart() throws IOException {
    assertThat(rows("space,function,offset,rip", "event=HLT", "function"))
        .isEqualTo(
            """
            KERNEL first_idle 0x10 0xffffffff81000010 1
            USER program 0x0 0x401000 2
            KERNEL second_halt 0x20 0xffffffff81001020 1
            """);
  }

  @Test
  void filtersBySymbols() throws IOException {
    assertThat(rows("location", "function~^first|halt$,offset>0x10", "count"))
        .isEqualTo("second_halt+0x20 1\n");
    assertThat(rows("location", "function=first_idle", "count")).isEqualTo("first_idle+0x10 1\n");
    assertThat(rows("location", "space=user,event=HLT", "count")).isEqualTo("program+0x0 2\n");
    assertThat(rows("location", "space!=user", "location"))
        .isEqualTo("first_idle+0x10 1\nsecond_halt+0x20 1\n");
    assertThat(rows("rip", "count=1,event=PIO", "rip")).isEmpty();
  }

  /** Rounded to a page, an address lies in some function that has nothing to do with the exits. */
  @Test
  void placesThatAreAddedUpNameNoFunction() throws IOException {
    MemoryTrace trace = new MemoryTrace(1);
    for (int i = 0; i < 140_000; i++) {
      int number = i;
      trace.add(
          0,
          EventType.HLT,
          event ->
              event
                  .put(Field.TIME, number)
                  .put(Field.REASON, 12)
                  .put(Field.RIP, 0xffff_ffff_8100_0000L + number));
    }
    byte[] map = "ffffffff81000000 T function\n".getBytes(StandardCharsets.US_ASCII);
    Table table =
        Analysis.of(trace)
            .reports(List.of(new HotspotsReport()))
            .symbols(SymbolTable.of("map", ByteBuffer.wrap(map)))
            .run()
            .tables()
            .get(0);
    assertThat(table.rows()).isEqualTo(35); // pages
    assertThat(table.notes())
        .containsExactly(
            "too many sites: guest addresses are rounded to 4 KiB, and no function is named");
  }

  @Test
  void registersOfOneDeviceAreOneRow() {
    MemoryTrace trace = new MemoryTrace(2);
    for (int i = 0; i < 8; i++) {
      int port = i < 6 ? 0x3f8 + i : 0x9000 + i; // what is at 0x9000 nobody knows
      long time = 10 + i;
      trace.add(
          i % 2,
          EventType.PIO,
          event -> event.put(Field.TIME, time).put(Field.REASON, 30).put(Field.PORT, port));
    }
    trace.add(0, EventType.HLT, event -> event.put(Field.TIME, 20).put(Field.REASON, 12));
    HotspotsReport report =
        new HotspotsReport(List.of(HotspotKey.DEVICE), HotspotFilter.ALL, "count", 0);
    Table table = Analysis.run(trace, List.of(report), 2).tables().get(0);
    assertThat(new TableText(0, 0).render(table))
        .startsWith(
            """
            Hotspots
              device  count   share                      first time                       last time
              uart        6  66.7 %  2026-01-02T03:04:05.000000010Z  2026-01-02T03:04:05.000000015Z
                          3  33.3 %  2026-01-02T03:04:05.000000016Z  2026-01-02T03:04:05.000000020Z
            """);
  }

  @Test
  void notCapturedDoesNotPassAFilter() {
    assertThat(hotspots("event", "cpl<=3", "count", 0, SymbolTable.EMPTY))
        .contains("  CPUID      1  100.0 %")
        .doesNotContain("PIO");
    assertThat(hotspots("event", "reason=cpuid", "count", 0, SymbolTable.EMPTY))
        .contains("CPUID")
        .doesNotContain("PIO");
  }

  private static long count(MemoryTrace trace, String where) {
    HotspotsReport report =
        new HotspotsReport(List.of(HotspotKey.VCPU), HotspotFilter.parse(where), "count", 0);
    Table table = Analysis.run(trace, List.of(report), 1).tables().get(0);
    return table.rows() == 0 ? 0 : table.number(0, 1);
  }

  /** What a user reads in a file he can ask for as it is there. */
  @Test
  void valuesAreWrittenAsTheFilesHaveThem() {
    MemoryTrace trace = new MemoryTrace(1);
    for (int i = 0; i < 5; i++) {
      int number = i;
      trace.add(
          0,
          EventType.EPT_FAULT,
          event ->
              event
                  .put(Field.TIME, 100 + number)
                  .put(Field.REASON, 48)
                  .put(Field.REGION, number == 0 ? 0 : 1)
                  .put(Field.FIRST_TOUCH, number < 2 ? 1 : 0));
    }
    assertThat(count(trace, "region=ram-low")).isEqualTo(1);
    assertThat(count(trace, "region!=RAM-LOW")).isEqualTo(4);
    assertThat(count(trace, "region~^ram")).isEqualTo(5);
    assertThat(count(trace, "region=1")).isEqualTo(4);
    assertThat(count(trace, "first_touch=true")).isEqualTo(2);
    assertThat(count(trace, "first_touch=0")).isEqualTo(3);
    assertThat(count(trace, "reason~^EPT_")).isEqualTo(5);
    assertThat(count(trace, "event~PIO|MMIO")).isZero();
    assertThat(count(trace, "time>=2026-01-02T03:04:05.000000103Z")).isEqualTo(2);
    assertThat(count(trace, "time<" + (MemoryTrace.EPOCH + 101))).isEqualTo(1);
  }

  @Test
  void mistakesAreOneLine() {
    assertThatThrownBy(() -> HotspotFilter.parse("function>3"))
        .hasMessage("function is text: it takes = != or ~, not >");
    assertThatThrownBy(() -> HotspotFilter.parse("function~("))
        .hasMessageStartingWith("'(' is no regular expression: ");
    assertThatThrownBy(() -> HotspotFilter.parse("offset=x"))
        .hasMessageStartingWith("'x' is no value of offset: how far");
    assertThatThrownBy(() -> HotspotKey.named("colour"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "hotspots have no column 'colour'; there are event, reason, target");
    assertThatThrownBy(() -> EventFilter.parse("port"))
        .hasMessage("not a condition: 'port'; one is NAME=VALUE, also with != < <= > >= ~");
    assertThatThrownBy(() -> EventFilter.parse("harbour=1"))
        .hasMessageStartingWith("exits have no harbour; there are event, sequence, vcpu,");
    assertThatThrownBy(() -> EventFilter.parse("port=http"))
        .hasMessage("'http' is no value of port: I/O port");
    assertThatThrownBy(() -> EventFilter.parse("event=TEA"))
        .hasMessageStartingWith("there is no event TEA; exits are PIO, MMIO, CPUID,");
    assertThatThrownBy(() -> EventFilter.parse("mode=LARGE"))
        .hasMessageStartingWith("there is no mode LARGE; there are REAL, ");
    assertThatThrownBy(() -> EventFilter.parse("region<ram-low"))
        .hasMessage("region is text: it takes = != or ~, not <");
    assertThatThrownBy(() -> EventFilter.parse("port~3f8"))
        .hasMessage("port is no text: it takes = != < <= > >=, not ~");
    assertThatThrownBy(() -> EventFilter.parse("time>2026T"))
        .hasMessageStartingWith("'2026T' is no time; one is 2026-01-02T");
    assertThatThrownBy(() -> EventFilter.parse("first_touch=maybe"))
        .hasMessageStartingWith("'maybe' is no value of first_touch: ");
    assertThatThrownBy(() -> HotspotFilter.parse("harbour=1"))
        .hasMessageStartingWith("exits have no harbour; there are event, reason, target, device,");
    assertThatThrownBy(() -> hotspots("event", "", "luck", 0, SymbolTable.EMPTY))
        .hasMessageStartingWith(
            "hotspots cannot be sorted by 'luck'; there are event, count, share, guest_ns");
  }
}
