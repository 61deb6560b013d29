package io.trapscope.analyzer.report;

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

  /** Name of the memory region with this id, or "region N" where the trace names none. */
  public String region(int id) {
    return regions.getOrDefault(id, "region " + id);
  }
}
