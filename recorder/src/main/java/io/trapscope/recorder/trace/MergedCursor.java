package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.EventReader;
import java.util.List;

/**
 * Several streams as one, by time. Stays on a stream while its events come before the next
 * stream's, so that a trace with one busy vCPU reads as fast as its stream.
 */
final class MergedCursor implements EventCursor {
  private final StreamCursor[] heads;
  private final Anomalies trace;
  private int live;
  private StreamCursor current;
  private boolean started;

  /** Time up to which {@link #current} goes first; at this very time only if it comes first. */
  private long until;

  private boolean atUntil;

  MergedCursor(List<StreamCursor> streams, Anomalies trace) {
    this.heads = streams.toArray(new StreamCursor[0]);
    this.live = heads.length;
    this.trace = trace;
  }

  @Override
  public boolean next() {
    if (current != null) {
      if (current.next()) {
        long time = current.event().time();
        if (time < until || time == until && atUntil) {
          return true;
        }
      } else {
        retire(current);
      }
    } else if (!started) {
      start();
    }
    return choose();
  }

  private void start() {
    started = true;
    int kept = 0;
    for (int i = 0; i < heads.length; i++) {
      StreamCursor head = heads[i];
      if (head.next()) {
        heads[kept++] = head;
      } else {
        trace.addAll(head.anomalies());
      }
    }
    live = kept;
  }

  private void retire(StreamCursor done) {
    trace.addAll(done.anomalies());
    int kept = 0;
    for (int i = 0; i < live; i++) {
      if (heads[i] != done) {
        heads[kept++] = heads[i];
      }
    }
    live = kept;
    current = null;
  }

  /** Finds the earliest head, and how long it stays so. */
  private boolean choose() {
    if (live == 0) {
      current = null;
      return false;
    }
    int first = 0;
    for (int i = 1; i < live; i++) {
      if (heads[i].event().time() < heads[first].event().time()) {
        first = i;
      }
    }
    current = heads[first];
    until = Long.MAX_VALUE;
    atUntil = true;
    for (int i = 0; i < live; i++) {
      long time = heads[i].event().time();
      if (i != first && time < until) {
        until = time;
        atUntil = first < i;
      }
    }
    return true;
  }

  @Override
  public EventReader event() {
    return current.event();
  }

  @Override
  public Anomalies anomalies() {
    Anomalies all = new Anomalies();
    all.addAll(trace);
    for (int i = 0; i < live; i++) {
      all.addAll(heads[i].anomalies());
    }
    return all;
  }
}
