package io.trapscope.recorder.tracepoint;

import java.nio.ByteBuffer;

/** A tracepoint of this kernel: where the fields lie that are read. Allocates nothing to read. */
public final class Tracepoint {
  private static final int ABSENT = -1;
  private static final int SIGNED = 1 << 24;

  private final KvmTracepoint kind;
  private final TracepointFormat format;

  /** By number of the field: offset, size and sign packed; {@link #ABSENT} for none. */
  private final int[] slots;

  private final int needed;

  /**
   * Looks the fields up.
   *
   * @param kind what it is; null for a tracepoint that is only shown as text
   * @param format of the kernel or file whose records are read
   */
  public Tracepoint(KvmTracepoint kind, TracepointFormat format) {
    this.kind = kind;
    this.format = format;
    this.slots = new int[kind == null ? 0 : kind.fields().size()];
    int end = 2;
    for (int i = 0; i < slots.length; i++) {
      TracepointFormat.Field field = find(kind.fields().get(i));
      slots[i] = ABSENT;
      if (field != null) {
        slots[i] = field.offset() | field.size() << 16 | (field.signed() ? SIGNED : 0);
        end = Math.max(end, field.end());
      }
    }
    this.needed = end;
  }

  private TracepointFormat.Field find(String names) {
    for (String name : names.split("\\|")) {
      TracepointFormat.Field field = format.field(name);
      // 255 bytes are more than any of the fields that are read has.
      if (field != null && field.size() <= 0xff) {
        return field;
      }
    }
    return null;
  }

  /** What it is; null for a tracepoint that is only shown as text. */
  public KvmTracepoint kind() {
    return kind;
  }

  public TracepointFormat format() {
    return format;
  }

  /** Bytes a record has at least. */
  int needed() {
    return needed;
  }

  /** Whether this kernel's records have the field. */
  boolean has(int field) {
    return slots[field] != ABSENT;
  }

  /** The field's number, or 0 where there is no such field. */
  long get(ByteBuffer raw, int at, int field) {
    int slot = slots[field];
    if (slot == ABSENT) {
      return 0;
    }
    return TracepointFormat.number(
        raw, at + (slot & 0xffff), slot >>> 16 & 0xff, (slot & SIGNED) != 0);
  }

  /**
   * Copies the field's bytes.
   *
   * @return how many there are
   */
  int bytes(ByteBuffer raw, int at, int field, byte[] to) {
    int slot = slots[field];
    if (slot == ABSENT) {
      return 0;
    }
    int count = Math.min(to.length, slot >>> 16 & 0xff);
    raw.get(at + (slot & 0xffff), to, 0, count);
    return count;
  }
}
