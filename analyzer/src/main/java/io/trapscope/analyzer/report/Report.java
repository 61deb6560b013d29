package io.trapscope.analyzer.report;

import io.trapscope.recorder.event.EventType;
import java.util.Optional;
import java.util.Set;

/**
 * A question to a trace. A report has an {@link Accumulator}, whose answer is small, or {@link
 * EventRows}, one row an event, which is never held in memory; or both.
 */
public interface Report {
  /** Lower-case words joined by underscores; what {@code analyze --report} takes. */
  String name();

  /** One line for people who choose among reports. */
  String meaning();

  /** The events it has to be given; it is given no others. */
  Set<EventType> needs();

  /** A new, empty accumulator; empty where the report has rows only. */
  Optional<Accumulator> accumulator(TraceFacts facts);

  /** Its rows; empty where the report has none. */
  Optional<EventRows> rows(TraceFacts facts);
}
