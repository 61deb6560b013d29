package io.trapscope.recorder.event;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where the fields of one event type lie in a record; computed from the schema table.
 *
 * <pre>
 *  0        1        2        3        4
 *  +--------+--------+--------+--------+  0
 *  | type   | mark   | length / 4      |     mark = 0x80 | low 7 bits of the sequence number
 *  +--------+--------+--------+--------+  4
 *  | presence: bit n = field n is here |     common fields from bit 0, details from bit 12
 *  +--------+--------+--------+--------+  8
 *  | guest_ns                          |
 *  |                                   |
 *  +--------+--------+--------+--------+ 16
 *  | rip                               |
 *  |                                   |
 *  +--------+--------+--------+--------+ 24
 *  | time since the batch's base, ns   |
 *  +--------+--------+--------+--------+ 28
 *  | instructions since the base       |
 *  +--------+--------+--------+--------+ 32
 *  | loop_ns                           |
 *  +--------+--------+--------+--------+ 36
 *  | dispatch_ns                       |
 *  +--------+--------+--------+--------+ 40
 *  | device_ns                         |
 *  +--------+--------+----+---+--------+ 44
 *  | reason | KVM    | CPL|mode| details |
 *  +--------+--------+----+---+ ...    + 48
 *  | details, then if the type has them:
 *  | data bytes ... | zeros | count (16) |     count of data bytes; zeros fill up to 4 bytes
 *  +--------+--------+--------+--------+ length
 * </pre>
 *
 * <p>The first word is stored last: a record whose mark is there is complete. Fields that a type
 * got after its first version lie last, and a record is only as long as its last captured field of
 * those asks for: what is not captured costs nothing. So a port access takes 60 bytes, and more
 * only where the kernel told of it. {@code event-layout.txt} among the tests lists every offset of
 * every type.
 */
public final class EventLayout {
  /** Bytes before the first field: the first word and the presence bits. */
  static final int HEAD_BYTES = 8;

  static final int PRESENCE_OFFSET = 4;

  /** First presence bit of a type's own fields. */
  static final int FIRST_DETAIL_BIT = 12;

  /** Set in the mark of every complete record; the rest is the sequence number's low bits. */
  static final int MARK = 0x80;

  /** Longest record, for the 16-bit length in 4-byte units. */
  public static final int MAX_RECORD = 0xffff * 4;

  // The wire in a slot, as numbers that compile to one jump: Wire's ordinals, which a test
  // compares.
  static final int NIBBLE = 0;
  static final int U8 = 1;
  static final int U16 = 2;
  static final int U32 = 3;
  static final int U64 = 4;
  static final int SINCE_BASE = 5;
  static final int BYTES = 6;
  static final int DERIVED = 7;

  /** Bytes a field takes among the fields, by the number of its wire. */
  private static final int[] SIZES = {1, 1, 2, 4, 8, 4, 1, 0};

  private static final EventLayout[] BY_ID = new EventLayout[256];

  static {
    for (EventType type : EventType.values()) {
      BY_ID[type.id()] = new EventLayout(type);
    }
  }

  private final EventType type;
  private final List<Field> fields;

  /** By field ordinal: offset, wire, nibble shift and presence bit packed; -1 where absent. */
  private final int[] slots = new int[Field.values().length];

  private final int baseBytes;
  private final int fixedBytes;

  private EventLayout(EventType type) {
    this.type = type;
    List<Field> all = new ArrayList<>(EventType.COMMON);
    all.addAll(type.details());
    this.fields = List.copyOf(all);
    Arrays.fill(slots, -1);
    int offset = HEAD_BYTES;
    int bit = 0;
    int base = 0;
    boolean halfByte = false;
    for (int i = 0; i < all.size(); i++) {
      Field field = all.get(i);
      if (i == EventType.COMMON.size()) {
        bit = FIRST_DETAIL_BIT;
      }
      Wire wire = field.wire();
      if (wire == Wire.DERIVED) {
        slots[field.ordinal()] = pack(0, wire, 0, 0);
        continue;
      }
      if (base == 0 && i - EventType.COMMON.size() >= type.firstDetails()) {
        offset = (offset + 3) & ~3;
        halfByte = false;
        base = offset;
      }
      if (wire == Wire.BYTES) {
        slots[field.ordinal()] = pack(0, wire, 0, bit++);
        continue;
      }
      int shift = 0;
      if (wire == Wire.NIBBLE && halfByte) {
        shift = 4;
        offset--;
        halfByte = false;
      } else {
        halfByte = wire == Wire.NIBBLE;
        int align = Math.min(Math.max(1, wire.bytes()), 4);
        offset = (offset + align - 1) & -align;
      }
      slots[field.ordinal()] = pack(offset, wire, shift, bit++);
      offset += Math.max(1, wire.bytes());
    }
    if (bit > 32) {
      throw new AssertionError(type + " has more fields than presence bits");
    }
    this.fixedBytes = (offset + 3) & ~3;
    this.baseBytes = base == 0 ? fixedBytes : base;
  }

  /** The layout of this type. */
  public static EventLayout of(EventType type) {
    return BY_ID[type.id()];
  }

  /** The layout of the type with this id, or null where this version knows none. */
  static EventLayout of(int id) {
    return BY_ID[id & 0xff];
  }

  public EventType type() {
    return type;
  }

  /** All fields of the type, the common ones first. */
  public List<Field> fields() {
    return fields;
  }

  /** Whether the type has this field. */
  public boolean has(Field field) {
    return slots[field.ordinal()] != -1;
  }

  /** Bytes from the record's start to the field; -1 where the field takes no room or is absent. */
  public int offset(Field field) {
    int slot = slots[field.ordinal()];
    return slot == -1 || offset(slot) == 0 ? -1 : offset(slot);
  }

  /** Number of bits to the right of the field in its byte: 4 for a second half byte, else 0. */
  public int shift(Field field) {
    return has(field) ? shift(slots[field.ordinal()]) : 0;
  }

  /** The field's presence bit, 0 to 31; -1 where the field takes no room or is absent. */
  public int presenceBit(Field field) {
    int slot = slots[field.ordinal()];
    return slot == -1 || field.wire() == Wire.DERIVED ? -1 : bit(slot);
  }

  /** Bytes of a record with every field but {@link Wire#BYTES}; a multiple of 4. */
  public int fixedBytes() {
    return fixedBytes;
  }

  /** Bytes of a record without those and without the fields that the type got later. */
  public int baseBytes() {
    return baseBytes;
  }

  /**
   * Where the field lies, packed, or -1; the common fields have the same place in every type. For
   * {@link EventWriter#put(int, Field, long)}.
   */
  public int slot(Field field) {
    return slots[field.ordinal()];
  }

  /**
   * The presence bits that a record with this first word can truthfully have set: those of fields
   * that its length has room for; none where its type is not known.
   */
  static int presenceMask(int head) {
    return Presence.MASKS[(head & 0xff) * Presence.LENGTHS + Presence.limited(head >>> 16)];
  }

  /** For readers only: who records need not wait for it. */
  private static final class Presence {
    /** Lengths that are told apart, in units of 4 bytes; a longer record has room for all. */
    static final int LENGTHS = 64;

    /** By type id and length. */
    static final int[] MASKS = new int[256 * LENGTHS];

    static {
      for (EventType type : EventType.values()) {
        fill(of(type), type.id() * LENGTHS);
      }
    }

    private static void fill(EventLayout layout, int row) {
      if (layout.fixedBytes > 4 * (LENGTHS - 1)) {
        throw new AssertionError(layout.type + " is longer than the lengths told apart");
      }
      for (Field field : layout.fields) {
        int slot = layout.slot(field);
        if (field.wire() != Wire.DERIVED) {
          MASKS[row + limited(end(slot) + 3 >>> 2)] |= 1 << bit(slot);
        }
      }
      for (int length = 1; length < LENGTHS; length++) {
        MASKS[row + length] |= MASKS[row + length - 1];
      }
    }

    static int limited(int length) {
      return Math.min(length, LENGTHS - 1);
    }
  }

  /** Where a field's bytes end; those of {@link Wire#BYTES} lie behind all fields. */
  static int end(int slot) {
    return offset(slot) + SIZES[wire(slot)];
  }

  private static int pack(int offset, Wire wire, int shift, int bit) {
    return offset | wire.ordinal() << 16 | shift << 20 | bit << 24;
  }

  static int offset(int slot) {
    return slot & 0xffff;
  }

  static int wire(int slot) {
    return slot >>> 16 & 0xf;
  }

  static int shift(int slot) {
    return slot >>> 20 & 0xf;
  }

  static int bit(int slot) {
    return slot >>> 24;
  }
}
