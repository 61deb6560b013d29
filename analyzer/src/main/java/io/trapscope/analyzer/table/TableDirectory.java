package io.trapscope.analyzer.table;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A directory that files of tables go to, all in one format: all of them or none. They get their
 * names in {@link #commit}, when each has been written to its end; what is closed before that
 * leaves no file behind, and files of the same names as they were.
 */
public final class TableDirectory implements AutoCloseable {
  private final Path directory;
  private final TableFile.Opener format;
  private final Map<String, String> metadata;
  private final List<TableFile> files = new ArrayList<>();

  /** Whether the directory was absent. */
  private final boolean made;

  private boolean committed;

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
    this.made = !Files.exists(directory);
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

  /** Finishes every file, then gives each its name. */
  public List<Path> commit() throws IOException {
    for (TableFile file : files) {
      file.finish();
    }
    committed = true;
    List<Path> paths = new ArrayList<>();
    for (TableFile file : files) {
      paths.add(file.commit());
    }
    return paths;
  }

  @Override
  public void close() {
    files.forEach(TableFile::close);
    if (made && !committed) {
      try {
        Files.deleteIfExists(directory);
      } catch (DirectoryNotEmptyException e) {
        // Somebody else has put something there: it stays.
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** The failure to write tables to a directory, in one line that says what there is now. */
  public static IOException unchanged(Path directory, IOException e) {
    return new IOException(e.getMessage() + "; no table in " + directory + " was changed", e);
  }
}
