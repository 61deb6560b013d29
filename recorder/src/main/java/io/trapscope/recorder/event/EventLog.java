package io.trapscope.recorder.event;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.function.Consumer;

/**
 * A sink that keeps its events in memory, in one batch of a fixed size: for tests, and for readers
 * that want events without a trace. Events that find no room, or lie more than 4 s after the first,
 * are counted as lost.
 */
public final class EventLog implements ExitSink {
  private final ByteBuffer buffer;
  private final IntBuffer words;
  private final EventWriter writer = new EventWriter();
  private final EventReader reader = new EventReader();
  private final int vcpu;
  private int end;
  private int count;
  private long lost;
  private long baseTime;
  private long baseInstructions;

  /**
   * Makes an empty log.
   *
   * @param vcpu the vCPU its events belong to, or {@link EventReader#NO_VCPU}
   * @param bytes its size
   */
  public EventLog(int vcpu, int bytes) {
    this.vcpu = vcpu;
    this.buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    this.words = buffer.asIntBuffer();
  }

  @Override
  public EventWriter claim(EventType type) {
    return writer.begin(type);
  }

  @Override
  public void commit() {
    if (count == 0) {
      baseTime = writer.time();
    }
    if (baseInstructions == 0 && writer.hasInstructions()) {
      baseInstructions = writer.instructions();
    }
    if (end + writer.length() > buffer.capacity() || !writer.fits(baseTime, baseInstructions)) {
      lost++;
      return;
    }
    end = writer.writeTo(words, end, count, baseTime, baseInstructions);
    count++;
  }

  /** Number of events kept. */
  public int size() {
    return count;
  }

  /** Number of events that found no room. */
  public long lost() {
    return lost;
  }

  /** Forgets all events. */
  public void clear() {
    end = 0;
    count = 0;
    lost = 0;
    baseInstructions = 0;
  }

  /** Hands every event, in order, to {@code consumer}; the reader is the same object each time. */
  public void forEach(Consumer<? super EventReader> consumer) {
    reader.batch(buffer, vcpu, baseTime, baseInstructions);
    int offset = 0;
    for (int i = 0; i < count; i++) {
      int head = EventReader.head(buffer, offset);
      reader.record(offset, head, i);
      consumer.accept(reader);
      offset += EventReader.length(head);
    }
  }
}
