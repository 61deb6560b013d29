package io.trapscope.recorder.event;

import java.nio.ByteBuffer;

/**
 * Reads one record at a time in place. A flyweight: belongs to one thread, allocates nothing, and
 * is moved from record to record by whoever hands it out; copy what has to outlive that.
 *
 * <p>Never reads outside the record's bounds, whatever its bytes are.
 */
public final class EventReader {
  /** {@link #vcpu} of an event that belongs to no vCPU. */
  public static final int NO_VCPU = 0xffff;

  private static final long U32 = 0xffff_ffffL;
  private static final EventLayout ANY = EventLayout.of(EventType.PIO);
  private static final int TIME_OFFSET = ANY.offset(Field.TIME);
  private static final int REASON_OFFSET = ANY.offset(Field.REASON);
  private static final int REASON_BIT = 1 << ANY.presenceBit(Field.REASON);

  /** Shortest record: every common field has its place. */
  public static final int MIN_RECORD = ANY.offset(Field.MODE) + 2;

  private ByteBuffer bytes;
  private int offset;
  private int length;
  private EventLayout layout;
  private int presence;
  private int vcpu = NO_VCPU;
  private long sequence;
  private long baseTime;
  private long baseInstructions;

  /**
   * Sets the batch that the following records belong to.
   *
   * @param source little-endian
   */
  public void batch(ByteBuffer source, int vcpu, long baseTime, long baseInstructions) {
    this.bytes = source;
    this.vcpu = vcpu;
    this.baseTime = baseTime;
    this.baseInstructions = baseInstructions;
  }

  /** The record's first word at this place; 0 where none was finished. */
  public static int head(ByteBuffer source, int offset) {
    return source.getInt(offset);
  }

  /** Whether a record's first word carries this sequence number's mark. */
  public static boolean isMarked(int head, long sequence) {
    return (head >>> 8 & 0xff) == (EventLayout.MARK | (int) sequence & 0x7f);
  }

  /** A record's length in bytes, from its first word. */
  public static int length(int head) {
    return (head >>> 16) << 2;
  }

  /**
   * Moves to a record whose {@code length(head)} bytes lie in the batch and are at least {@link
   * #MIN_RECORD}.
   *
   * @return false where this version does not know the record's type; nothing can be read from it
   */
  public boolean record(int offset, int head, long sequence) {
    this.offset = offset;
    this.length = length(head);
    this.sequence = sequence;
    this.layout = EventLayout.of(head);
    if (layout == null) {
      return false;
    }
    this.presence = i32(EventLayout.PRESENCE_OFFSET) & EventLayout.presenceMask(head);
    return true;
  }

  /** The event's type. */
  public EventType type() {
    return layout.type();
  }

  /** Number of the event in its stream. */
  public long sequence() {
    return sequence;
  }

  /** The vCPU whose stream this is, or {@link #NO_VCPU}. */
  public int vcpu() {
    return vcpu;
  }

  /** Time of the exit in ns; the quick form of {@code get(Field.TIME)}. */
  public long time() {
    return baseTime + (i32(TIME_OFFSET) & U32);
  }

  /**
   * Whether it is an exit: of an exit's type and, which only a damaged one is not, with a reason.
   */
  public boolean isExit() {
    return type().isExit() && reasonCode() >= 0;
  }

  /** Code of the exit reason, or -1 where the event is none; the quick form of REASON. */
  public int reasonCode() {
    return (presence & REASON_BIT) == 0 ? -1 : u8(REASON_OFFSET);
  }

  /** Which fields were captured, by {@link EventLayout#presenceBit}: for who asks for many. */
  public int captured() {
    return presence;
  }

  /** Whether the field was captured. */
  public boolean has(Field field) {
    int slot = layout.slot(field);
    if (slot == -1) {
      return false;
    }
    if (field.wire() == Wire.DERIVED) {
      return field == Field.ACCESS
          ? has(Field.QUALIFICATION)
          : field != Field.VCPU || vcpu != NO_VCPU;
    }
    return (presence >>> EventLayout.bit(slot) & 1) != 0;
  }

  /**
   * The field's value, as an unsigned number.
   *
   * @throws IllegalStateException where it was not captured or is not a number
   */
  public long get(Field field) {
    int slot = layout.slot(field);
    if (slot == -1 || EventLayout.wire(slot) == EventLayout.DERIVED) {
      return derived(field);
    }
    if ((presence >>> EventLayout.bit(slot) & 1) == 0) {
      throw missing(field);
    }
    return value(field, slot);
  }

  private long u64(int at) {
    return bytes.getLong(offset + at);
  }

  private int i32(int at) {
    return bytes.getInt(offset + at);
  }

  private int u16(int at) {
    return bytes.getShort(offset + at) & 0xffff;
  }

  private int u8(int at) {
    return bytes.get(offset + at) & 0xff;
  }

  private long value(Field field, int slot) {
    int at = EventLayout.offset(slot);
    switch (EventLayout.wire(slot)) {
      case EventLayout.U64:
        return u64(at);
      case EventLayout.U32:
        return i32(at) & U32;
      case EventLayout.SINCE_BASE:
        return (field == Field.TIME ? baseTime : baseInstructions) + (i32(at) & U32);
      case EventLayout.U16:
        return u16(at);
      case EventLayout.U8:
        return u8(at);
      case EventLayout.NIBBLE:
        return u8(at) >>> EventLayout.shift(slot) & 0xf;
      default:
        throw missing(field);
    }
  }

  /** The field's value, or {@code otherwise} where it was not captured. */
  public long get(Field field, long otherwise) {
    int slot = layout.slot(field);
    if (slot == -1 || EventLayout.wire(slot) == EventLayout.DERIVED) {
      return has(field) ? derived(field) : otherwise;
    }
    return (presence >>> EventLayout.bit(slot) & 1) == 0 ? otherwise : value(field, slot);
  }

  private long derived(Field field) {
    if (has(field)) {
      if (field == Field.SEQUENCE) {
        return sequence;
      }
      if (field == Field.VCPU) {
        return vcpu;
      }
      if (field == Field.ACCESS) {
        return get(Field.QUALIFICATION)
            & (ExitQualification.EPT_READ
                | ExitQualification.EPT_WRITE
                | ExitQualification.EPT_FETCH);
      }
    }
    throw missing(field);
  }

  private IllegalStateException missing(Field field) {
    return new IllegalStateException(field + " was not captured in this " + type());
  }

  /** Number of bytes of a {@link Wire#BYTES} field; 0 where it was not captured. */
  public int bytes(Field field) {
    if (!has(field) || field.wire() != Wire.BYTES) {
      return 0;
    }
    int count = u16(length - 2);
    // A damaged count must not reach into the fields or out of the record.
    return (count + 2 + 3 & ~3) > length - MIN_RECORD ? 0 : count;
  }

  /**
   * Copies bytes of a {@link Wire#BYTES} field.
   *
   * @return how many were copied: the smaller of those there are and the room in {@code target}
   */
  public int getBytes(Field field, byte[] target, int from) {
    int count = bytes(field);
    int copied = Math.min(count, target.length - from);
    int start = offset + length - (count + 2 + 3 & ~3);
    bytes.get(start, target, from, copied);
    return copied;
  }

  /** The bytes of a {@link Wire#BYTES} field, in a new array. */
  public byte[] getBytes(Field field) {
    byte[] copy = new byte[bytes(field)];
    getBytes(field, copy, 0);
    return copy;
  }
}
