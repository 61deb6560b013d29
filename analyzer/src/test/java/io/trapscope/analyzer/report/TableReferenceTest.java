package io.trapscope.analyzer.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.tally.SpanReader;
import io.trapscope.analyzer.tally.Tallies;
import io.trapscope.recorder.event.Counter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** TABLES.md says what the reports' schemas say. */
class TableReferenceTest {
  private static final Path FILE = Path.of("TABLES.md");

  private static final String INTRODUCTION =
      """
      # Tables

      What `trapscope analyze` finds, a table a file. Made from the reports' schemas by
      `TableReferenceTest`, which fails when this file is stale; to make it anew:
      `./mvnw test -pl analyzer -am -Dtest=TableReferenceTest -Dtrapscope.rewrite=true
      -Dsurefire.failIfNoSpecifiedTests=false`.

      A file is called `NAME.arrow`, `NAME.parquet` or `NAME.csv`, as `--format` says. A cell that is
      null was not captured or does not apply; it is never 0 or empty instead.

      - Arrow IPC is uncompressed, so that it can be mapped into memory. The unit and the meaning of a
        column are in its field's metadata (`unit`, `meaning`); the trace's properties, its coverage
        and its loss are in the schema's metadata (`trapscope.*`).
      - Parquet is compressed with Zstandard. It has no duration, so one is an INT64 of ns; readers
        that know Arrow (pyarrow, polars) find in `ARROW:schema` a duration again, and the same
        metadata as in the Arrow file.
      - CSV (RFC 4180, UTF-8) has types, units, meanings and the trace's metadata beside it in
        `NAME.csv-metadata.json`, as W3C's CSV on the Web describes it. Null is an empty cell, an
        empty text is `""`.

      | type | Arrow | polars | DuckDB | JSON | CSV |
      |---|---|---|---|---|---|
      | bool | bool | Boolean | BOOLEAN | true, false | true, false |
      | uint8 ... uint64, int64 | the same | UInt8 ... | UTINYINT ... | number; string "0x..." where the unit is address or bits | decimal |
      | float64 | double | Float64 | DOUBLE | number | decimal |
      | text | dictionary of string | Categorical | VARCHAR | string | text |
      | bytes | binary | Binary | BLOB | hexadecimal string | hexadecimal |
      | timestamp | timestamp[ns, UTC] | Datetime(ns, UTC) | TIMESTAMPTZ_NS | RFC 3339 with nine digits | the same |
      | duration | duration[ns] | Duration(ns) | of Arrow INTERVAL, whole microseconds: cast to int64 in Arrow for ns; of Parquet BIGINT of ns | number of ns | number of ns |

      """;

  @Test
  void fileSaysWhatTheSchemasSay() throws IOException {
    String wanted = markdown();
    if (Boolean.getBoolean("trapscope.rewrite")) {
      Files.writeString(FILE, wanted);
    }
    assertThat(FILE).as("TABLES.md is stale; its first lines say how to rewrite it").exists();
    assertThat(Files.readString(FILE)).isEqualTo(wanted);
  }

  @Test
  void columnsThatShareANameAreAlike() {
    for (TableSchema schema : schemas().keySet()) {
      for (TableSchema other : schemas().keySet()) {
        for (Column column : schema.columns()) {
          for (Column same : other.columns()) {
            if (column.name().equals(same.name())) {
              assertThat(same.type().isNumber())
                  .as(schema.name() + " and " + other.name() + ", column " + column.name())
                  .isEqualTo(column.type().isNumber());
              assertThat(same.unit()).isEqualTo(column.unit());
            }
          }
        }
      }
    }
  }

  /** Every table there is, with the report that makes it. */
  private static Map<TableSchema, Report> schemas() {
    Map<TableSchema, Report> schemas = new LinkedHashMap<>();
    MemoryTrace empty = new MemoryTrace(1);
    TraceFacts facts = TraceFacts.of(empty).withCounters(List.of(Counter.count("vm", "exits", 1)));
    Findings nothing = new Findings(Tallies.of(empty), facts, new SpanReader(empty), Map.of());
    for (Report report : Reports.all()) {
      report.tables(nothing).forEach(table -> schemas.put(table.schema(), report));
      report.rows(facts).ifPresent(rows -> schemas.put(rows.schema(), report));
    }
    return schemas;
  }

  private static String markdown() {
    StringBuilder out = new StringBuilder(INTRODUCTION);
    schemas()
        .forEach(
            (schema, report) -> {
              out.append("## ").append(schema.name()).append("\n\n");
              out.append(schema.title()).append(", of the report `").append(report.name());
              out.append("`. A row is ").append(schema.meaning()).append(".\n\n");
              out.append("| column | type | unit | meaning |\n|---|---|---|---|\n");
              for (Column column : schema.columns()) {
                out.append("| `").append(column.name()).append("` | ");
                out.append(column.type().label()).append(" | ").append(column.unit().label());
                out.append(" | ").append(column.meaning()).append(" |\n");
              }
              out.append('\n');
            });
    return out.toString().stripTrailing() + "\n";
  }
}
