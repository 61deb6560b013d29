package io.trapscope.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.trapscope.analyzer.table.AsciiText;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.trace.Anomaly;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.TraceHeader.Clocks;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Prints the events of a trace, one a line, in the order of time. */
@Command(
    name = "dump",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Prints the events of a trace, one a line, in the order of time.",
      "A line has the time in seconds since the first, the stream, the event's number in it,"
          + " its type, and every field that was captured.",
      "Exit status 4 says that the trace is incomplete, as far as it was read."
    })
final class DumpCommand implements Callable<Integer> {
  private static final int BLOCK_BYTES = 1 << 15;

  @ParentCommand private TrapscopeCommand parent;
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "TRACE", description = "The trace's directory.")
  private Path trace;

  @Option(names = "--json", description = "Print a JSON array of events instead.")
  private boolean json;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      converter = OptionValues.EventTypes.class,
      completionCandidates = OptionValues.EventTypes.class,
      description = "Print only events of this type: ${COMPLETION-CANDIDATES}; may be repeated.")
  private Set<EventType> types = EnumSet.noneOf(EventType.class);

  @Option(names = "--limit", paramLabel = "N", description = "Print at most N events.")
  private Long limit;

  @Override
  public Integer call() throws IOException {
    if (limit != null && limit < 0) {
      throw new ParameterException(spec.commandLine(), "--limit takes a number of at least 0");
    }
    TraceReader reader = Traces.open(trace);
    Clocks clocks = reader.header().clocks();
    EventPrinter printer = new EventPrinter(clocks.epochNanos() - clocks.monotonicNanos());
    EventCursor cursor = reader.merged();
    if (json) {
      dumpJson(cursor, printer);
    } else {
      dumpText(cursor, printer);
    }
    return report(cursor);
  }

  private void dumpText(EventCursor cursor, EventPrinter printer) {
    AsciiText lines = new AsciiText(2 * BLOCK_BYTES);
    for (long left = most(); left > 0 && next(cursor); left--) {
      printer.text(cursor.event(), lines);
      if (lines.length() >= BLOCK_BYTES) {
        print(lines);
      }
    }
    print(lines);
  }

  private void print(AsciiText lines) {
    parent.out().write(lines.array(), 0, lines.length());
    lines.clear();
  }

  private void dumpJson(EventCursor cursor, EventPrinter printer) throws IOException {
    JsonFactory factory = new JsonFactory();
    factory.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
    factory.disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);
    try (JsonGenerator generator = factory.createGenerator(parent.out())) {
      generator.setRootValueSeparator(null);
      generator.writeRaw('[');
      String separator = "\n";
      for (long left = most(); left > 0 && next(cursor); left--) {
        generator.writeRaw(separator);
        printer.json(cursor.event(), generator);
        separator = ",\n";
      }
      generator.writeRaw("\n]\n");
    }
  }

  private long most() {
    return limit == null ? Long.MAX_VALUE : limit;
  }

  /** Moves to the next event of a type that was asked for. */
  private boolean next(EventCursor cursor) {
    while (cursor.next()) {
      EventReader event = cursor.event();
      if (types.isEmpty() || types.contains(event.type())) {
        return true;
      }
    }
    return false;
  }

  private int report(EventCursor cursor) {
    if (!cursor.anomalies().isIncomplete()) {
      return ExitStatus.DONE;
    }
    for (Map.Entry<Anomaly, Long> entry : cursor.anomalies().toMap().entrySet()) {
      parent.err().println("warning: " + entry.getKey().meaning() + ": " + entry.getValue());
    }
    return ExitStatus.INCOMPLETE;
  }
}
