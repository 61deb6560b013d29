package io.trapscope.analyzer.pipeline;

import io.trapscope.analyzer.report.EventRows;
import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.report.TraceFacts;
import io.trapscope.analyzer.table.RowSink;
import io.trapscope.analyzer.table.TableDirectory;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** One pass over all streams in the order of time, for every table with a row an event. */
final class RowPass {
  private record Target(EventRows rows, RowSink sink) {}

  private RowPass() {}

  static void run(TraceReader trace, List<Report> reports, TraceFacts facts, TableDirectory out)
      throws IOException {
    List<List<Target>> byType = new ArrayList<>();
    for (EventType type : EventType.values()) {
      byType.add(new ArrayList<>());
    }
    boolean any = false;
    for (Report report : reports) {
      EventRows rows = report.rows(facts).orElse(null);
      if (rows != null) {
        Target target = new Target(rows, out.open(rows.schema()));
        rows.types().forEach(type -> byType.get(type.ordinal()).add(target));
        any = true;
      }
    }
    if (any) {
      stream(trace, byType);
    }
  }

  private static void stream(TraceReader trace, List<List<Target>> byType) throws IOException {
    Target[][] targets = new Target[byType.size()][];
    for (int i = 0; i < targets.length; i++) {
      targets[i] = byType.get(i).toArray(Target[]::new);
    }
    try {
      EventCursor cursor = trace.merged();
      while (cursor.next()) {
        EventReader event = cursor.event();
        for (Target target : targets[event.type().ordinal()]) {
          target.rows.append(event, target.sink);
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}
