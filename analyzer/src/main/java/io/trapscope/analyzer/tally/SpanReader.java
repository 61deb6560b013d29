package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventBlock;
import io.trapscope.recorder.trace.BlockCursor;
import io.trapscope.recorder.trace.TraceReader;
import java.util.List;

/**
 * What happened between two times, exactly: whole buckets of a timeline, and at either end the
 * events of a part of a bucket, which are read again.
 */
public final class SpanReader {
  private final TraceReader trace;

  public SpanReader(TraceReader trace) {
    this.trace = trace;
  }

  /**
   * Adds up.
   *
   * @param timeline of this trace, all its exits counted
   * @param from the first time that belongs to the span
   * @param to the first one that does not any more
   */
  public Bucket read(Timeline timeline, long from, long to) {
    Bucket sum = new Bucket();
    long width = timeline.width();
    long origin = timeline.origin();
    long first = -Math.floorDiv(origin - from, width);
    long last = Math.floorDiv(to - origin, width);
    if (first > last) {
      readAgain(timeline, from, to, sum);
      return sum;
    }
    readAgain(timeline, from, origin + first * width, sum);
    readAgain(timeline, origin + last * width, to, sum);
    List<Bucket> buckets = timeline.buckets();
    for (int i = (int) first; i < Math.min(last, buckets.size()); i++) {
      Bucket bucket = buckets.get(i);
      if (bucket != null) {
        sum.add(bucket, null);
      }
    }
    return sum;
  }

  private void readAgain(Timeline timeline, long from, long to, Bucket into) {
    if (from >= to) {
      return;
    }
    EventBlock block = new EventBlock();
    Exits exits = new Exits();
    for (int vcpu : trace.streams()) {
      BlockCursor cursor = trace.stream(vcpu, from);
      boolean passed = false;
      // The first exit after the span may have guest time in it.
      while (!passed && cursor.next(block)) {
        exits.read(block, null);
        timeline.addBetween(exits, from, to, into);
        passed = block.event(block.size() - 1).time() >= to;
      }
    }
  }
}
