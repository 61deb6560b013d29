package io.trapscope.analyzer.table;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * One table's file while it is written, row by row, then {@link #finish}ed. It appears under its
 * name only when {@link #commit} has succeeded; {@link #close} without commit leaves nothing
 * behind. One thread at a time.
 *
 * <p>Methods of {@link RowSink} throw UncheckedIOException where the file cannot be written.
 */
public interface TableFile extends RowSink, AutoCloseable {

  /** Starts a table's file in one format. */
  interface Opener {
    /**
     * Makes the file.
     *
     * @param directory exists
     * @param metadata goes into the file, or beside it where the format has no place for it
     * @throws IOException with one line that names the file; nothing is left behind
     */
    TableFile open(Path directory, TableSchema schema, Map<String, String> metadata)
        throws IOException;
  }

  /** Rows ended so far. */
  long rows();

  /** Writes what is left, once; what can be wrong with a disk shows now. No row may follow. */
  void finish() throws IOException;

  /** Gives the finished file its name. */
  Path commit() throws IOException;

  /** Frees what the file needed in memory; removes an uncommitted file. */
  @Override
  void close();
}
