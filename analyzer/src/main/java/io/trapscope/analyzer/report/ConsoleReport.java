package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.analyzer.tally.Messages;
import io.trapscope.analyzer.tally.Part;
import io.trapscope.recorder.event.EventType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** {@code console}: the lines that went over the guest's consoles, with their times. */
public final class ConsoleReport implements Report {
  private static final TableSchema SCHEMA =
      new TableSchema(
          "console",
          "Console",
          "a line that the guest wrote or was given",
          List.of(
              Column.of("time", ColumnType.TIMESTAMP, Unit.NANOSECONDS, "when it began"),
              Column.duration("since_start", "from the run's beginning to the line's"),
              Column.of("channel", ColumnType.UINT8, Unit.NONE, "which console, 0 the first"),
              Column.words(
                  "flow", List.of("OUT", "IN"), "OUT what the guest wrote, IN what it was given"),
              Column.text("text", "the line, without escape sequences")));

  @Override
  public String name() {
    return "console";
  }

  @Override
  public String meaning() {
    return "the lines on the guest's consoles, with their times";
  }

  @Override
  public Set<Part> needs() {
    return EnumSet.of(Part.MESSAGES);
  }

  private record Row(ConsoleLines.Line line, int channel, int flow) {}

  @Override
  public List<Table> tables(Findings found) {
    Messages messages = found.tally().messages();
    List<Row> rows = new ArrayList<>();
    messages.list().stream()
        .mapToInt(Messages.Message::channel)
        .distinct()
        .forEach(
            channel -> {
              ConsoleLines.of(messages, EventType.CONSOLE_OUTPUT, channel)
                  .forEach(line -> rows.add(new Row(line, channel, 0)));
              ConsoleLines.of(messages, EventType.CONSOLE_INPUT, channel)
                  .forEach(line -> rows.add(new Row(line, channel, 1)));
            });
    rows.sort(
        Comparator.comparingLong((Row row) -> row.line.begin())
            .thenComparing(row -> -row.flow)
            .thenComparing(Row::channel));
    Table.Builder table = Table.builder(SCHEMA);
    for (Row row : rows) {
      table.number(0, row.line.begin() + found.facts().wallClockOffset());
      table.number(1, row.line.begin() - found.facts().start());
      table.number(2, row.channel);
      table.number(3, row.flow);
      table.text(4, row.line.text());
      table.endRow();
    }
    if (messages.left() > 0) {
      table.note(
          String.format(
              Locale.ROOT,
              "%,d writes left out: only the first %d KiB of text are kept",
              messages.left(),
              Messages.MOST_BYTES >> 10));
    }
    return List.of(table.build());
  }

  /** Nothing: who has run the guest has seen it. */
  @Override
  public List<Table> summary(Findings found) {
    return List.of();
  }
}
