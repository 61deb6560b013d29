package io.trapscope.analyzer.pipeline;

import java.util.LinkedHashMap;
import java.util.Map;

/** The metadata of every file of tables: each key starts with "trapscope.". */
final class FileMetadata {
  private static final String PREFIX = "trapscope.";

  private FileMetadata() {}

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
