package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.EventBlock;

/** A cursor over events of one stream that also moves over several of them at once. */
public interface BlockCursor extends EventCursor {

  /**
   * Moves over the next events.
   *
   * @param block gets them, at least one; {@link #event} is none of them afterwards
   * @return false at the end
   */
  boolean next(EventBlock block);
}
