package io.trapscope.recorder.event;

import java.lang.invoke.VarHandle;
import java.nio.IntBuffer;
import java.util.Arrays;

/**
 * Makes one record at a time. A flyweight: made once, belongs to one thread, allocates nothing. Who
 * records calls {@link #put} and {@link #putBytes}; the rest is for sinks.
 *
 * <p>A record takes shape in an array and goes to its place in one piece. So an abandoned one
 * leaves nothing behind, and putting a field costs the same wherever the record will go.
 */
public final class EventWriter {
  /** Most bytes that {@link #putBytes} keeps: one page, the most that one string I/O exit moves. */
  public static final int MAX_DATA = 4096;

  /** Longest record this writer makes, in bytes. */
  public static final int MAX_RECORD = MAX_DATA + 256;

  private static final long U32 = 0xffff_ffffL;

  /** The record in the order of {@link EventLayout}; zero behind it. */
  private final int[] words = new int[MAX_RECORD / 4];

  /** The bytes that were put, zeros up to a multiple of 4, and their number. */
  private final byte[] tail = new byte[MAX_DATA + 4];

  private EventLayout layout = EventLayout.of(EventType.EXIT);
  private int presence;

  /** Bytes up to the end of the last field; {@link #data} bytes of the tail follow. */
  private int fields;

  private int data;
  private long time;
  private long instructions;
  private long clamped;

  /** Starts a record of this type; forgets one begun before. */
  public EventWriter begin(EventType type) {
    Arrays.fill(words, 0, length() / 4, 0);
    layout = EventLayout.of(type);
    fields = layout.baseBytes();
    data = 0;
    presence = 0;
    return this;
  }

  /**
   * Sets a field; a field that is not put is "not captured".
   *
   * <p>A {@link Kind#isMeasured() measured} value that does not fit is stored as the nearest that
   * does and counted in {@link #clamped}; of any other value the low bits are stored.
   *
   * @throws IllegalArgumentException where the event's type has no such field, or it is derived
   */
  public EventWriter put(Field field, long value) {
    return put(layout.slot(field), field, value);
  }

  /**
   * The same where the caller has looked up the place already. With a place that is a static
   * constant a put compiles to a store or two: much less code, which after an exit has to come from
   * far caches.
   *
   * @param slot of the event's own layout
   */
  public EventWriter put(int slot, Field field, long value) {
    assert slot == layout.slot(field) : field;
    int wire = slot == -1 ? EventLayout.DERIVED : EventLayout.wire(slot);
    int word = EventLayout.offset(slot) >>> 2;
    switch (wire) {
      case EventLayout.U64:
        words[word] = (int) value;
        words[word + 1] = (int) (value >>> 32);
        break;
      case EventLayout.U32:
        words[word] = (int) fit(field, value, U32);
        break;
      case EventLayout.SINCE_BASE:
        if (field == Field.TIME) {
          time = value;
        } else {
          instructions = value;
        }
        break;
      case EventLayout.U16:
        putPart(word, slot, fit(field, value, 0xffff), 0xffff);
        break;
      case EventLayout.U8:
        putPart(word, slot, fit(field, value, 0xff), 0xff);
        break;
      case EventLayout.NIBBLE:
        putPart(word, slot, fit(field, value, 0xf), 0xf);
        break;
      default:
        throw new IllegalArgumentException(layout.type() + " takes no number for " + field);
    }
    if (EventLayout.offset(slot) >= fields) {
      // A field that its type got later lengthens the record.
      fields = EventLayout.end(slot) + 3 & ~3;
    }
    presence |= 1 << EventLayout.bit(slot);
    return this;
  }

  private void putPart(int word, int slot, long value, int mask) {
    int shift = (EventLayout.offset(slot) & 3) << 3 | EventLayout.shift(slot);
    words[word] = words[word] & ~(mask << shift) | ((int) value & mask) << shift;
  }

  /** Sets a flag. */
  public EventWriter put(Field field, boolean value) {
    return put(field, value ? 1 : 0);
  }

  /**
   * Sets a {@link Wire#BYTES} field, at most once an event. Keeps the first {@link #MAX_DATA}
   * bytes; cutting off the rest is counted in {@link #clamped}.
   *
   * @throws IllegalArgumentException where the event's type has no such field
   */
  public EventWriter putBytes(Field field, byte[] source, int from, int count) {
    int slot = layout.slot(field);
    if (slot == -1 || field.wire() != Wire.BYTES || data != 0) {
      throw new IllegalArgumentException(layout.type() + " takes no bytes for " + field);
    }
    int kept = count;
    if (kept > MAX_DATA) {
      kept = MAX_DATA;
      clamped++;
    }
    System.arraycopy(source, from, tail, 0, kept);
    data = kept + 2 + 3 & ~3;
    Arrays.fill(tail, kept, data - 2, (byte) 0);
    tail[data - 2] = (byte) kept;
    tail[data - 1] = (byte) (kept >>> 8);
    presence |= 1 << EventLayout.bit(slot);
    return this;
  }

  private long fit(Field field, long value, long max) {
    if ((value & ~max) != 0 && field.kind().isMeasured()) {
      clamped++;
      return value < 0 ? 0 : max;
    }
    return value;
  }

  /** How many measured values did not fit their field so far. */
  public long clamped() {
    return clamped;
  }

  /** The time that was put. */
  public long time() {
    return time;
  }

  /** The instruction count that was put; valid where {@link #hasInstructions}. */
  public long instructions() {
    return instructions;
  }

  /** Whether an instruction count was put. */
  public boolean hasInstructions() {
    return (presence & INSTRUCTIONS_BIT) != 0;
  }

  private static final int INSTRUCTIONS_BIT =
      1 << EventLayout.bit(EventLayout.of(EventType.PIO).slot(Field.INSTRUCTIONS));
  private static final int TIME_WORD = EventLayout.of(EventType.PIO).offset(Field.TIME) / 4;
  private static final int INSTRUCTIONS_WORD =
      EventLayout.of(EventType.PIO).offset(Field.INSTRUCTIONS) / 4;

  /** Bytes of the record as it stands; a multiple of 4. */
  public int length() {
    return fields + data;
  }

  /** Whether the record's time and instruction count can be stored relative to these bases. */
  public boolean fits(long baseTime, long baseInstructions) {
    return (time - baseTime & ~U32) == 0
        && (!hasInstructions() || (instructions - baseInstructions & ~U32) == 0);
  }

  /**
   * Writes the record where it belongs: afterwards it is complete there for every reader, also one
   * in another process.
   *
   * @param target the words of a little-endian buffer that is zero from {@code offset} on
   * @param offset in bytes, a multiple of 4
   * @return where the next record goes, in bytes
   */
  public int writeTo(
      IntBuffer target, int offset, long sequence, long baseTime, long baseInstructions) {
    int mark = EventLayout.MARK | (int) sequence & 0x7f;
    int length = length();
    words[EventLayout.PRESENCE_OFFSET / 4] = presence;
    words[TIME_WORD] = (int) (time - baseTime);
    if (hasInstructions()) {
      words[INSTRUCTIONS_WORD] = (int) (instructions - baseInstructions);
    }
    for (int i = 0; i < data; i += 4) {
      words[(fields + i) / 4] =
          tail[i] & 0xff
              | (tail[i + 1] & 0xff) << 8
              | (tail[i + 2] & 0xff) << 16
              | tail[i + 3] << 24;
    }
    target.put(offset / 4 + 1, words, 1, length / 4 - 1);
    // An aligned 4-byte store is one store; nothing before it may come after it.
    VarHandle.releaseFence();
    target.put(offset / 4, layout.type().id() | mark << 8 | length >>> 2 << 16);
    return offset + length;
  }
}
