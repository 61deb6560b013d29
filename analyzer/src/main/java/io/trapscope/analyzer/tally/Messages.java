package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.ArrayList;
import java.util.List;

/**
 * What the trace says in words: the guest's console, and marks. Bounded: what comes after the first
 * {@link #MOST_BYTES} of text is counted and left out.
 */
public final class Messages {
  /** Bytes of text that are kept: some ten thousand lines. */
  public static final int MOST_BYTES = 1 << 20;

  /** What an event takes besides its text. */
  private static final int EVENT_BYTES = 16;

  /**
   * Something that was written.
   *
   * @param type CONSOLE_OUTPUT, CONSOLE_INPUT, MARK or END
   * @param time on the trace's clock
   * @param channel which console, 0 the first
   * @param text as it is in the trace
   */
  public record Message(EventType type, long time, int channel, byte[] text) {}

  private final List<Message> messages = new ArrayList<>();
  private long bytes;
  private long left;

  void add(EventReader event) {
    EventType type = event.type();
    if (type == EventType.CONSOLE_OUTPUT
        || type == EventType.CONSOLE_INPUT
        || type == EventType.MARK
        || type == EventType.END) {
      int channel = (int) event.get(Field.CHANNEL, 0);
      add(new Message(type, event.time(), channel, event.getBytes(Field.DATA)));
    }
  }

  private void add(Message message) {
    // Once something was left out everything is: what is kept is the beginning, without holes.
    if (left == 0 && bytes < MOST_BYTES) {
      messages.add(message);
      bytes += message.text.length + EVENT_BYTES;
    } else {
      left++;
    }
  }

  void merge(Messages later) {
    later.messages.forEach(this::add);
    left += later.left;
  }

  /** In the order of streams, and of the events in each. */
  public List<Message> list() {
    return List.copyOf(messages);
  }

  /** How many were left out. */
  public long left() {
    return left;
  }
}
