package io.trapscope.analyzer.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.symbols.SymbolTable;
import io.trapscope.analyzer.table.TableText;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.io.IOException;
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

  private String hotspots(String by, String where, String sort, int top, SymbolTable symbols) {
    List<HotspotKey> keys = Arrays.stream(by.split(",")).map(HotspotKey::named).toList();
    EventFilter filter = where.isEmpty() ? EventFilter.ALL : EventFilter.parse(where);
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
    SymbolTable symbols = SymbolTable.read(map);
    assertThat(hotspots("function,location", "event=PIO,port=0x3f8", "count", 0, symbols))
        .startsWith(
            """
            Hotspots
              function  location    count   share  device ns""")
        .contains("  first     first+0x0       2  50.0 %      20 ns")
        .contains("  second    second+0x0      2  50.0 %      20 ns");
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

  @Test
  void mistakesAreOneLine() {
    assertThatThrownBy(() -> HotspotKey.named("colour"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("hotspots have no column colour; there are event, reason, target");
    assertThatThrownBy(() -> EventFilter.parse("port"))
        .hasMessage("not a condition: 'port'; one is NAME=VALUE, also with != < <= > >=");
    assertThatThrownBy(() -> EventFilter.parse("harbour=1"))
        .hasMessage("events have no number called harbour");
    assertThatThrownBy(() -> EventFilter.parse("port=http"))
        .hasMessage("'http' is no value of port: I/O port");
    assertThatThrownBy(() -> EventFilter.parse("event=TEA")).hasMessage("there is no event TEA");
    assertThatThrownBy(() -> hotspots("event", "", "luck", 0, SymbolTable.EMPTY))
        .hasMessageStartingWith("hotspots cannot be sorted by luck; there are count, guest_ns");
  }
}
