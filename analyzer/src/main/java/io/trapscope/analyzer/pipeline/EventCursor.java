package io.trapscope.analyzer.pipeline;

import io.trapscope.recorder.event.EventReader;

/** Walks the events of one stream in the order of their sequence numbers. One thread at a time. */
public interface EventCursor extends AutoCloseable {
  /** Moves to the next event; false at the end. */
  boolean next();

  /** The event moved to; the same object each time, valid until the next move. */
  EventReader event();

  @Override
  void close();
}
