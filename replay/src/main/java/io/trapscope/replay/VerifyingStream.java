package io.trapscope.replay;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.recorder.trace.Anomalies;
import io.trapscope.recorder.trace.EventCursor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.function.Consumer;

/**
 * A sink that compares each event it is given with the next one of a recorded stream. After the
 * first difference, and after the last recorded event, it takes events and looks at none.
 */
final class VerifyingStream implements ExitSink {
  private final int stream;
  private final EventCursor recorded;
  private final boolean cutOff;
  private final long tail;
  private final Consumer<Divergence> onDifference;
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
   * @param onEnd told when the last recorded event that can be compared was; by the stream of no
   *     vCPU at each of its events
   */
  VerifyingStream(
      int stream,
      EventCursor recorded,
      boolean cutOff,
      long tail,
      Consumer<Divergence> onDifference,
      Runnable onEnd) {
    this.stream = stream;
    this.recorded = recorded;
    this.cutOff = cutOff;
    this.tail = tail;
    this.onDifference = onDifference;
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
    Divergence difference;
    if (!left && (cutOff || stopped)) {
      return;
    }
    if (!left) {
      difference = Divergence.surplus(came, stream, verified);
    } else if (recorded.event().sequence() != verified) {
      difference = Divergence.gap(recorded.event(), verified);
    } else {
      difference = Divergence.between(recorded.event(), came);
    }
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
    if (left && isFromOutside(recorded.event())) {
      left = false;
      stopped = true;
    }
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

  /** The next recorded event; valid while {@link #isLeft}. */
  EventReader next() {
    return recorded.event();
  }

  /** Anomalies of the recorded stream so far. */
  Anomalies anomalies() {
    return recorded.anomalies();
  }
}
