package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.RowBlock;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.tally.Part;
import io.trapscope.analyzer.tally.Tally;
import io.trapscope.recorder.event.EventBlock;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** {@code exits}: a row an exit, a column for every field that any exit has. */
public final class ExitsReport implements Report {
  @Override
  public String name() {
    return "exits";
  }

  @Override
  public String meaning() {
    return "every exit with every field of its event";
  }

  @Override
  public Set<Part> needs() {
    return EnumSet.noneOf(Part.class);
  }

  @Override
  public Optional<EventRows> rows(TraceFacts facts) {
    return Optional.of(new Rows(facts));
  }

  /** Common fields first, then each type's own, each once, in the order of the schema table. */
  private static List<Field> fields() {
    Set<Field> fields = new LinkedHashSet<>(EventType.COMMON);
    for (EventType type : EventType.values()) {
      if (Tally.EXITS.contains(type)) {
        fields.addAll(type.details());
      }
    }
    return List.copyOf(fields);
  }

  private static final class Rows implements EventRows {
    private static final int EVENT = 0;

    private final TableSchema schema;
    private final FieldRows cells;
    private final long[] names = new long[EventBlock.CAPACITY];

    Rows(TraceFacts facts) {
      List<Field> fields = fields();
      List<Column> columns = new ArrayList<>();
      columns.add(Column.words("event", typeNames(), "type of the event: which columns it fills"));
      fields.forEach(field -> columns.add(EventColumns.of(field)));
      schema = new TableSchema("exits", "Exits", "one exit, in the order of time", columns);
      cells = new FieldRows(Tally.EXITS, fields, EVENT + 1, facts);
    }

    private static List<String> typeNames() {
      List<String> names = new ArrayList<>();
      for (EventType type : EventType.values()) {
        names.add(type.name());
      }
      return names;
    }

    @Override
    public TableSchema schema() {
      return schema;
    }

    @Override
    public Set<EventType> types() {
      return Tally.EXITS;
    }

    @Override
    public void fill(EventType type, ChosenEvents events, RowBlock block) {
      Arrays.fill(names, 0, events.size(), type.ordinal());
      block.column(EVENT).numbers(events.row, names, events.size());
      cells.fill(type, events, block);
    }
  }
}
