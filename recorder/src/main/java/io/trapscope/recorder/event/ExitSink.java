package io.trapscope.recorder.event;

/**
 * Takes events, one after the other, from one thread. Neither method allocates, blocks for long or
 * throws: a sink that cannot keep an event counts it as lost.
 */
public interface ExitSink {

  /** Takes every event and keeps none: not recording. */
  ExitSink NONE = new Discard();

  /**
   * Starts an event. The writer is the sink's own, the same object each time, valid until {@link
   * #commit}; an event claimed and not committed is forgotten by the next claim. {@link Field#TIME}
   * has to be put before the commit.
   */
  EventWriter claim(EventType type);

  /** Whether events of this type become part of the trace. */
  default boolean takes(EventType type) {
    return true;
  }

  /** Makes the claimed event part of the trace. */
  void commit();
}
