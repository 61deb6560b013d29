package io.trapscope.analyzer.pipeline;

import io.trapscope.analyzer.report.Accumulator;
import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.report.TraceFacts;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import java.util.ArrayList;
import java.util.List;

/** One accumulator a report, and for each event type those that need it. One thread at a time. */
final class Dispatcher {
  private final List<Accumulator> accumulators = new ArrayList<>();
  private final Accumulator[][] byType = new Accumulator[EventType.values().length][];
  private long events;

  Dispatcher(List<Report> reports, TraceFacts facts) {
    List<List<Accumulator>> lists = new ArrayList<>();
    for (int i = 0; i < byType.length; i++) {
      lists.add(new ArrayList<>());
    }
    for (Report report : reports) {
      report
          .accumulator(facts)
          .ifPresent(
              accumulator -> {
                accumulators.add(accumulator);
                report.needs().forEach(type -> lists.get(type.ordinal()).add(accumulator));
              });
    }
    for (int i = 0; i < byType.length; i++) {
      byType[i] = lists.get(i).toArray(Accumulator[]::new);
    }
  }

  /** Reads a stream to its end. */
  void drain(EventCursor cursor) {
    while (cursor.next()) {
      EventReader event = cursor.event();
      events++;
      for (Accumulator accumulator : byType[event.type().ordinal()]) {
        accumulator.accept(event);
      }
    }
  }

  /** Adds what {@code other} has, made for the same reports. */
  void merge(Dispatcher other) {
    events += other.events;
    for (int i = 0; i < accumulators.size(); i++) {
      accumulators.get(i).merge(other.accumulators.get(i));
    }
  }

  /** The accumulators, in the order of their reports. */
  List<Accumulator> accumulators() {
    return accumulators;
  }

  /** Events read. */
  long events() {
    return events;
  }
}
