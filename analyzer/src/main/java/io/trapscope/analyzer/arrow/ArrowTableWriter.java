package io.trapscope.analyzer.arrow;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.RowSink;
import io.trapscope.analyzer.table.TableSchema;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
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
 * <p>The file appears under its name only when {@link #commit} has succeeded; until then it is
 * {@code NAME.part}, and {@link #close} without commit removes that. One thread at a time.
 *
 * <p>Methods of {@link RowSink} throw UncheckedIOException where the file cannot be written.
 */
public final class ArrowTableWriter implements RowSink, AutoCloseable {
  /** Rows a batch: 64 Ki, so that a batch's columns stay in the processor's cache. */
  public static final int BATCH_ROWS = 1 << 16;

  /** A batch ends early where its bytes reach this size. */
  private static final int MAX_HEAP_BYTES = 1 << 28;

  private final Path target;
  private final Path part;
  private final TableSchema schema;
  private final ColumnBuffers[] columns;
  private final Words[] words;
  private final BufferAllocator allocator;
  private final DictionaryProvider.MapDictionaryProvider dictionaries;
  private final VectorSchemaRoot root;
  private final FileChannel channel;
  private final ArrowFile file;
  private final List<Integer> variableColumns = new ArrayList<>();
  private int row;
  private long written;
  private boolean committed;
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
    this.target = directory.resolve(schema.name() + ".arrow");
    this.part = directory.resolve(schema.name() + ".arrow.part");
    this.channel = create();
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
    this.file = new ArrowFile(root, dictionaries, new SparseChannel(channel), metadata);
    try {
      file.start();
    } catch (IOException e) {
      close();
      throw explained(target, e);
    }
  }

  private FileChannel create() throws IOException {
    try {
      return FileChannel.open(
          part,
          StandardOpenOption.CREATE,
          StandardOpenOption.TRUNCATE_EXISTING,
          StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw explained(target, e);
    }
  }

  /** One line that names the file and what is wrong with it. */
  static IOException explained(Path file, IOException e) {
    String reason;
    if (e instanceof AccessDeniedException) {
      reason = "permission denied";
    } else if (e instanceof FileAlreadyExistsException) {
      reason = "it exists and is no directory";
    } else if (e instanceof FileSystemException system && system.getReason() != null) {
      reason = system.getReason();
    } else {
      reason = String.valueOf(e.getMessage());
    }
    return new IOException("cannot write " + file + ": " + reason, e);
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
        words[i].use(columns[i].largest(row));
      }
      columns[i].unload(row, nodes, buffers);
    }
    try (ArrowRecordBatch batch = new ArrowRecordBatch(row, nodes, buffers)) {
      file.write(batch);
    } catch (IOException e) {
      throw new UncheckedIOException(explained(target, e));
    }
    for (ColumnBuffers column : columns) {
      column.clear();
    }
    written += row;
    row = 0;
  }

  /** Rows ended so far. */
  public long rows() {
    return written + row;
  }

  /** Writes what is left, then gives the file its name; nothing may be written afterwards. */
  public Path commit() throws IOException {
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
        words[i].copyTo((VarCharVector) vector);
      }
    }
    file.finish(ids);
    channel.close();
    Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    committed = true;
    return target;
  }

  /** Frees the buffers; removes an uncommitted file. */
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
    if (!committed) {
      discard();
    }
  }

  private void discard() {
    try {
      channel.close();
    } catch (IOException e) {
      // The file is removed below; whether its last bytes were written does not matter.
    }
    try {
      Files.deleteIfExists(part);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return target + " (" + schema.name() + ")";
  }

  /** The words of one column and their indexes. */
  private static final class Words {
    private final List<String> list;
    private final Map<String, Integer> indexes = new HashMap<>();
    private final boolean known;
    private int used;

    Words(List<String> known) {
      this.known = !known.isEmpty();
      this.list = new ArrayList<>(known);
    }

    /** Notes that cells hold indexes up to this one; -1 where none holds any. */
    void use(int index) {
      if (index >= list.size()) {
        throw new IndexOutOfBoundsException("word " + index + " of " + list.size());
      }
      used = Math.max(used, index + 1);
    }

    int indexOf(String word) {
      if (known) {
        throw new IllegalArgumentException("this column's cells are indexes of words");
      }
      Integer index = indexes.get(word);
      if (index == null) {
        index = list.size();
        list.add(word);
        indexes.put(word, index);
      }
      return index;
    }

    /** The dictionary: every word up to the last one used. */
    void copyTo(VarCharVector vector) {
      vector.allocateNew();
      for (int i = 0; i < used; i++) {
        vector.setSafe(i, list.get(i).getBytes(StandardCharsets.UTF_8));
      }
      vector.setValueCount(used);
    }
  }
}
