package io.trapscope.analyzer.arrow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.RowBlock;
import io.trapscope.analyzer.table.RowSink;
import io.trapscope.analyzer.table.TableDirectory;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BitVector;
import org.apache.arrow.vector.DurationVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.Float8Vector;
import org.apache.arrow.vector.UInt2Vector;
import org.apache.arrow.vector.UInt8Vector;
import org.apache.arrow.vector.VarBinaryVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryEncoder;
import org.apache.arrow.vector.ipc.ArrowFileReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArrowTableWriterTest {
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
              Column.text("word", "free text"),
              Column.words("code", List.of("zero", "one", "two", "never"), "known words"),
              Column.of("data", ColumnType.BYTES, Unit.BYTES, "bytes"),
              Column.count("absent", "null in every row")));

  @TempDir Path directory;

  /** More than two batches and no multiple of 64, so that every edge is met. */
  private static final int ROWS = 2 * ArrowTableWriter.BATCH_ROWS + 77;

  private static void fill(RowSink sink, int rows) {
    byte[] bytes = {1, 2, 3, 4, 5, 6, 7};
    for (int row = 0; row < rows; row++) {
      sink.number(0, -1L - row);
      if (row % 3 != 0) {
        sink.number(1, row);
        sink.number(2, row & 1);
        sink.bytes(7, bytes, 0, row % 8);
      }
      sink.number(3, row * 10L);
      sink.real(4, row / 2.0);
      sink.text(5, "w" + row % 1000);
      sink.number(6, row % 3);
      sink.endRow();
    }
  }

  @Test
  void everyCellReadsBack() throws IOException {
    Path file;
    try (ArrowTableWriter writer = new ArrowTableWriter(directory, SCHEMA, Map.of("k", "v"))) {
      fill(writer, ROWS);
      assertThat(writer.rows()).isEqualTo(ROWS);
      writer.finish();
      file = writer.commit();
    }
    try (RootAllocator allocator = new RootAllocator();
        FileChannel channel = FileChannel.open(file);
        ArrowFileReader reader = new ArrowFileReader(channel, allocator)) {
      VectorSchemaRoot root = reader.getVectorSchemaRoot();
      assertThat(root.getSchema().getCustomMetadata()).containsEntry("k", "v");
      assertThat(root.getSchema().findField("took").getMetadata())
          .containsEntry("unit", "ns")
          .containsEntry("meaning", "nanoseconds");
      int row = 0;
      while (reader.loadNextBatch()) {
        try (FieldVector words = decoded(reader, root, "word");
            FieldVector codes = decoded(reader, root, "code")) {
          for (int i = 0; i < root.getRowCount(); i++, row++) {
            checkRow(root, i, row);
            assertThat(words.getObject(i)).hasToString("w" + row % 1000);
            assertThat(codes.getObject(i)).hasToString(List.of("zero", "one", "two").get(row % 3));
          }
        }
      }
      assertThat(row).isEqualTo(ROWS);
      assertThat(reader.lookup(6).getVector().getValueCount()).isEqualTo(3);
    }
    assertThat(directory).isDirectoryContaining(path -> path.endsWith("sample.arrow"));
    assertThat(Files.list(directory)).hasSize(1);
  }

  /** Blocks of rows make the same file as the same rows one at a time. */
  @Test
  void blocksMakeTheSameFile() throws IOException {
    Path byRow;
    try (ArrowTableWriter writer = new ArrowTableWriter(directory, SCHEMA, Map.of("k", "v"))) {
      fill(writer, ROWS);
      writer.finish();
      byRow = writer.commit();
    }
    Path byBlock;
    Path other = Files.createDirectory(directory.resolve("other"));
    try (ArrowTableWriter writer = new ArrowTableWriter(other, SCHEMA, Map.of("k", "v"))) {
      RowBlock block = new RowBlock(SCHEMA);
      for (int row = 0; row < ROWS; row += block.rows()) {
        block.clear();
        block.add(Math.min(RowBlock.CAPACITY, ROWS - row));
        fill(block, row);
        writer.append(block);
      }
      writer.finish();
      byBlock = writer.commit();
    }
    assertThat(byBlock).hasSameBinaryContentAs(byRow);
  }

  /** The rows of {@link #fill(RowSink, int)} from {@code first} on. */
  private static void fill(RowBlock block, int first) {
    byte[] bytes = {1, 2, 3, 4, 5, 6, 7};
    for (int i = 0; i < block.rows(); i++) {
      int row = first + i;
      number(block, 0, i, -1L - row);
      if (row % 3 != 0) {
        number(block, 1, i, row);
        number(block, 2, i, row & 1);
        int from = block.column(7).bytes(i, row % 8);
        System.arraycopy(bytes, 0, block.column(7).heap(), from, row % 8);
      }
      number(block, 3, i, row * 10L);
      number(block, 4, i, Double.doubleToRawLongBits(row / 2.0));
      block.column(5).text(i, "w" + row % 1000);
      number(block, 6, i, row % 3);
    }
  }

  private static void number(RowBlock block, int column, int row, long value) {
    block.column(column).numbers(new int[] {row}, new long[] {value}, 1);
  }

  private static FieldVector decoded(ArrowFileReader reader, VectorSchemaRoot root, String name)
      throws IOException {
    FieldVector vector = root.getVector(name);
    long id = vector.getField().getDictionary().getId();
    return (FieldVector) DictionaryEncoder.decode(vector, reader.lookup(id));
  }

  private static void checkRow(VectorSchemaRoot root, int i, int row) {
    assertThat(((UInt8Vector) root.getVector(0)).get(i)).isEqualTo(-1L - row);
    assertThat(DurationVector.get(root.getVector(3).getDataBuffer(), i)).isEqualTo(row * 10L);
    assertThat(((Float8Vector) root.getVector(4)).get(i)).isEqualTo(row / 2.0);
    assertThat(root.getVector(8).isNull(i)).isTrue();
    boolean present = row % 3 != 0;
    assertThat(root.getVector(1).isNull(i)).isEqualTo(!present);
    assertThat(root.getVector(2).isNull(i)).isEqualTo(!present);
    assertThat(root.getVector(7).isNull(i)).isEqualTo(!present);
    if (present) {
      assertThat(((UInt2Vector) root.getVector(1)).get(i)).isEqualTo((char) row);
      assertThat(((BitVector) root.getVector(2)).get(i)).isEqualTo(row & 1);
      byte[] bytes = ((VarBinaryVector) root.getVector(7)).get(i);
      assertThat(bytes).hasSize(row % 8);
      for (int at = 0; at < bytes.length; at++) {
        assertThat(bytes[at]).isEqualTo((byte) (at + 1));
      }
    }
  }

  @Test
  void emptyTableHasItsSchema() throws IOException {
    Path file;
    try (ArrowTableWriter writer = new ArrowTableWriter(directory, SCHEMA, Map.of())) {
      writer.finish();
      file = writer.commit();
    }
    try (RootAllocator allocator = new RootAllocator();
        FileChannel channel = FileChannel.open(file);
        ArrowFileReader reader = new ArrowFileReader(channel, allocator)) {
      assertThat(reader.getVectorSchemaRoot().getSchema().getFields()).hasSize(9);
      assertThat(reader.loadNextBatch()).isTrue();
      assertThat(reader.getVectorSchemaRoot().getRowCount()).isZero();
    }
  }

  @Test
  void uncommittedFileIsGone() throws IOException {
    try (ArrowTableWriter writer = new ArrowTableWriter(directory, SCHEMA, Map.of())) {
      fill(writer, ROWS);
    }
    assertThat(Files.list(directory)).isEmpty();
  }

  @Test
  void fullDiskIsOneLineAndLeavesNothing() throws IOException {
    // Writing to /dev/full fails with ENOSPC: the part file is a link to it.
    Path full = Path.of("/dev/full");
    org.junit.jupiter.api.Assumptions.assumeTrue(Files.exists(full), "no /dev/full here");
    Files.createSymbolicLink(directory.resolve("sample.arrow.part"), full);
    assertThatThrownBy(
            () -> {
              try (TableDirectory out =
                  new TableDirectory(directory, ArrowTableWriter::new, Map.of())) {
                out.open(SCHEMA);
                out.commit();
              }
            })
        .isInstanceOf(IOException.class)
        .hasMessageMatching("cannot write .*sample.arrow: No space left on device");
    assertThat(Files.list(directory)).isEmpty();
  }

  @Test
  void directoryThatIsAFileIsOneLine() throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    assertThatThrownBy(() -> new TableDirectory(file, ArrowTableWriter::new, Map.of()))
        .isInstanceOf(IOException.class)
        .hasMessage("cannot write " + file + ": it exists and is no directory");
  }
}
