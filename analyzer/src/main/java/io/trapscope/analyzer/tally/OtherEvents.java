package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventType;

/** How many events there are of each type, exits left out. */
public final class OtherEvents {
  private final long[] byType = new long[256];

  void add(int type) {
    byType[type]++;
  }

  void merge(OtherEvents later) {
    for (int i = 0; i < byType.length; i++) {
      byType[i] += later.byType[i];
    }
  }

  /** Number of events of this type that are no exits. */
  public long count(EventType type) {
    return byType[type.id()];
  }
}
