package io.trapscope.analyzer.pipeline;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.trace.Anomalies;
import io.trapscope.recorder.trace.Anomaly;
import io.trapscope.recorder.trace.TraceEnd;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceReader;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Where events come from and how complete they are: goes in front of every answer and into the
 * metadata of every Arrow file.
 *
 * @param properties facts of the trace's header, in the order in which they are shown
 * @param events events read, of all types
 * @param exits those among them that are exits
 * @param lost events known to be missing
 * @param complete whether nothing is missing or wrong of what was to be recorded
 * @param coverage how many exits were recorded, and which kinds could not be, one sentence each
 * @param warnings what makes the trace less than complete, one sentence each; empty where nothing
 *     does
 */
public record TraceInfo(
    Map<String, String> properties,
    long events,
    long exits,
    long lost,
    boolean complete,
    List<String> coverage,
    List<String> warnings) {

  public TraceInfo {
    properties = Collections.unmodifiableMap(new LinkedHashMap<>(properties));
    coverage = List.copyOf(coverage);
    warnings = List.copyOf(warnings);
  }

  /**
   * What a trace says of itself, and what reading it has shown.
   *
   * @param anomalies all of them, those of the streams too
   */
  static TraceInfo of(TraceReader trace, Anomalies anomalies, long events, long exits) {
    long lost =
        Math.max(
            anomalies.count(Anomaly.LOST_EVENTS),
            anomalies.count(Anomaly.MISSING_EVENTS) + anomalies.count(Anomaly.MISSING_AT_END));
    return new TraceInfo(
        properties(trace),
        events,
        exits,
        lost,
        !anomalies.isIncomplete(),
        coverage(trace, events, exits),
        anomalies.warnings());
  }

  private static Map<String, String> properties(TraceReader trace) {
    TraceHeader header = trace.header();
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("format_version", Integer.toString(header.formatVersion()));
    properties.put("schema_version", Integer.toString(header.schemaVersion()));
    properties.put("product", header.product());
    properties.put("back_end", header.backEnd().name());
    properties.put("back_end_why", header.backEnd().why());
    properties.put("host_kernel", header.host().kernel());
    properties.put("host_cpu", header.host().cpu());
    properties.put("guest_cpu", header.guestCpu().model());
    properties.put("vcpus", Integer.toString(header.cpus()));
    properties.put("memory_bytes", Long.toString(header.memoryBytes()));
    properties.put(
        "images",
        header.images().stream()
            .map(image -> image.role() + " " + image.path() + " sha256:" + image.sha256())
            .collect(Collectors.joining("\n")));
    properties.put("command_line", String.join(" ", header.commandLine()));
    properties.put("clock_epoch_ns", Long.toString(header.clocks().epochNanos()));
    properties.put("clock_monotonic_ns", Long.toString(header.clocks().monotonicNanos()));
    properties.put(
        "instructions_per_second", Long.toString(header.clocks().instructionsPerSecond()));
    properties.put("end", trace.end().map(TraceInfo::end).orElse("UNKNOWN"));
    return properties;
  }

  private static String end(TraceEnd end) {
    return end.how() == null ? "UNKNOWN" : end.how().name();
  }

  private static List<String> coverage(TraceReader trace, long events, long exits) {
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(Locale.ROOT, "recorded %,d exits, %s", exits, share(trace.end(), events)));
    TraceHeader header = trace.header();
    Map<String, List<String>> reasonsByCause = new TreeMap<>();
    for (Map.Entry<ExitReason, String> unseen : header.unseen().entrySet()) {
      reasonsByCause
          .computeIfAbsent(unseen.getValue(), cause -> new ArrayList<>())
          .add(unseen.getKey().name());
    }
    reasonsByCause.forEach(
        (cause, reasons) ->
            lines.add("not recorded: " + String.join(", ", reasons) + " (" + cause + ")"));
    return lines;
  }

  /** How many of the events that the recorder had are here; it counted those that it lost. */
  private static String share(Optional<TraceEnd> end, long events) {
    return end.map(
            known ->
                String.format(
                    Locale.ROOT, "%,d of %,d events", events, known.events() + known.lost()))
        .orElse(
            String.format(Locale.ROOT, "%,d events up to where the recording was cut off", events));
  }
}
