package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.LossCause;
import io.trapscope.recorder.event.RunEnd;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How a recording ended and what it holds: {@code end.json}, which only a clean end leaves.
 *
 * @param how how the run ended; null where a newer version names an end this one does not know
 * @param detail the debug-exit value, or 0
 * @param text one line for the user, possibly empty
 * @param epochNanos wall clock at the end, ns since 1970, UTC
 * @param streams one for each stream of the trace
 * @param counters the host's own counters at the end; see {@link TraceHeader#counters}
 */
public record TraceEnd(
    RunEnd how,
    long detail,
    String text,
    long epochNanos,
    List<StreamEnd> streams,
    List<Counter> counters) {

  /**
   * What a stream holds.
   *
   * @param name its directory
   * @param events events in it
   * @param lost events that were counted and are not in it
   * @param cause why events are lost; null where none are
   * @param clamped measured values that did not fit their fields
   * @param bytes bytes of the queue's file
   */
  public record StreamEnd(
      String name, long events, long lost, LossCause cause, long clamped, long bytes) {

    /** Adds what this shows beside the number of records that were read. */
    void compare(long records, Anomalies anomalies) {
      anomalies.add(Anomaly.LOST_EVENTS, lost);
      anomalies.add(Anomaly.CLAMPED_VALUES, clamped);
      anomalies.add(Anomaly.MISSING_AT_END, Math.max(0, events - records));
      anomalies.add(Anomaly.BAD_END, records > events ? 1 : 0);
    }
  }

  public TraceEnd {
    streams = List.copyOf(streams);
    counters = List.copyOf(counters);
  }

  /** Events in all streams. */
  public long events() {
    return streams.stream().mapToLong(StreamEnd::events).sum();
  }

  /** Events lost in all streams. */
  public long lost() {
    return streams.stream().mapToLong(StreamEnd::lost).sum();
  }

  /** Bytes of all streams. */
  public long bytes() {
    return streams.stream().mapToLong(StreamEnd::bytes).sum();
  }

  /** The stream with this directory, or null. */
  StreamEnd stream(String name) {
    for (StreamEnd stream : streams) {
      if (stream.name().equals(name)) {
        return stream;
      }
    }
    return null;
  }

  /** The counters as a JSON array. */
  public String countersJson() {
    return Json.write(CounterJson.trees(counters));
  }

  byte[] toBytes() {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("how", how);
    tree.put("how_code", how.code());
    tree.put("detail", detail);
    tree.put("text", text);
    tree.put("epoch_ns", epochNanos);
    List<Object> list = new ArrayList<>();
    for (StreamEnd stream : streams) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("name", stream.name);
      entry.put("events", stream.events);
      entry.put("lost", stream.lost);
      entry.put("cause", stream.cause == null ? 0 : stream.cause.code());
      entry.put("clamped", stream.clamped);
      entry.put("bytes", stream.bytes);
      list.add(entry);
    }
    tree.put("streams", list);
    if (!counters.isEmpty()) {
      tree.put("counters", CounterJson.trees(counters));
    }
    return Json.write(tree).getBytes(StandardCharsets.UTF_8);
  }

  static TraceEnd parse(byte[] bytes) throws IOException {
    Json.Reader json = new Json.Reader(Json.parse(bytes), "");
    List<StreamEnd> streams = new ArrayList<>();
    for (Json.Reader stream : json.objects("streams")) {
      streams.add(
          new StreamEnd(
              stream.text("name"),
              stream.number("events"),
              stream.number("lost"),
              LossCause.of((int) stream.number("cause")),
              stream.number("clamped"),
              stream.number("bytes")));
    }
    return new TraceEnd(
        RunEnd.of(json.number("how_code", 0, 255)),
        json.number("detail"),
        json.text("text"),
        json.number("epoch_ns"),
        streams,
        CounterJson.parse(json.objects("counters")));
  }
}
