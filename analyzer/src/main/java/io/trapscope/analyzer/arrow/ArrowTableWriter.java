package io.trapscope.analyzer.arrow;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.PartFile;
import io.trapscope.analyzer.table.RowBlock;
import io.trapscope.analyzer.table.TableFile;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Words;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;
import org.apache.arrow.vector.types.pojo.Field;
import org.apache.arrow.vector.types.pojo.Schema;

/**
 * Writes one table's rows to one Arrow IPC file, uncompressed, so that it can be mapped into
 * memory. Rows go straight into the buffers of the batch; nothing is allocated a row.
 *
 * <p>The buffers of a batch are kept for the whole file: {@link #BATCH_ROWS} rows of every column.
 */
public final class ArrowTableWriter implements TableFile {
  /** Rows a batch: 64 Ki, so that a batch's columns stay in the processor's cache. */
  public static final int BATCH_ROWS = 1 << 16;

  /** A batch ends early where its bytes reach this size. */
  private static final int MAX_HEAP_BYTES = 1 << 28;

  private final PartFile part;
  private final TableSchema schema;
  private final ColumnBuffers[] columns;
  private final Words[] words;
  private final BufferAllocator allocator;
  private final DictionaryProvider.MapDictionaryProvider dictionaries;
  private final VectorSchemaRoot root;
  private final ArrowFile file;
  private final List<Integer> variableColumns = new ArrayList<>();
  private int row;
  private long written;
  private boolean closed;

  /**
   * Starts the file {@code directory/NAME.arrow} for a table.
   *
   * @param metadata goes into the Arrow schema
   * @throws IOException where the file cannot be made; nothing is left behind
   */
  public ArrowTableWriter(Path directory, TableSchema schema, Map<String, String> metadata)
      throws IOException {
    this.schema = schema;
    this.part = new PartFile(directory.resolve(schema.name() + ".arrow"));
    this.allocator = new RootAllocator();
    this.dictionaries = new DictionaryProvider.MapDictionaryProvider();
    int width = schema.columns().size();
    this.columns = new ColumnBuffers[width];
    this.words = new Words[width];
    List<Field> fields = new ArrayList<>(width);
    for (int i = 0; i < width; i++) {
      Column column = schema.columns().get(i);
      Field field = ArrowTypes.field(column, i);
      fields.add(field);
      columns[i] = new ColumnBuffers(column, BATCH_ROWS, allocator);
      if (column.type() == ColumnType.TEXT) {
        words[i] = new Words(column.words());
        VarCharVector vector = new VarCharVector(column.name(), allocator);
        dictionaries.put(new Dictionary(vector, field.getDictionary()));
      } else if (column.type() == ColumnType.BYTES) {
        variableColumns.add(i);
      }
    }
    this.root = VectorSchemaRoot.create(new Schema(fields, metadata), allocator);
    this.file = new ArrowFile(root, dictionaries, new SparseChannel(part.channel()), metadata);
    try {
      file.start();
    } catch (IOException e) {
      close();
      throw part.explained(e);
    }
  }

  @Override
  public void number(int column, long value) {
    columns[column].number(row, value);
  }

  @Override
  public void real(int column, double value) {
    columns[column].number(row, Double.doubleToRawLongBits(value));
  }

  @Override
  public void text(int column, String value) {
    columns[column].number(row, words[column].indexOf(value));
  }

  @Override
  public void bytes(int column, byte[] source, int offset, int length) {
    columns[column].bytes(row, source, offset, length);
  }

  @Override
  public void endRow() {
    row++;
    if ((row & 63) == 0) {
      endWord(row - 64);
      if (row == BATCH_ROWS || heapIsFull()) {
        writeBatch();
      }
    }
  }

  @Override
  public void append(RowBlock block) {
    for (int i = 0; i < columns.length; i++) {
      RowBlock.Cells cells = block.column(i);
      if (cells.any()) {
        if (words[i] != null && schema.columns().get(i).words().isEmpty()) {
          appendText(cells, columns[i], words[i], block.rows());
        } else {
          columns[i].append(row, cells, block.rows());
        }
      }
    }
    row += block.rows();
    if (row == BATCH_ROWS || heapIsFull()) {
      writeBatch();
    }
  }

  private void appendText(RowBlock.Cells cells, ColumnBuffers column, Words known, int rows) {
    String before = null;
    int index = 0;
    for (int i = 0; i < rows; i++) {
      if (cells.isPresent(i)) {
        String word = cells.text(i);
        index = word == before ? index : known.indexOf(word);
        before = word;
        column.number(row + i, index);
      }
      if ((i & 63) == 63 || i == rows - 1) {
        column.endWord(row + i & ~63);
      }
    }
  }

  private boolean heapIsFull() {
    for (int column : variableColumns) {
      if (columns[column].heapBytes() > MAX_HEAP_BYTES) {
        return true;
      }
    }
    return false;
  }

  private void endWord(int firstRow) {
    for (ColumnBuffers column : columns) {
      column.endWord(firstRow);
    }
  }

  private void writeBatch() {
    List<ArrowFieldNode> nodes = new ArrayList<>(columns.length);
    List<ArrowBuf> buffers = new ArrayList<>(columns.length * 2);
    for (int i = 0; i < columns.length; i++) {
      if (words[i] != null) {
        words[i].use(columns[i].largest());
      }
      columns[i].unload(row, nodes, buffers);
    }
    try (ArrowRecordBatch batch = new ArrowRecordBatch(row, nodes, buffers)) {
      file.write(batch);
    } catch (IOException e) {
      throw new UncheckedIOException(part.explained(e));
    }
    for (ColumnBuffers column : columns) {
      column.clear();
    }
    written += row;
    row = 0;
  }

  @Override
  public long rows() {
    return written + row;
  }

  @Override
  public void finish() throws IOException {
    if (row > 0 || written == 0) {
      endWord(row & ~63);
      try {
        writeBatch();
      } catch (UncheckedIOException e) {
        throw e.getCause();
      }
    }
    Set<Long> ids = new HashSet<>();
    for (int i = 0; i < words.length; i++) {
      if (words[i] != null) {
        ids.add((long) i);
        FieldVector vector = dictionaries.lookup(i).getVector();
        copy(words[i].used(), (VarCharVector) vector);
      }
    }
    try {
      file.finish(ids);
    } catch (IOException e) {
      throw part.explained(e);
    }
    part.finish();
  }

  @Override
  public Path commit() throws IOException {
    return part.commit();
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    for (ColumnBuffers column : columns) {
      column.close();
    }
    dictionaries.close();
    root.close();
    allocator.close();
    part.close();
  }

  @Override
  public String toString() {
    return part + " (" + schema.name() + ")";
  }

  /** Puts the words into a dictionary's vector. */
  private static void copy(List<String> words, VarCharVector vector) {
    vector.allocateNew();
    for (int i = 0; i < words.size(); i++) {
      vector.setSafe(i, words.get(i).getBytes(StandardCharsets.UTF_8));
    }
    vector.setValueCount(words.size());
  }
}
