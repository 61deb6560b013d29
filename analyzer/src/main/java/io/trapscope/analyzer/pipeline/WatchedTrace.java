package io.trapscope.analyzer.pipeline;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.trace.Anomalies;
import io.trapscope.recorder.trace.BlockCursor;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.StreamParts;
import io.trapscope.recorder.trace.TraceEnd;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceReader;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A trace that tells how far somebody who reads it event by event is: in events, of those that the
 * recorder wrote. Reading in parts has {@link Analysis#progress} for that.
 */
public final class WatchedTrace implements TraceReader {
  /** Events between two reports. */
  private static final int STEP = 1 << 16;

  private final TraceReader trace;
  private final Progress progress;
  private final long events;

  /** The same trace, which tells {@code progress}; not at all where its length is not known. */
  public WatchedTrace(TraceReader trace, Progress progress) {
    this.trace = trace;
    this.progress = progress;
    this.events = trace.end().map(TraceEnd::events).orElse(0L);
  }

  @Override
  public Path directory() {
    return trace.directory();
  }

  @Override
  public TraceHeader header() {
    return trace.header();
  }

  @Override
  public Optional<TraceEnd> end() {
    return trace.end();
  }

  @Override
  public List<Integer> streams() {
    return trace.streams();
  }

  @Override
  public BlockCursor stream(int vcpu) {
    return trace.stream(vcpu);
  }

  @Override
  public BlockCursor stream(int vcpu, long time) {
    return trace.stream(vcpu, time);
  }

  @Override
  public StreamParts parts(int vcpu, long bytes) {
    return trace.parts(vcpu, bytes);
  }

  @Override
  public EventCursor merged() {
    EventCursor cursor = trace.merged();
    return events == 0 ? cursor : new Watched(cursor);
  }

  @Override
  public Anomalies anomalies() {
    return trace.anomalies();
  }

  @Override
  public Anomalies anomaliesAtEnds() {
    return trace.anomaliesAtEnds();
  }

  @Override
  public long bytes() {
    return trace.bytes();
  }

  private final class Watched implements EventCursor {
    private final EventCursor cursor;
    private long read;

    Watched(EventCursor cursor) {
      this.cursor = cursor;
    }

    @Override
    public boolean next() {
      if (++read % STEP == 0) {
        progress.at(read, events);
      }
      return cursor.next();
    }

    @Override
    public EventReader event() {
      return cursor.event();
    }

    @Override
    public Anomalies anomalies() {
      return cursor.anomalies();
    }
  }
}
