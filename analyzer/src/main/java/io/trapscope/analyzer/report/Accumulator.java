package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Table;
import io.trapscope.recorder.event.EventReader;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * What a report remembers while events go by. Its size is bounded by the number of distinct things
 * (reasons, vCPUs, regions), never by the number of events. One thread at a time.
 *
 * <p>Accumulators merge: if some events went to one and the rest to another of the same report, in
 * whatever way they were divided, then merging the two gives the tables that one would have given.
 */
public interface Accumulator {
  /** Takes one event of a type the report needs; {@code event} is only valid during the call. */
  void accept(EventReader event);

  /**
   * Adds what {@code other} remembers, which must be of the same report and is not used again.
   *
   * @throws ClassCastException where it is of another
   */
  void merge(Accumulator other);

  /** The answer, for files and for programs. */
  List<Table> tables();

  /** The answer for people: the same, where nothing shorter would do. */
  default List<Table> summary() {
    return tables();
  }

  /** Whole distributions behind the tables, in ns, by a name for each; none for most reports. */
  default Map<String, Histogram> histograms() {
    return Map.of();
  }
}
