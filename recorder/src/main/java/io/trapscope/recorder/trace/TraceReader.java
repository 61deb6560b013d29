package io.trapscope.recorder.trace;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Reads a trace. Opening reads the header and the footer; events are read through cursors, each of
 * which goes over its stream once and independently of the others.
 *
 * <pre>{@code
 * TraceReader trace = TraceReader.open(path);
 * EventCursor cursor = trace.merged();
 * while (cursor.next()) {
 *   count(cursor.event().type());
 * }
 * report(cursor.anomalies());
 * }</pre>
 */
public interface TraceReader {

  /**
   * Opens a trace, also one that is still being written or was cut off.
   *
   * @throws TraceException where there is none, or its header cannot be read
   */
  static TraceReader open(Path directory) throws TraceException {
    return ChronicleTraceReader.open(directory);
  }

  Path directory();

  TraceHeader header();

  /** How the recording ended; empty where it was cut off or still goes on. */
  Optional<TraceEnd> end();

  /** Numbers of the streams: each vCPU, then {@code EventReader.NO_VCPU}. */
  List<Integer> streams();

  /**
   * One stream from its beginning. Its anomalies are the stream's alone.
   *
   * @param vcpu one of {@link #streams}
   */
  BlockCursor stream(int vcpu);

  /**
   * One stream from a batch on that begins at or before {@code time}, if there is one; for who
   * wants what happened then. Its anomalies are only those that it meets.
   *
   * @param vcpu one of {@link #streams}
   */
  BlockCursor stream(int vcpu, long time);

  /**
   * One stream cut into parts, for several threads.
   *
   * @param vcpu one of {@link #streams}
   * @param bytes about how many bytes of file a part has; the last one may have half as many more
   */
  StreamParts parts(int vcpu, long bytes);

  /**
   * All streams from their beginning, merged by time; equal times by stream, then by sequence
   * number. Its anomalies are those of the whole trace.
   */
  EventCursor merged();

  /** Anomalies of the trace as a whole, without those that only reading the streams can show. */
  Anomalies anomalies();

  /**
   * Those, and what the last batches of each stream show beside what the footer says; of events
   * that are missing at an end, at least how many. Damage further in only reading all can show.
   */
  Anomalies anomaliesAtEnds();

  /** Bytes of all queue files. */
  long bytes();
}
