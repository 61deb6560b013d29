package io.trapscope.analyzer.report;

import io.trapscope.analyzer.symbols.SymbolTable;
import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceReader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What reports need to know about a trace besides its events.
 *
 * @param wallClockOffset ns to add to a time of the trace's clock to get ns since 1970-01-01 UTC
 * @param regions names of the machine's memory regions, by the id that events carry
 * @param counters what the host's counters have gained while it was recorded
 * @param symbols names of guest addresses
 */
public record TraceFacts(
    long wallClockOffset,
    Map<Integer, String> regions,
    List<Counter> counters,
    SymbolTable symbols) {
  public TraceFacts {
    regions = Map.copyOf(regions);
    counters = List.copyOf(counters);
  }

  /** The facts that a trace's header and footer state, without names of guest addresses. */
  public static TraceFacts of(TraceReader trace) {
    return of(trace, SymbolTable.EMPTY);
  }

  /** The facts that a trace's header and footer state. */
  public static TraceFacts of(TraceReader trace, SymbolTable symbols) {
    TraceHeader header = trace.header();
    Map<Integer, String> regions = new HashMap<>();
    header.regions().forEach(region -> regions.put(region.id(), region.name()));
    List<Counter> counters =
        trace.end().map(end -> Counter.change(header.counters(), end.counters())).orElse(List.of());
    return new TraceFacts(header.clocks().epochNanos(0), regions, counters, symbols);
  }

  /** Name of the memory region with this id, or "region N" where the trace names none. */
  public String region(int id) {
    return regions.getOrDefault(id, "region " + id);
  }
}
