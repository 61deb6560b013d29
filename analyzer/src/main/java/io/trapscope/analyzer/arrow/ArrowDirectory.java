package io.trapscope.analyzer.arrow;

import io.trapscope.analyzer.table.RowSink;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A directory that Arrow files go to. All of them get their names in {@link #commit}; what is
 * closed before that leaves no file behind.
 */
public final class ArrowDirectory implements AutoCloseable {
  private final Path directory;
  private final Map<String, String> metadata;
  private final List<ArrowTableWriter> writers = new ArrayList<>();

  /**
   * Makes the directory where it is absent.
   *
   * @param metadata goes into the schema of every file
   */
  public ArrowDirectory(Path directory, Map<String, String> metadata) throws IOException {
    this.directory = directory;
    this.metadata = Map.copyOf(metadata);
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw ArrowTableWriter.explained(directory, e);
    }
  }

  /** Starts the file of a table whose rows come one at a time. */
  public RowSink open(TableSchema schema) throws IOException {
    ArrowTableWriter writer = new ArrowTableWriter(directory, schema, metadata);
    writers.add(writer);
    return writer;
  }

  /** Writes a whole table. */
  public void write(Table table) throws IOException {
    try {
      table.copyTo(open(table.schema()));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** Finishes every file and gives it its name. */
  public List<Path> commit() throws IOException {
    List<Path> files = new ArrayList<>();
    for (ArrowTableWriter writer : writers) {
      files.add(writer.commit());
    }
    return files;
  }

  @Override
  public void close() {
    writers.forEach(ArrowTableWriter::close);
  }
}
