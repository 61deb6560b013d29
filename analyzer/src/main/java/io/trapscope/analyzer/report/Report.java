package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.tally.Part;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.HdrHistogram.Histogram;

/**
 * A question to a trace. Its tables are made from what one pass over the trace has counted; or it
 * has {@link EventRows}, one row an event, which are never held in memory; or both.
 *
 * <p>Reports keep nothing themselves: the same parts of the tally serve many of them.
 */
public interface Report {
  /** Lower-case words joined by underscores; what {@code analyze --report} takes. */
  String name();

  /** One line for people who choose among reports. */
  String meaning();

  /** What has to be counted for it; nothing where the report has rows only. */
  Set<Part> needs();

  /** Which exits are counted for it. */
  default EventFilter where() {
    return EventFilter.ALL;
  }

  /** Further exits of which the report wants to know when the first one came. */
  default Set<EventFilter> firstOf() {
    return Set.of();
  }

  /** The answer, for files and for programs. */
  default List<Table> tables(Findings found) {
    return List.of();
  }

  /**
   * The report that people want who have not asked for anything else, of a machine with so many
   * vCPUs.
   */
  default Report forPeople(int vcpus) {
    return this;
  }

  /** The answer for people: the same, where nothing shorter would do. */
  default List<Table> summary(Findings found) {
    return tables(found);
  }

  /** Whole distributions behind the tables, in ns, by a name for each; none for most reports. */
  default Map<String, Histogram> histograms(Findings found) {
    return Map.of();
  }

  /** Its rows; empty where the report has none. */
  default Optional<EventRows> rows(TraceFacts facts) {
    return Optional.empty();
  }
}
