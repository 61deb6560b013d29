package io.trapscope.recorder.event;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Writes one record at a time in place. A flyweight: made once, belongs to one thread, allocates
 * nothing. Who records calls {@link #put} and {@link #putBytes}; the rest is for sinks.
 */
public final class EventWriter {
  /** Most bytes that {@link #putBytes} keeps: one page, the most that one string I/O exit moves. */
  public static final int MAX_DATA = 4096;

  /** Longest record this writer makes. */
  public static final int MAX_RECORD = MAX_DATA + 256;

  private static final long U32 = 0xffff_ffffL;

  private ByteBuffer buffer;
  private int offset;
  private EventLayout layout;
  private int presence;

  /** Bytes up to the end of the last field; {@link #data} bytes of data and their count follow. */
  private int fields;

  private int data;
  private long time;
  private long instructions;
  private long clamped;

  /**
   * Sets where the next record goes.
   *
   * @param target a buffer whose bytes from {@code offset} on are zero up to {@link #MAX_RECORD},
   *     or up to the longest record that will be written; its byte order becomes little-endian
   * @param offset a multiple of 4
   */
  public void wrap(ByteBuffer target, int offset) {
    this.buffer = target.order() == ByteOrder.LITTLE_ENDIAN ? target : little(target);
    this.offset = offset;
    this.layout = null;
    this.presence = 0;
  }

  private static ByteBuffer little(ByteBuffer target) {
    return target.order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Starts a record of this type; clears what a record begun here and not finished has left. */
  public EventWriter begin(EventType type) {
    discard();
    layout = EventLayout.of(type);
    fields = layout.baseBytes();
    data = 0;
    return this;
  }

  /** Clears what a record begun here and not finished has left. */
  public void discard() {
    if (presence != 0) {
      for (int i = 0; i < fields + data; i += 4) {
        buffer.putInt(offset + i, 0);
      }
      presence = 0;
    }
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
    int slot = layout.slot(field);
    int at = offset + EventLayout.offset(slot);
    if (EventLayout.offset(slot) >= fields && slot != -1) {
      makeRoom(EventLayout.end(slot));
    }
    switch (slot == -1 ? EventLayout.DERIVED : EventLayout.wire(slot)) {
      case EventLayout.U64:
        buffer.putLong(at, value);
        break;
      case EventLayout.U32:
        buffer.putInt(at, (int) fit(field, value, U32));
        break;
      case EventLayout.SINCE_BASE:
        if (field == Field.TIME) {
          time = value;
        } else {
          instructions = value;
        }
        break;
      case EventLayout.U16:
        buffer.putShort(at, (short) fit(field, value, 0xffff));
        break;
      case EventLayout.U8:
        buffer.put(at, (byte) fit(field, value, 0xff));
        break;
      case EventLayout.NIBBLE:
        int shift = EventLayout.shift(slot);
        int other = buffer.get(at) & ~(0xf << shift);
        buffer.put(at, (byte) (other | (fit(field, value, 0xf) & 0xf) << shift));
        break;
      default:
        throw new IllegalArgumentException(layout.type() + " takes no number for " + field);
    }
    presence |= 1 << EventLayout.bit(slot);
    return this;
  }

  /** Lengthens the record for a field that its type got later, and moves its data, if any. */
  private void makeRoom(int end) {
    int wanted = end + 3 & ~3;
    int step = wanted - fields;
    for (int i = offset + fields + data - 4; data > 0 && i >= offset + fields; i -= 4) {
      buffer.putInt(i + step, buffer.getInt(i));
      buffer.putInt(i, 0);
    }
    fields = wanted;
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
    buffer.put(offset + fields, source, from, kept);
    data = kept + 2 + 3 & ~3;
    buffer.putShort(offset + fields + data - 2, (short) kept);
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
  private static final int TIME_OFFSET = EventLayout.of(EventType.PIO).offset(Field.TIME);
  private static final int INSTRUCTIONS_OFFSET =
      EventLayout.of(EventType.PIO).offset(Field.INSTRUCTIONS);

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
   * Copies the unfinished record to another place, which has to be zero, and goes on there; for a
   * sink that finds that the record does not belong in the batch in which it was begun.
   */
  public void moveTo(ByteBuffer target, int newOffset) {
    ByteBuffer to = target.order() == ByteOrder.LITTLE_ENDIAN ? target : little(target);
    for (int i = 0; i < length(); i += 4) {
      to.putInt(newOffset + i, buffer.getInt(offset + i));
      buffer.putInt(offset + i, 0);
    }
    buffer = to;
    offset = newOffset;
  }

  /**
   * Finishes the record: afterwards it is complete for every reader, also one in another process.
   *
   * @return where the next record goes; the writer is already there
   */
  public int finish(long sequence, long baseTime, long baseInstructions) {
    buffer.putInt(offset + TIME_OFFSET, (int) (time - baseTime));
    if (hasInstructions()) {
      buffer.putInt(offset + INSTRUCTIONS_OFFSET, (int) (instructions - baseInstructions));
    }
    buffer.putInt(offset + EventLayout.PRESENCE_OFFSET, presence);
    int mark = EventLayout.MARK | (int) sequence & 0x7f;
    int length = length();
    int head = layout.type().id() | mark << 8 | length >>> 2 << 16;
    // An aligned 4-byte store is one store; nothing before it may come after it.
    VarHandle.releaseFence();
    buffer.putInt(offset, head);
    offset += length;
    presence = 0;
    return offset;
  }
}
