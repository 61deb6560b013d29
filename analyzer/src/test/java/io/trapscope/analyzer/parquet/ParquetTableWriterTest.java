package io.trapscope.analyzer.parquet;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.arrow.ArrowTableWriter;
import io.trapscope.analyzer.notebooks.PythonEnvironment;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.TableFile;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A Parquet file holds what the Arrow file of the same rows holds. */
class ParquetTableWriterTest {
  private static final int ROWS = 3 * ParquetTableWriter.PAGE_ROWS + 77;

  private static final TableSchema SCHEMA =
      new TableSchema(
          "sample",
          "Sample",
          "a row",
          List.of(
              Column.address("address", "all 64 bits"),
              Column.of("port", ColumnType.UINT16, Unit.ADDRESS, "16 bits"),
              Column.of("flag", ColumnType.BOOL, Unit.NONE, "a bit"),
              Column.duration("took", "nanoseconds"),
              Column.of("share", ColumnType.FLOAT64, Unit.RATIO, "a part"),
              Column.text("word", "free text, in runs and in none"),
              Column.words("code", List.of("zero", "one", "two", "never"), "known words"),
              Column.of("data", ColumnType.BYTES, Unit.BYTES, "bytes"),
              Column.text("late", "null in the first page"),
              Column.count("absent", "null in every row")));

  private static final String COMPARE =
      """
      import sys, pyarrow, pyarrow.ipc, pyarrow.parquet
      arrow = pyarrow.ipc.open_file(sys.argv[1] + "/sample.arrow").read_all()
      file = pyarrow.parquet.ParquetFile(sys.argv[1] + "/sample.parquet")
      parquet = file.read()
      assert parquet.schema.equals(arrow.schema, check_metadata=True), parquet.schema
      for name in arrow.column_names:
          found, wanted = (t[name].cast(pyarrow.string()) if name in ("word", "code", "late")
                           else t[name] for t in (parquet, arrow))
          assert found.equals(wanted), name
      for name, low, high in [("address", 0, 2**64 - 1), ("took", 0, 10)]:
          found = [file.metadata.row_group(i).column(arrow.column_names.index(name)).statistics
                   for i in range(file.num_row_groups)]
          assert all(low <= s.min <= s.max <= high for s in found), found
      print(file.num_row_groups, "row groups,", parquet.num_rows, "rows alike")
      """;

  @TempDir Path directory;

  private static void fill(TableFile file) {
    Random random = new Random(7);
    byte[] bytes = {1, 2, 3, 4, 5, 6, 7};
    for (int row = 0; row < ROWS; row++) {
      file.number(0, random.nextLong());
      if (random.nextInt(3) != 0) {
        file.number(1, row & 0xffff);
        file.number(2, random.nextInt(2));
        file.bytes(7, bytes, 0, random.nextInt(8));
      }
      file.number(3, row % 11);
      file.real(4, row / 2.0);
      file.text(5, "w" + (row % 10_000 < 5_000 ? random.nextInt(1000) : 7));
      file.number(6, row / 100 % 3);
      if (row >= ParquetTableWriter.PAGE_ROWS && row % 5 == 0) {
        file.text(8, "late " + row % 3);
      }
      file.endRow();
    }
  }

  @Test
  void rowsOfSeveralRowGroupsReadBack() throws IOException, InterruptedException {
    Path python = PythonEnvironment.python();
    Map<String, String> metadata = Map.of("trapscope.exits", "3");
    try (TableFile arrow = new ArrowTableWriter(directory, SCHEMA, metadata);
        TableFile parquet = new ParquetTableWriter(directory, SCHEMA, metadata, 2)) {
      fill(arrow);
      fill(parquet);
      assertThat(parquet.rows()).isEqualTo(ROWS);
      arrow.finish();
      arrow.commit();
      parquet.finish();
      parquet.commit();
    }
    String text = PythonEnvironment.run(60, python.toString(), "-c", COMPARE, directory.toString());
    assertThat(text).contains("2 row groups, " + ROWS + " rows alike");
    assertThat(Files.size(directory.resolve("sample.parquet")))
        .isLessThan(Files.size(directory.resolve("sample.arrow")));
  }

  @Test
  void uncommittedFileIsGone() throws IOException {
    try (TableFile file = new ParquetTableWriter(directory, SCHEMA, Map.of())) {
      fill(file);
    }
    assertThat(directory).isEmptyDirectory();
  }
}
