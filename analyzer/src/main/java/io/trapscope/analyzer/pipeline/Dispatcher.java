package io.trapscope.analyzer.pipeline;

import io.trapscope.analyzer.report.Accumulator;
import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.report.TraceFacts;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.trace.Anomalies;
import io.trapscope.recorder.trace.EventCursor;
import java.util.ArrayList;
import java.util.List;

/** One accumulator a report, and for each event type those that need it. One thread at a time. */
final class Dispatcher {
  private final List<Accumulator> accumulators = new ArrayList<>();
  private final Accumulator[][] byType = new Accumulator[EventType.values().length][];
  private final Anomalies anomalies = new Anomalies();
  private long events;
  private long exits;

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
      if (event.reasonCode() >= 0) {
        exits++;
      }
      for (Accumulator accumulator : byType[event.type().ordinal()]) {
        accumulator.accept(event);
      }
    }
    anomalies.addAll(cursor.anomalies());
  }

  /** Adds what {@code other} has, made for the same reports. */
  void merge(Dispatcher other) {
    events += other.events;
    exits += other.exits;
    anomalies.addAll(other.anomalies);
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

  /** Those among them that are exits. */
  long exits() {
    return exits;
  }

  /** What was wrong with the streams. */
  Anomalies anomalies() {
    return anomalies;
  }
}
