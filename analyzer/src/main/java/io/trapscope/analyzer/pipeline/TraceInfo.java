package io.trapscope.analyzer.pipeline;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where events come from and how complete they are: goes in front of every answer and into the
 * metadata of every Arrow file.
 *
 * @param properties facts of the trace's header, in the order in which they are shown
 * @param coverage for each kind of event whether it was recorded: one sentence each
 * @param lost events known to be missing
 * @param warnings what makes the trace less than complete, one sentence each; empty where nothing
 *     does
 */
public record TraceInfo(
    Map<String, String> properties, List<String> coverage, long lost, List<String> warnings) {

  public TraceInfo {
    properties = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(properties));
    coverage = List.copyOf(coverage);
    warnings = List.copyOf(warnings);
  }
}
