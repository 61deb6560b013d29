package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.RowSink;
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
          cells.add(Cell.of(field, firstColumn + i, facts));
        }
      }
      byType[type.ordinal()] = cells.toArray(Cell[]::new);
    }
  }

  /** Sets a cell for each field that was captured; does not end the row. */
  void append(EventReader event, RowSink sink) {
    for (Cell cell : byType[event.type().ordinal()]) {
      if (event.has(cell.field)) {
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
    private final int column;
    private final Action action;
    private final TraceFacts facts;
    private final int[] words;
    private final byte[] scratch;

    private Cell(Field field, int column, Action action, TraceFacts facts) {
      this.field = field;
      this.column = column;
      this.action = action;
      this.facts = facts;
      this.words = action == Action.WORD ? EventColumns.wordIndexes(field) : null;
      this.scratch = action == Action.BYTES ? new byte[EventWriter.MAX_DATA] : null;
    }

    static Cell of(Field field, int column, TraceFacts facts) {
      Action action =
          switch (field.kind()) {
            case CODE -> Action.WORD;
            case DATA -> Action.BYTES;
            case TIMESTAMP -> Action.TIME;
            case INDEX -> field == Field.REGION ? Action.REGION : Action.NUMBER;
            case COUNT, INSTRUCTIONS, DURATION, SIZE, ADDRESS, BITS, FLAG -> Action.NUMBER;
          };
      return new Cell(field, column, action, facts);
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
