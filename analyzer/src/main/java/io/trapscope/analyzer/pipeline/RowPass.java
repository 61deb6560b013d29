package io.trapscope.analyzer.pipeline;

import io.trapscope.analyzer.report.ChosenEvents;
import io.trapscope.analyzer.report.EventRows;
import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.report.TraceFacts;
import io.trapscope.analyzer.table.RowBlock;
import io.trapscope.analyzer.table.RowSink;
import io.trapscope.analyzer.table.TableDirectory;
import io.trapscope.recorder.event.EventBlock;
import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** One pass over all streams in the order of time, for every table with a row an event. */
final class RowPass {
  /** Events between two reports of progress. */
  private static final int STEP = 1 << 16;

  /** The bit that says that an event has a reason: without one it is no exit. */
  private static final int REASON = 1 << EventLayout.of(EventType.EXIT).presenceBit(Field.REASON);

  private RowPass() {}

  /** Writes the tables' rows; {@code progress} hears of events, of the {@code all} there are. */
  static void run(
      TraceReader trace,
      List<Report> reports,
      TraceFacts facts,
      TableDirectory out,
      Progress progress,
      long all)
      throws IOException {
    List<Target> targets = new ArrayList<>();
    try {
      for (Report report : reports) {
        EventRows rows = report.rows(facts).orElse(null);
        if (rows != null) {
          targets.add(new Target(rows, out.open(rows.schema())));
        }
      }
      if (targets.isEmpty()) {
        return;
      }
      MergedBlocks events = new MergedBlocks(trace);
      long done = 0;
      while (events.next(targets.stream().mapToInt(Target::room).min().orElseThrow())) {
        for (Target target : targets) {
          target.take(events);
        }
        if (done / STEP < (done += events.size()) / STEP) {
          progress.at(done, all);
        }
      }
      targets.forEach(Target::finish);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    } finally {
      targets.forEach(Target::close);
    }
  }

  /** One table: its rows on their way to its file. */
  private static final class Target {
    private final EventRows rows;
    private final BlockWriter writer;
    private RowBlock block;

    /** By the type's id: its events of one stream; null where it has no rows. */
    private final ChosenEvents[] chosen = new ChosenEvents[256];

    /** The row of each event of the order; -1 where it has none. */
    private final int[] rowOf = new int[RowBlock.CAPACITY];

    Target(EventRows rows, RowSink sink) {
      this.rows = rows;
      this.writer = new BlockWriter(sink, rows.schema());
      this.block = new RowBlock(rows.schema());
      for (EventType type : rows.types()) {
        chosen[type.id()] = new ChosenEvents();
      }
    }

    /** Events that there are certainly rows for. */
    int room() {
      return block.room();
    }

    void take(MergedBlocks events) {
      int first = block.rows();
      int row = first;
      for (int i = 0; i < events.size(); i++) {
        EventBlock source = events.block(events.stream(i));
        int number = events.number(i);
        boolean exit = (source.captured(number) & REASON) != 0;
        rowOf[i] = exit && chosen[source.typeId(number)] != null ? row++ : -1;
      }
      block.add(row - first);
      for (int stream = 0; row > first && stream < events.streams(); stream++) {
        fill(events, stream);
      }
      if (block.room() == 0) {
        block = writer.exchange(block);
      }
    }

    private void fill(MergedBlocks events, int stream) {
      EventBlock source = events.block(stream);
      for (EventType type : rows.types()) {
        chosen[type.id()].begin(source);
      }
      for (int i = 0; i < events.size(); i++) {
        if (rowOf[i] >= 0 && events.stream(i) == stream) {
          int number = events.number(i);
          chosen[source.typeId(number)].add(number, rowOf[i]);
        }
      }
      for (EventType type : rows.types()) {
        if (chosen[type.id()].size() > 0) {
          rows.fill(type, chosen[type.id()], block);
        }
      }
    }

    void finish() {
      if (block.rows() > 0) {
        block = writer.exchange(block);
      }
      writer.finish();
    }

    void close() {
      writer.close();
    }
  }
}
