package io.trapscope.analyzer.pipeline;

import io.trapscope.recorder.event.EventReader;
import java.util.ArrayList;
import java.util.List;

/**
 * All streams as one, ordered by time; at the same time the stream with the lower number comes
 * first. Within a stream the order is the stream's own.
 */
final class MergedCursor implements EventCursor {
  private final List<EventCursor> all = new ArrayList<>();

  /** Streams that have an event waiting, in the order of their numbers. */
  private final List<EventCursor> waiting = new ArrayList<>();

  private EventCursor current;

  MergedCursor(EventSource source) {
    for (int i = 0; i < source.streams(); i++) {
      EventCursor cursor = source.open(i);
      all.add(cursor);
      if (cursor.next()) {
        waiting.add(cursor);
      }
    }
  }

  @Override
  public boolean next() {
    if (current != null && !current.next()) {
      waiting.remove(current);
    }
    current = earliest();
    return current != null;
  }

  private EventCursor earliest() {
    if (waiting.size() <= 1) {
      return waiting.isEmpty() ? null : waiting.get(0);
    }
    EventCursor first = waiting.get(0);
    long time = first.event().time();
    for (int i = 1; i < waiting.size(); i++) {
      EventCursor cursor = waiting.get(i);
      if (cursor.event().time() < time) {
        first = cursor;
        time = cursor.event().time();
      }
    }
    return first;
  }

  @Override
  public EventReader event() {
    return current.event();
  }

  @Override
  public void close() {
    all.forEach(EventCursor::close);
  }
}
