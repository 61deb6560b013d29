package io.trapscope.analyzer.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.trapscope.analyzer.compare.Recordings;
import io.trapscope.analyzer.notebooks.PythonEnvironment;
import io.trapscope.analyzer.report.EventRows;
import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.analyzer.report.TraceFacts;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The files open in the real pyarrow, polars and DuckDB with every documented column, type, unit
 * and null. The checks are in {@code src/test/python/check_tables.py}; {@code notebooks/venv} makes
 * the Python environment. Where that has not been made the test is skipped, in CI it never is.
 */
class TablesInPythonTest {
  /** Several batches, so that what differs between first and later ones is met. */
  private static final int EXITS = 200_000;

  @TempDir Path directory;

  @ParameterizedTest
  @EnumSource
  void filesOpenInPyarrowPolarsAndDuckDb(TableFormat format)
      throws IOException, InterruptedException {
    Path python = PythonEnvironment.python();
    Results results = Analysis.run(source(), Reports.all(), 2);
    results.write(directory, format);
    Files.writeString(directory.resolve("expected.json"), expected(schemas(results)));
    Recordings recordings = new Recordings(List.of(results), List.of(results), List.of("target"));
    Path compared = directory.resolve("compared");
    recordings.write(compared, format);
    List<TableSchema> comparisons = recordings.tables().stream().map(Table::schema).toList();
    Files.writeString(compared.resolve("expected.json"), expected(comparisons));
    String output =
        PythonEnvironment.run(
            120,
            python.toString(),
            "analyzer/src/test/python/check_tables.py",
            format.name().toLowerCase(Locale.ROOT),
            directory.toString());
    int files = schemas(results).size() + comparisons.size();
    assertThat(output.strip()).isEqualTo(files + " files, pyarrow, polars, DuckDB: as documented");
  }

  private static MemoryTrace source() {
    MemoryTrace source = new MemoryTrace(2);
    byte[] string = "Hello, world!".getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < EXITS; i++) {
      long n = i;
      switch (i % 4) {
        case 0 ->
            source.add(
                0,
                EventType.PIO,
                event -> {
                  exit(event, ExitReason.IO_INSTRUCTION, n);
                  event.put(Field.PORT, 0x3f8).put(Field.VALUE, n & 0xff).put(Field.SIZE, 1);
                  event.putBytes(Field.DATA, string, 0, (int) (n % string.length));
                });
        case 1 ->
            source.add(
                1,
                EventType.CPUID,
                event -> exit(event, ExitReason.CPUID, n).put(Field.LEAF, 0x8000_0000L));
        case 2 ->
            source.add(
                0,
                EventType.HYPERCALL,
                event ->
                    exit(event, ExitReason.VMCALL, n)
                        .put(Field.HYPERCALL, 22)
                        .put(Field.ARG0, -1L)
                        .put(Field.KVM_EXIT, 200));
        default ->
            source.add(
                1,
                EventType.EPT_FAULT,
                event ->
                    exit(event, ExitReason.EPT_VIOLATION, n)
                        .put(Field.GPA, 0xffff_ffff_ffff_f000L)
                        .put(Field.QUALIFICATION, 2)
                        .put(Field.REGION, 0)
                        .put(Field.EPT_PAGE, 21)
                        .put(Field.FIRST_TOUCH, n % 8 == 3 ? 1 : 0));
      }
    }
    return source;
  }

  private static EventWriter exit(EventWriter event, ExitReason reason, long n) {
    event.put(Field.TIME, n * 1000 + 1).put(Field.REASON, reason.code());
    return n % 2 == 0 ? event.put(Field.GUEST_TIME, n + 1) : event;
  }

  /** Of every table, those with a row an event too. */
  private static List<TableSchema> schemas(Results results) {
    List<TableSchema> schemas = new ArrayList<>();
    for (Table table : results.tables()) {
      schemas.add(table.schema());
    }
    for (Report report : Reports.all()) {
      report.rows(TraceFacts.of(source())).map(EventRows::schema).ifPresent(schemas::add);
    }
    return schemas;
  }

  /** What the check compares with: the tables' schemas, as the table reference prints them. */
  private static String expected(List<TableSchema> schemas) throws IOException {
    StringWriter out = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
      json.writeStartObject();
      json.writeNumberField("exits", EXITS);
      json.writeNumberField("epoch", MemoryTrace.EPOCH);
      json.writeObjectFieldStart("tables");
      for (TableSchema schema : schemas) {
        json.writeArrayFieldStart(schema.name());
        for (Column column : schema.columns()) {
          json.writeStartObject();
          json.writeStringField("name", column.name());
          json.writeStringField("type", column.type().label());
          json.writeStringField("unit", column.unit().label());
          json.writeStringField("meaning", column.meaning());
          json.writeEndObject();
        }
        json.writeEndArray();
      }
      json.writeEndObject();
      json.writeEndObject();
    }
    return out.toString();
  }
}
