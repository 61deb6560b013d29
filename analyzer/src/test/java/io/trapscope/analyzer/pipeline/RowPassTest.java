package io.trapscope.analyzer.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.analyzer.report.TraceFacts;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableDirectory;
import io.trapscope.analyzer.table.TableFile;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.Kind;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows that are filled field by field hold what reading event by event finds. */
class RowPassTest {
  private static final int EVENTS = 5000;

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void everyRowIsItsEvent(int vcpus) throws IOException {
    long seed = 20261126 + vcpus;
    check(RandomTrace.of(seed, vcpus, EVENTS).cutInto(7, seed), "exits", EventType::isExit);
    check(
        RandomTrace.of(seed, vcpus, EVENTS).cutInto(7, seed),
        "memory_translation",
        type -> type == EventType.EPT_FAULT);
  }

  /** Of vCPUs that exit at the same time the first comes first, as in the merged stream. */
  @Test
  void equalTimesGoByStream() throws IOException {
    MemoryTrace trace = new MemoryTrace(3);
    for (int i = 0; i < 3000; i++) {
      long time = 100 + i / 7;
      trace.add(i % 3, EventType.HLT, event -> event.put(Field.TIME, time).put(Field.REASON, 12));
    }
    check(trace, "exits", EventType::isExit);
  }

  /** Only a damaged trace has such events; no other table counts them either. */
  @Test
  void withoutAReasonNothingIsAnExit() throws IOException {
    MemoryTrace trace = new MemoryTrace(1);
    for (int i = 0; i < 9; i++) {
      int number = i;
      trace.add(
          0,
          EventType.EPT_FAULT,
          event -> {
            event.put(Field.TIME, 100 + number).put(Field.EPT_PAGE, number < 5 ? 12 : 200);
            if (number % 3 == 0) {
              event.put(Field.REASON, 48);
            }
          });
    }
    Results results = Analysis.run(trace, Reports.all(), 1);
    results.write(directory, TableFormat.CSV);
    assertThat(Files.readAllLines(directory.resolve("exits.csv"))).hasSize(1 + 3);
    assertThat(Files.readAllLines(directory.resolve("memory_translation.csv")))
        .satisfiesExactly(
            names -> assertThat(names).endsWith(",guest_page_size,ept_page_size"),
            row -> assertThat(row).endsWith(",,4096"),
            row -> assertThat(row).endsWith(",,4096"),
            row -> assertThat(row).endsWith(",,")); // 2^200 is no size
    assertThat(Files.readAllLines(directory.resolve("ept_faults.csv")))
        .satisfiesExactly(
            names -> assertThat(names).startsWith("region,access,guest_page_size,"),
            row -> assertThat(row).startsWith(",,,4096,2,"),
            row -> assertThat(row).startsWith(",,,,1,"));
  }

  @Test
  void bytesOfAnyLengthAndCountsOfInstructions() throws IOException {
    MemoryTrace trace = new MemoryTrace(2);
    byte[] data = new byte[3000];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) (i * 7);
    }
    for (int i = 0; i < 2000; i++) {
      int number = i;
      trace.add(
          i * 7 % 5 / 3,
          EventType.PIO,
          event -> {
            event.put(Field.TIME, 100 + number).put(Field.REASON, 30);
            if (number % 3 != 0) {
              event.put(Field.INSTRUCTIONS, 10L * number);
              event.putBytes(Field.DATA, data, number % 11, number * 37 % 2900);
            }
          });
    }
    check(trace, "exits", EventType::isExit);
  }

  @Test
  void tellsHowFarItIs() throws IOException {
    MemoryTrace trace = new MemoryTrace(1);
    int events = 200_000;
    for (int i = 0; i < events; i++) {
      long time = i;
      trace.add(0, EventType.HLT, event -> event.put(Field.TIME, time).put(Field.REASON, 12));
    }
    List<Long> told = new ArrayList<>();
    List<Report> exits = List.of(Reports.named("exits"));
    try (TableDirectory out = new TableDirectory(directory, Rows::new, Map.of())) {
      RowPass.run(
          trace,
          exits,
          TraceFacts.of(trace),
          out,
          (done, all) -> told.add(done * 100 / all),
          events);
    }
    assertThat(told).containsExactly(32L, 65L, 98L);
  }

  /** Keeps the rows. */
  private static final class Rows implements TableFile {
    final Table.Builder table;

    Rows(Path directory, TableSchema schema, Map<String, String> metadata) {
      this.table = Table.builder(schema);
    }

    @Override
    public void number(int column, long value) {
      table.number(column, value);
    }

    @Override
    public void real(int column, double value) {
      table.real(column, value);
    }

    @Override
    public void text(int column, String value) {
      table.text(column, value);
    }

    @Override
    public void bytes(int column, byte[] source, int offset, int length) {
      table.bytes(column, source, offset, length);
    }

    @Override
    public void endRow() {
      table.endRow();
    }

    @Override
    public long rows() {
      return 0;
    }

    @Override
    public void finish() {}

    @Override
    public Path commit() {
      throw new UnsupportedOperationException("nothing is written");
    }

    @Override
    public void close() {}
  }

  private interface Takes {
    boolean has(EventType type);
  }

  private void check(TraceReader trace, String report, Takes takes) throws IOException {
    List<Rows> made = new ArrayList<>();
    TraceFacts facts = TraceFacts.of(trace);
    TableFile.Opener opener =
        (directory, schema, metadata) -> {
          made.add(new Rows(directory, schema, metadata));
          return made.get(0);
        };
    try (TableDirectory out = new TableDirectory(directory, opener, Map.of())) {
      RowPass.run(trace, List.of(Reports.named(report)), facts, out, (done, all) -> {}, 1);
    }
    Table table = made.get(0).table.build();
    EventCursor cursor = trace.merged();
    int row = 0;
    while (cursor.next()) {
      if (takes.has(cursor.event().type())) {
        compare(table, row++, cursor.event(), facts);
      }
    }
    assertThat(table.rows()).isEqualTo(row).isGreaterThan(100);
  }

  private static void compare(Table table, int row, EventReader event, TraceFacts facts) {
    for (int i = 0; i < table.schema().columns().size(); i++) {
      Column column = table.schema().columns().get(i);
      String expected = expected(column.name(), event, facts);
      assertThat(cell(table, row, i))
          .as("row %d, %s, event %d of %s", row, column.name(), event.sequence(), event.vcpu())
          .isEqualTo(expected);
    }
  }

  /** The cell as text; null where it is. */
  private static String cell(Table table, int row, int column) {
    if (table.isNull(row, column)) {
      return null;
    }
    return switch (table.schema().columns().get(column).type()) {
      case TEXT -> table.text(row, column);
      case BYTES -> HexFormat.of().formatHex(table.bytes(row, column));
      case BOOL, UINT8, UINT16, UINT32, UINT64, INT64, FLOAT64, TIMESTAMP, DURATION ->
          Long.toString(table.number(row, column));
    };
  }

  private static String expected(String column, EventReader event, TraceFacts facts) {
    if (column.equals("event")) {
      return event.type().name();
    }
    boolean isSize = column.equals("guest_page_size") || column.equals("ept_page_size");
    String name = isSize ? column.substring(0, column.length() - "_size".length()) : column;
    for (Field field : Field.values()) {
      if (field.column().equals(name) && event.has(field)) {
        return expected(field, isSize, event, facts);
      }
    }
    return null;
  }

  private static String expected(Field field, boolean isSize, EventReader event, TraceFacts facts) {
    if (field.kind() == Kind.DATA) {
      return HexFormat.of().formatHex(event.getBytes(field));
    }
    long value = event.get(field);
    if (isSize) {
      return Long.toString(1L << value);
    }
    if (field == Field.REGION) {
      return facts.region((int) value);
    }
    if (field.kind() == Kind.CODE) {
      return field.render(value);
    }
    return Long.toString(field == Field.TIME ? value + facts.wallClockOffset() : value);
  }
}
