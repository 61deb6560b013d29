package io.trapscope.recorder.trace;

import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** How often each {@link Anomaly} was met. Belongs to one thread; {@link #addAll} joins several. */
public final class Anomalies {
  private final long[] counts = new long[Anomaly.values().length];

  void add(Anomaly anomaly, long count) {
    counts[anomaly.ordinal()] += count;
  }

  /** Adds another's counts to these. */
  public void addAll(Anomalies other) {
    for (int i = 0; i < counts.length; i++) {
      counts[i] += other.counts[i];
    }
  }

  /** How often this one was met. */
  public long count(Anomaly anomaly) {
    return counts[anomaly.ordinal()];
  }

  /** Those that were met, in the order of the enum. */
  public Map<Anomaly, Long> toMap() {
    Map<Anomaly, Long> map = new EnumMap<>(Anomaly.class);
    for (Anomaly anomaly : Anomaly.values()) {
      if (counts[anomaly.ordinal()] != 0) {
        map.put(anomaly, counts[anomaly.ordinal()]);
      }
    }
    return map;
  }

  /** Whether events are missing or wrong, or may be: exit status 4 of the commands. */
  public boolean isIncomplete() {
    return toMap().keySet().stream().anyMatch(Anomaly::isIncompleteness);
  }

  /** What there is to say of those that take something from the trace, a sentence each. */
  public List<String> warnings() {
    return toMap().entrySet().stream()
        .filter(entry -> entry.getKey().severity() != Anomaly.Severity.INFO)
        .map(entry -> warning(entry.getKey(), entry.getValue()))
        .toList();
  }

  private static String warning(Anomaly anomaly, long count) {
    return switch (anomaly) {
      case UNCLEAN_END, BAD_END -> anomaly.meaning();
      case MISSING_STREAM,
          SALVAGED_EVENTS,
          LOST_EVENTS,
          MISSING_EVENTS,
          MISSING_AT_END,
          SEQUENCE_BACKWARDS,
          TIME_BACKWARDS,
          CLAMPED_VALUES,
          UNKNOWN_EVENTS,
          BAD_FILE,
          BAD_DOCUMENT,
          BAD_BATCH,
          BAD_CHECKSUM,
          BAD_RECORD,
          TRUNCATED ->
          String.format(Locale.ROOT, "%,d %s", count, anomaly.meaning());
    };
  }

  @Override
  public String toString() {
    return toMap().toString();
  }
}
