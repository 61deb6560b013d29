package io.trapscope.analyzer.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trapscope.analyzer.csv.CsvTableWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TableDirectoryTest {
  @TempDir Path temporary;

  private static Table table(String name) {
    List<Column> columns = List.of(Column.count("count", "a number"));
    Table.Builder table = Table.builder(new TableSchema(name, name, "a row", columns));
    table.number(0, 1);
    table.endRow();
    return table.build();
  }

  private static void write(Path directory, String... tables) throws IOException {
    try (TableDirectory out = new TableDirectory(directory, CsvTableWriter::new, Map.of())) {
      for (String name : tables) {
        out.write(table(name));
      }
      out.commit();
    }
  }

  @Test
  void allFilesAppear() throws IOException {
    Path directory = temporary.resolve("new");
    write(directory, "first", "second");
    assertThat(Files.list(directory).map(file -> file.getFileName().toString()))
        .containsExactlyInAnyOrder(
            "first.csv", "first.csv-metadata.json", "second.csv", "second.csv-metadata.json");
    assertThat(directory.resolve("first.csv")).hasContent("count\n1\n");
  }

  /** The last table finds no room: the first one stays what it was, though it was complete. */
  @Test
  void folderIsNeverHalfNewAndHalfOld() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full) && !Files.isRegularFile(full), "no /dev/full here");
    Files.writeString(temporary.resolve("first.csv"), "old");
    Files.createSymbolicLink(temporary.resolve("second.csv.part"), full);
    assertThatThrownBy(() -> write(temporary, "first", "second"))
        .isInstanceOf(IOException.class)
        .hasMessageMatching("cannot write .*second.csv: No space left on device");
    assertThat(temporary.resolve("first.csv")).hasContent("old");
    assertThat(Files.list(temporary)).containsExactly(temporary.resolve("first.csv"));
  }

  @Test
  void folderInTheWayOfAFileChangesNothing() throws IOException {
    Path directory = temporary.resolve("tables");
    Files.createDirectories(directory.resolve("second.csv"));
    assertThatThrownBy(() -> write(directory, "first", "second"))
        .hasMessage("cannot write " + directory.resolve("second.csv") + ": it is a folder");
    assertThat(Files.list(directory)).containsExactly(directory.resolve("second.csv"));
  }

  @Test
  void folderThatWasMadeForNothingGoes() throws IOException {
    Path directory = temporary.resolve("made");
    try (TableDirectory out = new TableDirectory(directory, CsvTableWriter::new, Map.of())) {
      out.write(table("first"));
    }
    assertThat(directory).doesNotExist();
  }
}
