package io.trapscope.recorder.event;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Up to {@link #CAPACITY} records of one batch in a row, for who goes over millions of events and
 * wants them field by field instead of event by event. Filled by a cursor; valid until it is filled
 * again.
 *
 * <p>{@link #event} gives any of the events in the ordinary way.
 */
public final class EventBlock {
  public static final int CAPACITY = 256;

  /**
   * Bytes that an array has to have behind its last record, so that every field of every type can
   * be read from a record that is too short for them.
   */
  public static final int SLACK = 256;

  private static final VarHandle U64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle I32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

  private final EventReader reader = new EventReader();
  private final int[] offsets = new int[CAPACITY];
  private final int[] heads = new int[CAPACITY];
  private final long[] sequences = new long[CAPACITY];
  private byte[] bytes = {};
  private int vcpu;
  private long baseTime;
  private long baseInstructions;
  private int size;

  /**
   * Empties the block and sets the batch that the records to come belong to.
   *
   * @param source little-endian, an array of its own that has {@link #SLACK} bytes more behind the
   *     last of them
   */
  public void batch(ByteBuffer source, int vcpu, long baseTime, long baseInstructions) {
    this.bytes = source.array();
    this.vcpu = vcpu;
    this.baseTime = baseTime;
    this.baseInstructions = baseInstructions;
    this.size = 0;
    reader.batch(source, vcpu, baseTime, baseInstructions);
  }

  /**
   * Appends a record, for which there has to be room; see {@link EventReader#record}.
   *
   * @return false where this version does not know its type, and it was left out
   */
  public boolean add(int offset, int head, long sequence) {
    offsets[size] = offset;
    heads[size] = head;
    sequences[size] = sequence;
    boolean known = EventLayout.of(head) != null;
    size += known ? 1 : 0;
    return known;
  }

  /** Number of events. */
  public int size() {
    return size;
  }

  /** One of the events; the same object each time. */
  public EventReader event(int number) {
    reader.record(offsets[number], heads[number], sequences[number]);
    return reader;
  }

  /** The vCPU of all of them, or {@link EventReader#NO_VCPU}. */
  public int vcpu() {
    return vcpu;
  }

  /** What a record's time counts from. */
  public long baseTime() {
    return baseTime;
  }

  /** What a record's retired instructions count from. */
  public long baseInstructions() {
    return baseInstructions;
  }

  /** An event's sequence number in its stream. */
  public long sequence(int number) {
    return sequences[number];
  }

  /** Id of an event's type. */
  public int typeId(int number) {
    return heads[number] & 0xff;
  }

  /**
   * Where an event's record begins, for {@link #u64} and {@link #i32}: the offset of a field in
   * {@link EventLayout} comes on top. What lies there is a field's value only if it was captured.
   */
  public int offset(int number) {
    return offsets[number];
  }

  /** Which fields an event captured, by {@link EventLayout#presenceBit}. */
  public int captured(int number) {
    int presence = i32(offsets[number] + EventLayout.PRESENCE_OFFSET);
    return presence & EventLayout.presenceMask(heads[number]);
  }

  /** 64 bits of the batch. */
  public long u64(int at) {
    return (long) U64.get(bytes, at);
  }

  /** 32 bits of the batch. */
  public int i32(int at) {
    return (int) I32.get(bytes, at);
  }
}
