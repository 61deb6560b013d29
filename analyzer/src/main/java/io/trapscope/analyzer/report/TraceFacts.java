package io.trapscope.analyzer.report;

import io.trapscope.recorder.trace.TraceHeader;
import java.util.HashMap;
import java.util.Map;

/**
 * What reports need to know about a trace besides its events.
 *
 * @param wallClockOffset ns to add to a time of the trace's clock to get ns since 1970-01-01 UTC
 * @param regions names of the machine's memory regions, by the id that events carry
 */
public record TraceFacts(long wallClockOffset, Map<Integer, String> regions) {
  public TraceFacts {
    regions = Map.copyOf(regions);
  }

  /** The facts that a trace's header states. */
  public static TraceFacts of(TraceHeader header) {
    Map<Integer, String> regions = new HashMap<>();
    header.regions().forEach(region -> regions.put(region.id(), region.name()));
    return new TraceFacts(header.clocks().epochNanos(0), regions);
  }

  /** Name of the memory region with this id, or "region N" where the trace names none. */
  public String region(int id) {
    return regions.getOrDefault(id, "region " + id);
  }
}
