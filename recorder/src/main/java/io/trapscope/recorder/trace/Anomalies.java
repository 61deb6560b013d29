package io.trapscope.recorder.trace;

import java.util.EnumMap;
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

  @Override
  public String toString() {
    return toMap().toString();
  }
}
