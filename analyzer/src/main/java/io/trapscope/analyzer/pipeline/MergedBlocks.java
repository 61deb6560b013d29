package io.trapscope.analyzer.pipeline;

import io.trapscope.recorder.event.EventBlock;
import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.trace.BlockCursor;
import io.trapscope.recorder.trace.TraceReader;
import java.util.ArrayList;
import java.util.List;

/**
 * All streams by time, as {@link TraceReader#merged} has them, but many events at once: of each
 * stream a block lies ready, and the order of their events is told as far as it is certain, which
 * is until one of the blocks ends.
 */
final class MergedBlocks {
  private static final int TIME_AT = EventLayout.of(EventType.PIO).offset(Field.TIME);
  private static final long U32 = 0xffff_ffffL;

  private final List<Head> heads = new ArrayList<>();

  /** For each event of the order: the place of its stream among the heads, and its number. */
  private int[] stream = {};

  private int[] number = {};
  private int size;

  /** One stream's block. */
  private static final class Head {
    private final BlockCursor cursor;
    private final EventBlock block = new EventBlock();
    private int next;

    Head(BlockCursor cursor) {
      this.cursor = cursor;
    }

    /** Whether there is an event; fills the block anew where it is used up. */
    boolean ready() {
      if (next < block.size()) {
        return true;
      }
      next = 0;
      return cursor.next(block);
    }

    long time() {
      return block.baseTime() + (block.i32(block.offset(next) + TIME_AT) & U32);
    }
  }

  MergedBlocks(TraceReader trace) {
    for (int vcpu : trace.streams()) {
      heads.add(new Head(trace.stream(vcpu)));
    }
  }

  /**
   * Moves on.
   *
   * @param most events, at least one
   * @return false at the end
   */
  boolean next(int most) {
    heads.removeIf(head -> !head.ready());
    size = 0;
    if (stream.length < most) {
      stream = new int[most];
      number = new int[most];
    }
    boolean blockEnds = heads.isEmpty();
    while (size < most && !blockEnds) {
      blockEnds = takeFirst(most);
    }
    return size > 0;
  }

  /** Takes the events of the earliest stream up to where another goes first; whether it ends. */
  private boolean takeFirst(int most) {
    int first = 0;
    long earliest = heads.get(0).time();
    long until = Long.MAX_VALUE;
    boolean firstAtUntil = true;
    for (int i = 1; i < heads.size(); i++) {
      long time = heads.get(i).time();
      if (time < earliest) {
        until = earliest;
        firstAtUntil = false; // the one that was first before comes first among equals
        earliest = time;
        first = i;
      } else if (time < until) {
        until = time;
        firstAtUntil = true;
      }
    }
    Head head = heads.get(first);
    int end = head.block.size();
    long time = earliest;
    while (size < most && (time < until || time == until && firstAtUntil)) {
      stream[size] = first;
      number[size++] = head.next++;
      if (head.next == end) {
        return true;
      }
      time = head.time();
    }
    return false;
  }

  /** Number of events. */
  int size() {
    return size;
  }

  /** The place of an event's stream among the streams, less than {@link #streams}. */
  int stream(int event) {
    return stream[event];
  }

  /** The event's number in its block. */
  int number(int event) {
    return number[event];
  }

  /** Streams of which there are blocks. */
  int streams() {
    return heads.size();
  }

  /** The block of a stream, until the next move. */
  EventBlock block(int stream) {
    return heads.get(stream).block;
  }
}
