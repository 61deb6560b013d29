package io.trapscope.replay;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.TraceReader;
import io.trapscope.vmm.run.ConsoleInput;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;

/**
 * What was typed at a recorded guest's console, handed in again where it was then: after the same
 * number of vCPU 0's events and at the same guest clock.
 */
final class RecordedConsole implements ConsoleInput {

  /**
   * Bytes handed in at one entry.
   *
   * @param events events of vCPU 0 before it
   * @param guestClock guest clock then, ns
   */
  private record Chunk(long events, long guestClock, byte[] bytes) {}

  private final Deque<Chunk> chunks = new ArrayDeque<>();
  private LongSupplier eventsSoFar = () -> 0;

  private RecordedConsole() {}

  /** Reads the whole trace once for its console input. */
  static RecordedConsole of(TraceReader trace) {
    RecordedConsole console = new RecordedConsole();
    EventCursor cursor = trace.merged();
    long events = 0;
    while (cursor.next()) {
      EventReader event = cursor.event();
      if (event.vcpu() == 0) {
        events = event.sequence() + 1;
      } else if (event.type() == EventType.CONSOLE_INPUT) {
        console.chunks.add(
            new Chunk(events, event.get(Field.GUEST_CLOCK, 0), event.getBytes(Field.DATA)));
      }
    }
    return console;
  }

  /** Sets where the number of vCPU 0's events so far comes from. */
  void follow(LongSupplier events) {
    eventsSoFar = events;
  }

  @Override
  public boolean isWaiting(long guestNanos) {
    Chunk next = chunks.peek();
    return next != null && eventsSoFar.getAsLong() >= next.events && guestNanos >= next.guestClock;
  }

  @Override
  public long wakesAt() {
    // The HLT that this ends is an event of its own, and recorded only when it is over.
    Chunk next = chunks.peek();
    return next != null && eventsSoFar.getAsLong() + 1 >= next.events
        ? next.guestClock
        : Long.MAX_VALUE;
  }

  @Override
  public boolean isOpen() {
    return !chunks.isEmpty();
  }

  @Override
  public int peek(byte[] to) {
    byte[] bytes = chunks.element().bytes;
    int count = Math.min(bytes.length, to.length);
    System.arraycopy(bytes, 0, to, 0, count);
    return count;
  }

  @Override
  public void take(int count) {
    // A guest that takes less than it did diverges, and the comparison of events says so.
    chunks.remove();
  }

  @Override
  public void onChange(Runnable action) {
    // Everything there will ever be is there already.
  }
}
