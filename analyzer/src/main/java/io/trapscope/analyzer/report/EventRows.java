package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.RowBlock;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.recorder.event.EventType;
import java.util.Set;

/** A table with a row an event: knows the columns and fills their cells; keeps no row. */
public interface EventRows {
  /** Name and columns. */
  TableSchema schema();

  /** The types of events that have a row each; it is given no others. */
  Set<EventType> types();

  /** Sets the cells of these events of a type, whose rows are in the block already. */
  void fill(EventType type, ChosenEvents events, RowBlock block);
}
