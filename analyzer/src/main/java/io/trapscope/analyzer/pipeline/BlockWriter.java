package io.trapscope.analyzer.pipeline;

import io.trapscope.analyzer.table.RowBlock;
import io.trapscope.analyzer.table.RowSink;
import io.trapscope.analyzer.table.TableSchema;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Writes full blocks to a table on a thread of its own, one after the other, while the caller fills
 * the next: encoding and writing take about as long as reading and filling. A few blocks go round.
 */
final class BlockWriter implements AutoCloseable {
  private static final int BLOCKS = 4;

  private final RowSink sink;
  private final TableSchema schema;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          work -> {
            Thread made = new Thread(work, "rows");
            made.setDaemon(true);
            return made;
          });

  /** Blocks on their way, the first one first; each comes back empty. */
  private final Deque<Future<RowBlock>> underway = new ArrayDeque<>();

  BlockWriter(RowSink sink, TableSchema schema) {
    this.sink = sink;
    this.schema = schema;
  }

  /**
   * Takes a block, which may not be touched any more, and gives an empty one.
   *
   * @throws java.io.UncheckedIOException where an earlier one could not be written
   */
  RowBlock exchange(RowBlock full) {
    underway.add(
        thread.submit(
            () -> {
              sink.append(full);
              full.clear();
              return full;
            }));
    return underway.size() < BLOCKS ? new RowBlock(schema) : written();
  }

  /** Waits until all blocks are written. */
  void finish() {
    while (!underway.isEmpty()) {
      written();
    }
  }

  private RowBlock written() {
    try {
      return underway.remove().get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      if (e.getCause() instanceof Error cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while writing rows", e);
    }
  }

  /** Lets the block that is being written come to its end, and no other begin. */
  @Override
  public void close() {
    thread.shutdownNow();
    try {
      while (!thread.awaitTermination(1, TimeUnit.MINUTES)) {
        // The table's buffers may be freed only when nobody writes to them.
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
