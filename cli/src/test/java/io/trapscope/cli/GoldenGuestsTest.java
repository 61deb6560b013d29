package io.trapscope.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.trapscope.analyzer.folded.FoldedStacks;
import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.analyzer.symbols.SymbolTable;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.Table;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceReader;
import io.trapscope.vmm.guests.GroundTruth;
import io.trapscope.vmm.guests.Guests;
import io.trapscope.vmm.guests.HostKind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The golden trace of each bundled guest yields the tables beside it, whatever is added later: a
 * column that the golden file does not have is not compared. {@code traces/record} makes what is
 * missing.
 */
class GoldenGuestsTest {
  private static final Path FOLDER = Path.of("../traces/format-1");

  /** Set to add tables that a golden file has not instead of comparing; what it has stays. */
  private static final boolean WRITE = Boolean.getBoolean("trapscope.golden.write");

  private static TraceReader open(Guests guest) throws TraceException {
    return TraceReader.open(FOLDER.resolve(guest.title()));
  }

  private static Results analyze(Guests guest, int threads) throws TraceException {
    return Analysis.run(open(guest), Reports.all(), threads);
  }

  @ParameterizedTest
  @EnumSource
  void yieldsItsTables(Guests guest) throws TraceException, IOException {
    Path golden = FOLDER.resolve(guest.title() + ".tables.csv");
    Results results = analyze(guest, 1);
    if (WRITE) {
      addMissing(golden, results);
      abort("skipped: asked to write the tables that are missing");
    }
    List<String> expected = sections(Files.readString(golden));
    Results parallel = analyze(guest, 4);
    for (String section : expected) {
      assertThat(like(section, results)).isEqualTo(section);
      assertThat(like(section, parallel)).isEqualTo(section);
    }
    // Every table has to be there: traces/record adds those of a new report.
    assertThat(expected.stream().map(GoldenGuestsTest::title))
        .containsAll(results.tables().stream().map(table -> table.schema().name()).toList());
    assertThat(results.isComplete()).isTrue();
  }

  @Test
  void exitsHasTheCountsOfItsTable() throws TraceException {
    GroundTruth truth = GroundTruth.load();
    forEach(Guests.EXITS, truth::accept);
    assertThat(truth.differences(HostKind.SOFT)).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void endsAsItsGuestDoes(Guests guest) throws TraceException {
    List<RunEnd> ends = new ArrayList<>();
    forEach(
        guest,
        event -> {
          if (event.type() == EventType.END) {
            ends.add(RunEnd.of((int) event.get(Field.END)));
          }
        });
    assertThat(ends).containsExactly(guest.expectedEnd());
  }

  @Test
  void callsHasItsCallers(@TempDir Path directory) throws TraceException, IOException {
    byte[] map =
        "10070 T start\n100a0 T outer\n100c0 T middle\n100e0 T inner\n100f0 T leaf\n"
            .getBytes(StandardCharsets.US_ASCII);
    Path folded = directory.resolve("folded");
    FoldedStacks.write(
        open(Guests.CALLS),
        SymbolTable.of("map", ByteBuffer.wrap(map)),
        FoldedStacks.Weight.COUNT,
        folded);
    assertThat(Files.readString(folded))
        .isEqualTo(
            """
            0x10000;EPT_VIOLATION 4
            leaf;IO_INSTRUCTION 1
            start;EPT_VIOLATION 1
            start;IO_INSTRUCTION 1
            start;outer;IO_INSTRUCTION 7
            start;outer;middle;IO_INSTRUCTION 21
            start;outer;middle;inner;IO_INSTRUCTION 105
            """);
  }

  @Test
  void helloPrinted() throws TraceException {
    ByteArrayOutputStream console = new ByteArrayOutputStream();
    forEach(
        Guests.HELLO,
        event -> {
          if (event.type() == EventType.CONSOLE_OUTPUT) {
            console.writeBytes(event.getBytes(Field.DATA));
          }
        });
    assertThat(console.toString(StandardCharsets.UTF_8)).isEqualTo("Hello, world!\n");
  }

  private static void forEach(Guests guest, Consumer<EventReader> consumer) throws TraceException {
    EventCursor cursor = open(guest).merged();
    while (cursor.next()) {
      consumer.accept(cursor.event());
    }
  }

  /** Adds the tables that the golden file has not; what it has stays. */
  private static void addMissing(Path golden, Results results) throws IOException {
    String before = Files.exists(golden) ? Files.readString(golden) : "";
    List<String> there = sections(before).stream().map(GoldenGuestsTest::title).toList();
    StringBuilder all = new StringBuilder(before);
    for (Table table : results.tables()) {
      if (!there.contains(table.schema().name())) {
        all.append(render(table, table.schema().columns().stream().map(Column::name).toList()));
      }
    }
    Files.writeString(golden, all);
  }

  /** The tables of a golden file, each with its title and its line of columns. */
  private static List<String> sections(String golden) {
    return Arrays.stream(golden.split("(?m)^(?=# )")).filter(text -> !text.isEmpty()).toList();
  }

  private static String title(String section) {
    return section.substring("# ".length(), section.indexOf('\n'));
  }

  /** The same table of these results, with the columns that the section has. */
  private static String like(String section, Results results) {
    List<String> names = List.of(section.lines().toList().get(1).split(","));
    return results.table(title(section)).map(table -> render(table, names)).orElse("none");
  }

  private static String render(Table table, List<String> names) {
    StringBuilder out = new StringBuilder("# ").append(table.schema().name()).append('\n');
    out.append(String.join(",", names)).append('\n');
    for (int row = 0; row < table.rows(); row++) {
      List<String> cells = new ArrayList<>();
      for (String name : names) {
        cells.add(cell(table, row, name));
      }
      out.append(String.join(",", cells)).append('\n');
    }
    return out.toString();
  }

  private static String cell(Table table, int row, String name) {
    List<Column> columns = table.schema().columns();
    int column = columns.stream().map(Column::name).toList().indexOf(name);
    assertThat(column).as("column %s of %s", name, table.schema().name()).isNotNegative();
    if (table.isNull(row, column)) {
      return "";
    }
    return switch (columns.get(column).type()) {
      case BOOL, UINT8, UINT16, UINT32, UINT64, INT64, TIMESTAMP, DURATION ->
          Long.toUnsignedString(table.number(row, column));
      case FLOAT64 -> Double.toString(table.real(row, column));
      case TEXT -> table.text(row, column).replace(',', ';');
      case BYTES -> HexFormat.of().formatHex(table.bytes(row, column));
    };
  }
}
