package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.RowSink;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import java.util.Set;

/** A table with a row an event: knows the columns and fills one row; keeps nothing. */
public interface EventRows {
  /** Name and columns. */
  TableSchema schema();

  /** The events it has to be given; it is given no others. */
  Set<EventType> types();

  /** Appends the row of this event, or nothing where the table has none for it. */
  void append(EventReader event, RowSink sink);
}
