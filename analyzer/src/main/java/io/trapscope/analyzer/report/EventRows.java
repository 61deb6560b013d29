package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.RowSink;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.recorder.event.EventReader;

/** A table with a row an event: knows the columns and fills one row; keeps nothing. */
public interface EventRows {
  /** Name and columns. */
  TableSchema schema();

  /** Appends the row of this event, or nothing where the table has none for it. */
  void append(EventReader event, RowSink sink);
}
