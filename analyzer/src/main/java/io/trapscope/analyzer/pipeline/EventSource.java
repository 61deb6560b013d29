package io.trapscope.analyzer.pipeline;

import io.trapscope.analyzer.report.TraceFacts;

/** What an analysis reads: streams of events, and what is known about them all. */
public interface EventSource {
  /** What reports need to know besides the events. */
  TraceFacts facts();

  /** Where the events come from and how complete they are. */
  TraceInfo info();

  /** Number of streams. */
  int streams();

  /**
   * Opens a stream, 0 to {@link #streams} - 1. Several may be open at once, the same one too, each
   * used by one thread.
   */
  EventCursor open(int stream);
}
