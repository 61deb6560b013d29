package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.RowBlock;
import io.trapscope.recorder.event.EventBlock;
import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitQualification;
import io.trapscope.recorder.event.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Copies fields of events into cells. Which field of which event type goes to which column is
 * worked out once; then each field is taken from many events of a type in a short loop.
 */
final class FieldRows {
  private static final long U32 = 0xffff_ffffL;
  private static final long ACCESS =
      ExitQualification.EPT_READ | ExitQualification.EPT_WRITE | ExitQualification.EPT_FETCH;

  private final List<List<Cell>> byType = new ArrayList<>();
  private final TraceFacts facts;

  /** Names of memory regions that were asked for, by their id. */
  private String[] regions = {};

  // Of the field that is being copied: where the records begin, the rows, the values.
  private final int[] at = new int[EventBlock.CAPACITY];
  private final int[] rows = new int[EventBlock.CAPACITY];
  private final long[] values = new long[EventBlock.CAPACITY];

  /** What becomes of a field's value. */
  private enum Action {
    NUMBER,
    FLAG,
    TIME,
    WORD,
    /** A page size, of its logarithm. */
    PAGE_SIZE,
    REGION,
    BYTES
  }

  /** One field's way into one column. */
  private record Cell(Field field, EventLayout layout, int column, Action action, int[] words) {
    static Cell of(Field field, EventType type, int column) {
      Action action =
          switch (field.kind()) {
            case CODE -> Action.WORD;
            case DATA -> Action.BYTES;
            case TIMESTAMP -> Action.TIME;
            case INDEX -> field == Field.REGION ? Action.REGION : Action.NUMBER;
            case FLAG -> Action.FLAG;
            case COUNT, INSTRUCTIONS, DURATION, SIZE, ADDRESS, BITS -> Action.NUMBER;
          };
      int[] words = action == Action.WORD ? EventColumns.wordIndexes(field) : null;
      return new Cell(field, EventLayout.of(type), column, action, words);
    }
  }

  /**
   * Plans the cells of each event type that will come.
   *
   * @param fields the columns in order, the first at {@code firstColumn}
   */
  FieldRows(Iterable<EventType> types, List<Field> fields, int firstColumn, TraceFacts facts) {
    this.facts = facts;
    for (int i = 0; i < EventType.values().length; i++) {
      byType.add(new ArrayList<>());
    }
    for (EventType type : types) {
      for (int i = 0; i < fields.size(); i++) {
        if (EventLayout.of(type).has(fields.get(i))) {
          byType.get(type.ordinal()).add(Cell.of(fields.get(i), type, firstColumn + i));
        }
      }
    }
  }

  /** Plans a column of page sizes in bytes too, of a field that holds their logarithm. */
  void addPageSize(EventType type, Field field, int column) {
    byType
        .get(type.ordinal())
        .add(new Cell(field, EventLayout.of(type), column, Action.PAGE_SIZE, null));
  }

  /** Sets a cell for each field that each of the events captured. */
  void fill(EventType type, ChosenEvents events, RowBlock block) {
    for (Cell cell : byType.get(type.ordinal())) {
      RowBlock.Cells target = block.column(cell.column);
      if (cell.action == Action.BYTES) {
        copyBytes(cell, events, target);
      } else {
        copy(cell, events, target);
      }
    }
  }

  private void copy(Cell cell, ChosenEvents events, RowBlock.Cells target) {
    int count = choose(cell, events);
    if (count == 0) {
      return;
    }
    boolean all = count == events.size;
    read(cell, events, all ? events.at : at, count);
    int[] into = all ? events.row : rows;
    switch (cell.action) {
      case NUMBER, BYTES -> {}
      case FLAG -> {
        for (int i = 0; i < count; i++) {
          values[i] = values[i] == 0 ? 0 : 1;
        }
      }
      case TIME -> add(facts.wallClockOffset(), count);
      case WORD -> {
        for (int i = 0; i < count; i++) {
          values[i] = cell.words[(int) values[i]];
        }
      }
      case PAGE_SIZE -> {
        target.numbers(rows, values, pageSizes(into, count));
        return;
      }
      case REGION -> {
        for (int i = 0; i < count; i++) {
          target.text(into[i], region((int) values[i]));
        }
        return;
      }
    }
    target.numbers(into, values, count);
  }

  /**
   * Makes sizes of logarithms, their rows in rows; leaves out those that can be none.
   *
   * @return how many sizes there are
   */
  private int pageSizes(int[] into, int count) {
    int sizes = 0;
    for (int i = 0; i < count; i++) {
      long logarithm = values[i];
      rows[sizes] = into[i];
      values[sizes] = 1L << logarithm;
      sizes += logarithm < Long.SIZE ? 1 : 0;
    }
    return sizes;
  }

  private String region(int id) {
    if (id >= regions.length) {
      regions = Arrays.copyOf(regions, id + 1);
    }
    if (regions[id] == null) {
      regions[id] = facts.region(id);
    }
    return regions[id];
  }

  /** Finds the events that captured the field; where not all did, they are in at and rows. */
  private int choose(Cell cell, ChosenEvents events) {
    if (cell.field == Field.SEQUENCE) {
      return events.size;
    }
    if (cell.field == Field.VCPU) {
      return events.block.vcpu() == EventReader.NO_VCPU ? 0 : events.size;
    }
    Field stored = cell.field == Field.ACCESS ? Field.QUALIFICATION : cell.field;
    int bit = cell.layout.presenceBit(stored);
    if ((events.common >>> bit & 1) != 0) {
      return events.size;
    }
    if ((events.any >>> bit & 1) == 0) {
      return 0;
    }
    int count = 0;
    for (int i = 0; i < events.size; i++) {
      at[count] = events.at[i];
      rows[count] = events.row[i];
      count += events.captured[i] >>> bit & 1;
    }
    return count;
  }

  /** Reads the field's values of the records that begin at these places. */
  private void read(Cell cell, ChosenEvents events, int[] records, int count) {
    EventBlock block = events.block;
    int offset = cell.layout.offset(cell.field);
    switch (cell.field.wire()) {
      case U64 -> readLongs(block, records, offset, count);
      case U32 -> readInts(block, records, offset, U32, 0, count);
      case U16 -> readInts(block, records, offset, 0xffff, 0, count);
      case U8 -> readInts(block, records, offset, 0xff, 0, count);
      case NIBBLE -> readInts(block, records, offset, 0xf, cell.layout.shift(cell.field), count);
      case SINCE_BASE -> {
        readInts(block, records, offset, U32, 0, count);
        add(cell.field == Field.TIME ? block.baseTime() : block.baseInstructions(), count);
      }
      case DERIVED -> derive(cell, events, records, count);
      case BYTES -> throw new IllegalArgumentException(cell.field + " is no number");
    }
  }

  private void readLongs(EventBlock block, int[] records, int offset, int count) {
    for (int i = 0; i < count; i++) {
      values[i] = block.u64(records[i] + offset);
    }
  }

  /** Four bytes are read of narrower fields too; a block has room behind its last record. */
  private void readInts(
      EventBlock block, int[] records, int offset, long mask, int shift, int count) {
    for (int i = 0; i < count; i++) {
      values[i] = block.i32(records[i] + offset) >>> shift & mask;
    }
  }

  private void add(long amount, int count) {
    for (int i = 0; i < count; i++) {
      values[i] += amount;
    }
  }

  private void derive(Cell cell, ChosenEvents events, int[] records, int count) {
    if (cell.field == Field.SEQUENCE) {
      for (int i = 0; i < count; i++) {
        values[i] = events.block.sequence(events.number[i]);
      }
    } else if (cell.field == Field.VCPU) {
      Arrays.fill(values, 0, count, events.block.vcpu());
    } else { // access: what the qualification's low bits say
      int offset = cell.layout.offset(Field.QUALIFICATION);
      readInts(events.block, records, offset, ACCESS, 0, count);
    }
  }

  private static void copyBytes(Cell cell, ChosenEvents events, RowBlock.Cells target) {
    int bit = cell.layout.presenceBit(cell.field);
    for (int i = 0; i < events.size; i++) {
      if ((events.captured[i] >>> bit & 1) != 0) {
        EventReader event = events.block.event(events.number[i]);
        int from = target.bytes(events.row[i], event.bytes(cell.field));
        event.getBytes(cell.field, target.heap(), from);
      }
    }
  }
}
