package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.RowSink;
import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.Field;
import java.util.ArrayList;
import java.util.List;

/**
 * Copies fields of events into cells. Which field of which event type goes to which column is
 * worked out once; an event costs one step for each field that its own type has.
 */
final class FieldRows {
  private final Cell[][] byType = new Cell[EventType.values().length][];

  /**
   * Plans the cells of each event type that will come.
   *
   * @param fields the columns in order, the first at {@code firstColumn}
   */
  FieldRows(Iterable<EventType> types, List<Field> fields, int firstColumn, TraceFacts facts) {
    for (EventType type : types) {
      List<Cell> cells = new ArrayList<>();
      for (int i = 0; i < fields.size(); i++) {
        Field field = fields.get(i);
        if (EventType.COMMON.contains(field) || type.details().contains(field)) {
          int bit = EventLayout.of(type).presenceBit(field);
          cells.add(Cell.of(field, bit, firstColumn + i, facts));
        }
      }
      byType[type.ordinal()] = cells.toArray(Cell[]::new);
    }
  }

  /** Sets a cell for each field that was captured; does not end the row. */
  void append(EventReader event, RowSink sink) {
    int captured = event.captured();
    for (Cell cell : byType[event.type().ordinal()]) {
      if (cell.isDerived ? event.has(cell.field) : (captured & cell.bit) != 0) {
        cell.copy(event, sink);
      }
    }
  }

  private enum Action {
    NUMBER,
    TIME,
    WORD,
    REGION,
    BYTES
  }

  /** One field's way into one column. */
  private static final class Cell {
    final Field field;

    /** Whether the field takes no room in a record; else its bit among those that were captured. */
    final boolean isDerived;

    final int bit;
    private final int column;
    private final Action action;
    private final TraceFacts facts;
    private final int[] words;
    private final byte[] scratch;

    private Cell(Field field, int presenceBit, int column, Action action, TraceFacts facts) {
      this.field = field;
      this.isDerived = presenceBit < 0;
      this.bit = isDerived ? 0 : 1 << presenceBit;
      this.column = column;
      this.action = action;
      this.facts = facts;
      this.words = action == Action.WORD ? EventColumns.wordIndexes(field) : null;
      this.scratch = action == Action.BYTES ? new byte[EventWriter.MAX_DATA] : null;
    }

    static Cell of(Field field, int presenceBit, int column, TraceFacts facts) {
      Action action =
          switch (field.kind()) {
            case CODE -> Action.WORD;
            case DATA -> Action.BYTES;
            case TIMESTAMP -> Action.TIME;
            case INDEX -> field == Field.REGION ? Action.REGION : Action.NUMBER;
            case COUNT, INSTRUCTIONS, DURATION, SIZE, ADDRESS, BITS, FLAG -> Action.NUMBER;
          };
      return new Cell(field, presenceBit, column, action, facts);
    }

    void copy(EventReader event, RowSink sink) {
      switch (action) {
        case NUMBER -> sink.number(column, event.get(field));
        case TIME -> sink.number(column, event.get(field) + facts.wallClockOffset());
        case WORD -> sink.number(column, words[(int) event.get(field)]);
        case REGION -> sink.text(column, facts.region((int) event.get(field)));
        case BYTES -> sink.bytes(column, scratch, 0, event.getBytes(field, scratch, 0));
      }
    }
  }
}
