package io.trapscope.analyzer.table;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A directory that files of tables go to, all in one format. All of them get their names in {@link
 * #commit}; what is closed before that leaves no file behind.
 */
public final class TableDirectory implements AutoCloseable {
  private final Path directory;
  private final TableFile.Opener format;
  private final Map<String, String> metadata;
  private final List<TableFile> files = new ArrayList<>();

  /**
   * Makes the directory where it is absent.
   *
   * @param metadata goes into every file
   */
  public TableDirectory(Path directory, TableFile.Opener format, Map<String, String> metadata)
      throws IOException {
    this.directory = directory;
    this.format = format;
    this.metadata = metadata;
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw PartFile.explained(directory, e);
    }
  }

  /** Starts the file of a table whose rows come one at a time. */
  public RowSink open(TableSchema schema) throws IOException {
    TableFile file = format.open(directory, schema, metadata);
    files.add(file);
    return file;
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
    List<Path> paths = new ArrayList<>();
    for (TableFile file : files) {
      paths.add(file.commit());
    }
    return paths;
  }

  @Override
  public void close() {
    files.forEach(TableFile::close);
  }
}
