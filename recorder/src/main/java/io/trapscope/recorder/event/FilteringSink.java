package io.trapscope.recorder.event;

import java.util.EnumSet;
import java.util.Set;

/** Passes events of some types on and forgets the others. */
public final class FilteringSink implements ExitSink {
  private final ExitSink sink;
  private final Set<EventType> types;
  private boolean passing;

  /**
   * @param sink takes the events that pass
   * @param types those that do
   */
  public FilteringSink(ExitSink sink, Set<EventType> types) {
    this.sink = sink;
    this.types = EnumSet.noneOf(EventType.class);
    this.types.addAll(types);
  }

  @Override
  public boolean takes(EventType type) {
    return types.contains(type);
  }

  @Override
  public EventWriter claim(EventType type) {
    passing = types.contains(type);
    return passing ? sink.claim(type) : NONE.claim(type);
  }

  @Override
  public void commit() {
    if (passing) {
      sink.commit();
    }
  }
}
