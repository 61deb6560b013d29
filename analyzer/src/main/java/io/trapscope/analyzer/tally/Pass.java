package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventBlock;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.trace.BlockCursor;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** Goes over events once for several tallies. One thread at a time. */
public final class Pass {
  /**
   * What to count.
   *
   * @param parts what a tally counts
   * @param where which exits count; null for all
   * @param axis how a timeline cuts time
   * @param ramEnd first guest-physical address behind all RAM; 0 where nobody knows it
   */
  public record Order(Set<Part> parts, Predicate<EventReader> where, TimeAxis axis, long ramEnd) {}

  /** One tally and the exits that count in it. */
  private static final class Counter {
    final Predicate<EventReader> where;
    final Tally tally;

    Counter(Order order) {
      where = order.where();
      tally = new Tally(order.parts(), order.axis(), order.ramEnd());
    }

    /** Counts the exits of a block, and returns how many there are. */
    int take(EventBlock block) {
      return tally.add(block, where);
    }
  }

  private final Counter[] counters;
  private long events;
  private long exits;

  /** A pass with an empty tally for each order; the first has to count all exits. */
  public Pass(List<Order> orders) {
    counters = orders.stream().map(Counter::new).toArray(Counter[]::new);
  }

  /** Counts every event that is left. */
  public void drain(BlockCursor cursor) {
    EventBlock block = new EventBlock();
    while (cursor.next(block)) {
      events += block.size();
      exits += counters[0].take(block);
      for (int i = 1; i < counters.length; i++) {
        counters[i].take(block);
      }
    }
    for (Counter counter : counters) {
      counter.tally.pack();
    }
  }

  /** Adds what {@code later} has counted, of the same orders; it is not used again. */
  public void merge(Pass later) {
    events += later.events;
    exits += later.exits;
    for (int i = 0; i < counters.length; i++) {
      counters[i].tally.merge(later.counters[i].tally);
    }
  }

  /** Ends merging. */
  public void finish() {
    for (Counter counter : counters) {
      counter.tally.finish();
    }
  }

  /** The tallies, in the order of their orders. */
  public List<Tally> tallies() {
    return Arrays.stream(counters).map(counter -> counter.tally).toList();
  }

  /** Events read. */
  public long events() {
    return events;
  }

  /** Those among them that are exits. */
  public long exits() {
    return exits;
  }
}
