package io.trapscope.recorder.tracepoint;

import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import java.nio.ByteBuffer;
import java.util.Set;

/** Values of an event that is not written yet, by field. Reused; allocates nothing. */
public final class FieldValues {
  private static final Field[] ALL = Field.values();

  private final long[] values = new long[ALL.length];
  private final boolean[] present = new boolean[ALL.length];
  private final int[] order = new int[ALL.length];
  private int count;

  /** Forgets all. */
  public void clear() {
    for (int i = 0; i < count; i++) {
      present[order[i]] = false;
    }
    count = 0;
  }

  /** Sets the value of a field that has no bytes. */
  public FieldValues set(Field field, long value) {
    int at = field.ordinal();
    if (!present[at]) {
      present[at] = true;
      order[count++] = at;
    }
    values[at] = value;
    return this;
  }

  void remove(Field field) {
    for (int i = 0; i < count; i++) {
      if (order[i] == field.ordinal()) {
        present[order[i]] = false;
        order[i] = order[--count];
      }
    }
  }

  boolean has(Field field) {
    return present[field.ordinal()];
  }

  /** The value, or 0 where there is none. */
  long get(Field field) {
    return has(field) ? values[field.ordinal()] : 0;
  }

  /** Commits an event of this type with every value that it has a place for. */
  public void write(ExitSink sink, EventType type) {
    put(sink.claim(type), type);
    sink.commit();
  }

  /** Puts every value that an event of this type has a place for. */
  public void put(EventWriter event, EventType type) {
    EventLayout layout = EventLayout.of(type);
    for (int i = 0; i < count; i++) {
      Field field = ALL[order[i]];
      if (layout.has(field)) {
        event.put(field, values[order[i]]);
      }
    }
  }

  /** Puts those values that are wanted, which the event has to have a place for. */
  void put(EventWriter event, Set<Field> wanted) {
    for (int i = 0; i < count; i++) {
      Field field = ALL[order[i]];
      if (wanted.contains(field)) {
        event.put(field, values[order[i]]);
      }
    }
  }

  /** Bytes that {@link #save} takes. */
  public int savedBytes() {
    return Integer.BYTES + count * (Integer.BYTES + Long.BYTES);
  }

  /** Puts all values behind what the buffer holds. */
  public void save(ByteBuffer to) {
    to.putInt(count);
    for (int i = 0; i < count; i++) {
      to.putInt(order[i]).putLong(values[order[i]]);
    }
  }

  /** Takes the values that {@link #save} has put there, and no others. */
  public void load(ByteBuffer from, int at) {
    clear();
    int saved = from.getInt(at);
    int next = at + Integer.BYTES;
    for (int i = 0; i < saved; i++) {
      set(ALL[from.getInt(next)], from.getLong(next + Integer.BYTES));
      next += Integer.BYTES + Long.BYTES;
    }
  }
}
