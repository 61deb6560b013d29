package io.trapscope.recorder.trace;

import java.util.Optional;

/**
 * One stream in contiguous parts, cut where batches begin, so that several threads can read it at
 * the same time. Part after part, the events are those that {@link TraceReader#stream} has.
 *
 * <p>A damaged file may lead a reader past the place where the next part begins; whoever reads
 * parts finds out from {@link #anomalies} and then has to read the stream in one piece.
 */
public interface StreamParts {
  /** Number of parts, 1 or more. */
  int size();

  /** Bytes of file that a part takes, at least 1; for progress. */
  long bytes(int part);

  /** The cursor over a part: to be read once, to its end, by one thread. */
  BlockCursor cursor(int part);

  /**
   * After every part was read to its end: the anomalies of the stream, the same as {@link
   * TraceReader#stream} counts; empty where the parts are not what one cursor would have read.
   */
  Optional<Anomalies> anomalies();
}
