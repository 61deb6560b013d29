package io.trapscope.analyzer.report;

import io.trapscope.analyzer.tally.SpanReader;
import io.trapscope.analyzer.tally.Tally;
import java.util.Map;

/**
 * What a report's tables are made from.
 *
 * @param tally what was counted, of the exits that the report asked for
 * @param facts what else is known of the trace
 * @param spans what happened between two times
 * @param where what was counted of other exits, by the filters of {@link Report#firstOf}
 */
public record Findings(
    Tally tally, TraceFacts facts, SpanReader spans, Map<EventFilter, Tally> where) {

  /** What was counted of the exits that pass this filter. */
  Tally where(EventFilter filter) {
    return where.get(filter);
  }
}
