package io.trapscope.analyzer.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.compare.Recordings;
import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.Table;
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

      What `trapscope analyze` and `trapscope compare` find, a table a file. Made from the reports' schemas by
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
      - CSV (RFC 4180, but lines end with LF; UTF-8) has types, units, meanings and the trace's metadata beside it in
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

      ## What is counted

      `analyzer/differential` computes every table anew from these definitions and the events.

      **Exits.** An exit is an event of a type from PIO to EXIT that has a reason. A reason, or
      another code, that this version has no name for is shown as its number. Times are summed over
      the exits that captured them; a sum is null where none did, but over time and by phase, where
      it is 0 if any exit of the trace did. A time of 2^53 ns (104 days) or more is none: only a damaged trace has it, and it counts
      as not captured, except in `exits` and `memory_translation`, which show what the event has.

      **Stages.** An exit's time is in six stages, none of which overlaps another. `guest` comes
      before it; the others are its handling, in this order: `kernel`, what the host's kernel did,
      where its tracepoints were recorded; `loop`, `dispatch` and `device` of a guest that Trapscope
      ran; `user`, the time in another VMM. An attached trace has `kernel` and `user`, a run of our
      own the others and, with kernel events, `kernel`. Time halted is in none: `perf kvm stat` has
      it in its time of a HLT.

      **Percentiles** are of the exits that captured a time. The p-th is the smallest value that p per cent of all values do not exceed.
      The number given is that or, by as much as the column says, above it, and never above the
      longest.

      **The run's beginning** is the earliest of the streams' first events, with the guest time
      before it. Buckets of time and phases begin there.

      **Over time and by phase** an exit, its handling and its EPT fault belong to where the exit
      is. Guest time is cut at the borders: it passed just before its exit. So is idle time, which
      passes after the handling of its HLT. Without `--bucket` a bucket is 1, 2 or 5 times a power of
      ten of 0.1 ms, so that there are at most 200; with it there are at most 10,000, and of a longer
      trace buckets are ten or a hundred times as long. A block of `ept_fault_map` is the smallest
      power of two, from 4 KiB on, of which 128 reach to the end of RAM, or where the trace does not
      tell that, as of an attached VM, beyond all faults below 2^52; faults elsewhere, or without
      a GPA, are in none.

      **Phases** begin where their mark comes first: text at the end of the line on console 0 that
      has it, anything else at the exit. What lasts beyond the run's end is the last phase's; what
      came before its beginning, as only a damaged trace has it, is the first one's and the first
      bucket's. So every exit is in one phase. A boot of Linux has these, in this order, each where it
      comes, but not before the one before it; a mark of one's own that is called so replaces it.

      | phase | begins with |
      |---|---|
      | `loader` | the run, where another phase of a boot comes later; else it is called `run` |
      | `decompression` | text `Decompressing Linux`; or the run, of a bzImage that is entered at its 32- or 64-bit entry |
      | `early kernel` | the first exit at a RIP from 0xffff800000000000 on |
      | `drivers` | text `devtmpfs: initialized`, `NET: Registered`, `clocksource: Switched` or `Serial: 8250` |
      | `init` | text `Run ... as init process`; without it the first exit at CPL 3 |
      | `shell` | text of a prompt: one word that ends in `#`, `$`, `%` or `>`, and a space; or `login:` |
      | `end` | text `reboot: `, `System halted`, `Power down`, `Restarting system` or `Requesting system ` |

      **Console.** A line's pieces come in the order of time, whichever stream they are in; of equal
      times in the order of streams. A line begins with its first byte.

      **Functions.** An address lies in the last function that begins at or before it, if by less
      than 1 MiB. Exits in user mode (CPL 3; without a CPL, RIP in the lower half) are looked up as
      they are. For the others a kernel's offset is searched, for either half of the addresses by
      itself, among multiples of 2 MiB: that with which most places fit, a place being a RIP and
      the kind of instruction that exits there. It is taken if at least 3 places fit, half of all,
      and twice as many as with the next best; or if it is 0 and all fit. Otherwise 0 is.

      **Hotspots.** Direction is that of the access; of an EPT fault what the qualification says, of
      a control register READ for MOV from it and WRITE for anything else. A device is what the
      trace's map of the machine has there; else, with "(absent)" where there is such a map, what
      every PC has ([registers.txt](src/main/resources/io/trapscope/analyzer/platform/registers.txt)).
      `--where` asks for fields of the event as `exits` has them, and for the columns of `--by`; what
      was not captured passes no condition. Text is compared whatever its case; `~` finds a regular
      expression in it. A time is written as text or in ns since 1970.

      **Accesses** (the three tables of `register_use`) are PIO exits of one item (`count` 1), MMIO
      exits, and RDMSR and WRMSR, whose register, direction, size and value were captured. Each
      vCPU's are taken in their order; other exits between them do not matter.

      - A register is a port, address or MSR accessed in one width. An index register and its data
        register are a pair: 0xcf8 with 0xcfc to 0xcff; 0x22, 0x2e, 0x4e, 0x70, 0x72, 0x3b4, 0x3c4,
        0x3ce, 0x3d4 and 0x510 with the port behind each; MMIO 0xfec00000 with 0xfec00010. Where the
        index is written and the next access goes to the data, that access is to the register
        `[index]`, and in runs has the write's handling and guest time too. An access to a data
        register without is to nobody knows what: it is in no row of `unchanged_accesses`.
      - A loop or sequence is as long as it can be, 4 accesses or more, and one access may end one
        sequence and begin the next. A poll loop's reads are of one register and value; it is named
        by the place of its first read. A STRING's accesses are to one register, in one direction,
        from one place; an ASCENDING's go on by their size, from anywhere. Neither has MSRs, accesses
        with an index, or reads of which fewer than half found another value than the one before;
        nor registers whose role in registers.txt is status, command, index or delay.
      - `could_be` is 1 for a PAIR or a STRING; for an ASCENDING the aligned accesses, of 4 bytes to
        ports and of 8 to memory, that cover it.
      - The value of the access before is that of a read or a write, whichever came.

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

  /** The tables of a comparison; hotspots by what they are by without --by. */
  private static List<TableSchema> comparisons() {
    List<Results> side = List.of(Analysis.run(new MemoryTrace(1), Reports.all(), 1));
    List<String> keys = List.of("target", "direction", "size");
    return new Recordings(side, side, keys).tables().stream().map(Table::schema).toList();
  }

  private static String markdown() {
    StringBuilder out = new StringBuilder(INTRODUCTION);
    schemas()
        .forEach((schema, report) -> append(schema, "the report `" + report.name() + "`", out));
    comparisons().forEach(schema -> append(schema, "`trapscope compare`", out));
    return out.toString().stripTrailing() + "\n";
  }

  private static void append(TableSchema schema, String source, StringBuilder out) {
    out.append("## ").append(schema.name()).append("\n\n").append(schema.title());
    out.append(", of ").append(source).append(". A row is ").append(schema.meaning());
    out.append(".\n\n| column | type | unit | meaning |\n|---|---|---|---|\n");
    for (Column column : schema.columns()) {
      out.append("| `").append(column.name()).append("` | ");
      out.append(column.type().label()).append(" | ").append(column.unit().label());
      out.append(" | ").append(column.meaning()).append(" |\n");
    }
    out.append('\n');
  }
}
