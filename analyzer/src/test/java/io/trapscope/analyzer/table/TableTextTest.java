package io.trapscope.analyzer.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TableTextTest {
  private static Table table() {
    Table.Builder table =
        Table.builder(
            new TableSchema(
                "hotspots",
                "Hotspots",
                "a place",
                List.of(
                    Column.text("device", "device"),
                    Column.text("target", "target"),
                    Column.text("location", "place"),
                    Column.count("count", "exits"),
                    Column.duration("guest_ns", "guest time"),
                    Column.duration("loop_ns", "loop time"))));
    table.text(0, "uart0");
    table.text(1, "port 0x3f8");
    table.text(2, "io_serial_out+0x16");
    table.number(3, 17316);
    table.number(4, 2_000_000);
    table.number(5, 3000);
    table.endRow();
    return table.build();
  }

  @Test
  void narrowTerminalsKeepCountsAndPlaces() {
    assertThat(new TableText(58, 0).render(table()))
        .isEqualTo(
            """
            Hotspots
              device  target      location             count  guest ns
              uart0   port 0x3f8  io_serial_out+0x16  17,316   2.00 ms
              not shown here: loop ns
            """);
    assertThat(new TableText(45, 0).render(table()))
        .isEqualTo(
            """
            Hotspots
              target      location             count
              port 0x3f8  io_serial_out+0x16  17,316
              not shown here: device, guest ns, loop ns
            """);
  }

  @Test
  void oneColumnAlwaysStays() {
    assertThat(new TableText(5, 0).render(table()))
        .isEqualTo(
            """
            Hotspots
              target
              port 0x3f8
              not shown here: device, location, count, guest ns, loop ns
            """);
  }
}
