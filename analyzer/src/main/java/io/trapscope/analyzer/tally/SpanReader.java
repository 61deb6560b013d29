package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventBlock;
import io.trapscope.recorder.trace.BlockCursor;
import io.trapscope.recorder.trace.TraceReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * What happened between two times, exactly: whole buckets of a timeline, and at either end the
 * events of a part of a bucket, which are read again.
 */
public final class SpanReader {
  /** Where the first span begins and the last one ends. */
  private static final long BEFORE_ALL = Long.MIN_VALUE;

  private static final long AFTER_ALL = Long.MAX_VALUE;

  private final TraceReader trace;

  public SpanReader(TraceReader trace) {
    this.trace = trace;
  }

  /**
   * Cuts a whole trace into spans that follow one another. Every exit is in exactly one: in the
   * first what came before it too, in the last what came after it.
   *
   * @param timeline of this trace, all its exits counted
   * @param begins the first time of each span but the first, in ascending order
   */
  public List<Bucket> cut(Timeline timeline, List<Long> begins) {
    List<Bucket> spans = new ArrayList<>();
    for (int i = 0; i <= begins.size(); i++) {
      spans.add(read(timeline, from(begins, i), to(begins, i)));
    }
    // Where the times of a stream go back, as in a damaged trace, reading from a time to a time
    // may miss some: then all is read again.
    return addsUp(spans, timeline.buckets()) ? spans : readAll(timeline, begins);
  }

  private static long from(List<Long> begins, int span) {
    return span == 0 ? BEFORE_ALL : begins.get(span - 1);
  }

  private static long to(List<Long> begins, int span) {
    return span == begins.size() ? AFTER_ALL : begins.get(span);
  }

  private static boolean addsUp(List<Bucket> spans, List<Bucket> buckets) {
    Bucket found = sum(spans);
    Bucket all = sum(buckets);
    return found.count() == all.count()
        && found.guest() == all.guest()
        && found.handling() == all.handling()
        && found.idle() == all.idle();
  }

  private static Bucket sum(List<Bucket> buckets) {
    Bucket sum = new Bucket();
    buckets.stream().filter(Objects::nonNull).forEach(bucket -> sum.add(bucket, null));
    return sum;
  }

  /** What happened from one time to before another. */
  private Bucket read(Timeline timeline, long from, long to) {
    long width = timeline.width();
    long origin = timeline.origin();
    List<Bucket> buckets = timeline.buckets();
    // The first bucket has what came before the origin, too.
    long first = from == BEFORE_ALL ? 0 : -Math.floorDiv(origin - from, width);
    long last = to == AFTER_ALL ? buckets.size() : Math.floorDiv(to - origin, width);
    Bucket sum = new Bucket();
    if (first >= last) {
      readAgain(timeline, from, to, sum);
      return sum;
    }
    if (from != BEFORE_ALL) {
      readAgain(timeline, from, origin + first * width, sum);
    }
    if (to != AFTER_ALL) {
      readAgain(timeline, origin + last * width, to, sum);
    }
    int end = (int) Math.min(last, buckets.size());
    sum.add(sum(buckets.subList((int) Math.min(first, end), end)), null);
    return sum;
  }

  private void readAgain(Timeline timeline, long from, long to, Bucket into) {
    if (from >= to) {
      return;
    }
    EventBlock block = new EventBlock();
    for (int vcpu : trace.streams()) {
      BlockCursor cursor = trace.stream(vcpu, from);
      boolean passed = false;
      // The first exit after the span may have guest time in it.
      while (!passed && cursor.next(block)) {
        eachExit(block, exit -> timeline.addBetween(exit, from, to, into));
        passed = block.event(block.size() - 1).time() >= to;
      }
    }
  }

  /** The spans from every event of every stream, whatever its time. */
  private List<Bucket> readAll(Timeline timeline, List<Long> begins) {
    List<Bucket> spans = new ArrayList<>();
    for (int i = 0; i <= begins.size(); i++) {
      spans.add(new Bucket());
    }
    EventBlock block = new EventBlock();
    for (int vcpu : trace.streams()) {
      BlockCursor cursor = trace.stream(vcpu);
      while (cursor.next(block)) {
        eachExit(
            block,
            exit -> {
              for (int i = 0; i < spans.size(); i++) {
                timeline.addBetween(exit, from(begins, i), to(begins, i), spans.get(i));
              }
            });
      }
    }
    return spans;
  }

  private static void eachExit(EventBlock block, Consumer<Exit> whoAsks) {
    Exit exit = new Exit();
    for (int i = 0; i < block.size(); i++) {
      if (exit.read(block, i)) {
        exit.leaveOutImplausible();
        whoAsks.accept(exit);
      }
    }
  }
}
