package io.trapscope.replay;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.recorder.trace.Anomalies;
import io.trapscope.recorder.trace.Anomaly;
import io.trapscope.recorder.trace.EventCursor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.function.Consumer;

/**
 * A sink that compares each event it is given with the next one of a recorded stream. After the
 * first difference, the first event that the trace lacks, and the last one recorded, it takes
 * events and looks at none.
 */
final class VerifyingStream implements ExitSink {
  private final int stream;
  private final EventCursor recorded;
  private final boolean cutOff;
  private final long tail;
  private final Consumer<Divergence> onDifference;
  private final Consumer<VerifyingStream> onLack;
  private final Runnable onEnd;
  private final ByteBuffer scratch =
      ByteBuffer.allocate(EventWriter.MAX_RECORD).order(ByteOrder.LITTLE_ENDIAN);
  private final IntBuffer words = scratch.asIntBuffer();
  private final EventWriter writer = new EventWriter();
  private final EventReader came = new EventReader();
  private long verified;
  private boolean left;
  private boolean stopped;
  private boolean done;

  /**
   * @param cutOff whether the recording just stops, so that this stream may have more to come
   * @param tail sequence number from which on events tell of the end, as a line that is not
   *     complete does, and cannot be compared
   * @param onDifference told of the first difference
   * @param onLack told where an event came that an incomplete trace does not hold
   * @param onEnd told when the last recorded event that can be compared was; by the stream of no
   *     vCPU at each of its events
   */
  VerifyingStream(
      int stream,
      EventCursor recorded,
      boolean cutOff,
      long tail,
      Consumer<Divergence> onDifference,
      Consumer<VerifyingStream> onLack,
      Runnable onEnd) {
    this.stream = stream;
    this.recorded = recorded;
    this.cutOff = cutOff;
    this.tail = tail;
    this.onDifference = onDifference;
    this.onLack = onLack;
    this.onEnd = onEnd;
    advance();
  }

  @Override
  public EventWriter claim(EventType type) {
    return writer.begin(type);
  }

  @Override
  public void commit() {
    if (!done) {
      writer.writeTo(words, 0, verified, writer.time(), writer.instructions());
      came.batch(scratch, stream, writer.time(), writer.instructions());
      compare();
    }
  }

  private void compare() {
    came.record(0, EventReader.head(scratch, 0), verified);
    if (!left && stopped) {
      return;
    }
    if (isShort() || !left && cutOff) {
      done = true;
      onLack.accept(this);
      return;
    }
    Divergence difference =
        left
            ? Divergence.between(recorded.event(), came)
            : Divergence.surplus(came, stream, verified);
    if (difference != null) {
      done = true;
      onDifference.accept(difference);
      return;
    }
    verified++;
    advance();
    if (!left || stream == EventReader.NO_VCPU) {
      onEnd.run();
    }
  }

  private void advance() {
    left = recorded.next();
    if (left && !isShort() && isFromOutside(recorded.event())) {
      left = false;
      stopped = true;
    }
  }

  /** Whether the next event was recorded, by all that the trace says, and is not there. */
  boolean isShort() {
    if (left) {
      return recorded.event().sequence() != verified;
    }
    Anomalies found = recorded.anomalies();
    return !stopped
        && (found.count(Anomaly.MISSING_AT_END) > 0 || found.count(Anomaly.LOST_EVENTS) > 0);
  }

  /** Whether the event comes from somebody who stopped the run: no replay can know of that. */
  private boolean isFromOutside(EventReader event) {
    if (event.sequence() >= tail) {
      return true;
    }
    if (event.type() == EventType.END) {
      RunEnd end = RunEnd.of((int) event.get(Field.END, 0));
      return end == null
          || switch (end) {
            case HALTED, RESET, TRIPLE_FAULT, POWER_OFF, DEBUG_EXIT -> false;
            case UNTIL, TIMEOUT, INTERRUPTED, ERROR, DETACHED, VMM_ENDED -> true;
          };
    }
    return event.reasonCode() == ExitReason.INTERRUPTED.code();
  }

  /** Events that were compared and are equal. */
  long verified() {
    return verified;
  }

  /** Whether recorded events are left. */
  boolean isLeft() {
    return left;
  }

  /** The next event's name for the user, whether the trace holds it or not. */
  String nextInWords() {
    return Divergence.event(stream, verified);
  }

  /** The next recorded event; valid while {@link #isLeft}. */
  EventReader next() {
    return recorded.event();
  }

  /** Anomalies of the recorded stream so far. */
  Anomalies anomalies() {
    return recorded.anomalies();
  }
}
