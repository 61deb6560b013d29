package io.trapscope.analyzer.pipeline;

import java.util.LinkedHashMap;
import java.util.Map;

/** The schema metadata of every Arrow file: each key starts with "trapscope.". */
final class ArrowMetadata {
  private static final String PREFIX = "trapscope.";

  private ArrowMetadata() {}

  static Map<String, String> of(TraceInfo info) {
    Map<String, String> metadata = new LinkedHashMap<>();
    info.properties().forEach((key, value) -> metadata.put(PREFIX + key, value));
    metadata.put(PREFIX + "events", Long.toString(info.events()));
    metadata.put(PREFIX + "exits", Long.toString(info.exits()));
    metadata.put(PREFIX + "lost", Long.toString(info.lost()));
    metadata.put(PREFIX + "complete", Boolean.toString(info.complete()));
    metadata.put(PREFIX + "coverage", String.join("\n", info.coverage()));
    metadata.put(PREFIX + "warnings", String.join("\n", info.warnings()));
    return metadata;
  }
}
