package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.EventReader;
import java.util.function.Consumer;

/**
 * Goes over events once, in order. Belongs to one thread; several cursors over the same trace may
 * run at the same time, each on its own thread.
 */
public interface EventCursor {

  /**
   * Moves to the next event. Damage is skipped and counted, never thrown.
   *
   * @return false at the end
   */
  boolean next();

  /** The event moved to; the same object each time, valid until the next move. */
  EventReader event();

  /** What was met so far; complete once {@link #next} returned false. */
  Anomalies anomalies();

  /** Hands every event that is left to {@code consumer}. */
  default void forEach(Consumer<? super EventReader> consumer) {
    while (next()) {
      consumer.accept(event());
    }
  }
}
