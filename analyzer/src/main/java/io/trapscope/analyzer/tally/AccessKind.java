package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;

/**
 * What an access to a register is, in one number, which follows from its {@link Exit#what} and its
 * register.
 *
 * <pre>
 *  0-7 event type   8-11 bytes, 0 for an MSR   12 write   13 MSR
 *  16-23 pair whose index register it writes   24-30 pair whose data register it goes to
 * </pre>
 */
final class AccessKind {
  /** Exits that are no access of one item, or of which too little was captured. */
  static final int NONE = 0;

  static final int WRITE = 1 << 12;
  static final int MSR = 1 << 13;

  /** What has to be equal for two accesses to be of one kind. */
  static final int LIKE = 0x3fff;

  private static final int SIZE_SHIFT = 8;
  private static final int INDEX_SHIFT = 16;
  private static final int DATA_SHIFT = 24;

  private static final int PORT_TYPE = EventType.PIO.id();
  private static final int MEMORY_TYPE = EventType.MMIO.id();
  private static final int MSR_TYPE = EventType.MSR.id();

  // What has to be captured of an access, as presence bits.
  private static final long PORT_NEEDS = needed(EventType.PIO, Field.PORT, Field.SIZE);
  private static final long MEMORY_NEEDS = needed(EventType.MMIO, Field.GPA, Field.SIZE);
  private static final long MSR_NEEDS = needed(EventType.MSR, Field.MSR, Field.VALUE);

  private AccessKind() {}

  private static long needed(EventType type, Field number, Field size) {
    return ExitShape.bit(type, number)
        | ExitShape.bit(type, size)
        | ExitShape.bit(type, Field.DIRECTION)
        | ExitShape.bit(type, Field.VALUE);
  }

  /** The kind of exits with this {@link Exit#what} and {@link Exit#number}. */
  static int of(long what, long number) {
    int type = (int) (what >>> 8) & 0xff;
    int first = (int) (what >>> 24) & 0xff;
    int kind = type | ((first & 0xf) == 0 ? 0 : WRITE);
    if (type == MSR_TYPE) {
      return has(what, MSR_NEEDS) ? kind | MSR : NONE;
    }
    boolean port = type == PORT_TYPE && has(what, PORT_NEEDS);
    if (!port && !(type == MEMORY_TYPE && has(what, MEMORY_NEEDS))) {
      return NONE;
    }
    int index = isWrite(kind) ? IndexPairs.indexOf(port, number) : 0;
    int data = IndexPairs.dataOf(port, number);
    return kind | first >>> 4 << SIZE_SHIFT | index << INDEX_SHIFT | data << DATA_SHIFT;
  }

  private static boolean has(long what, long needed) {
    return (what >>> 32 & needed) == needed;
  }

  /** Id of the event's type: port, memory or MSR. */
  static int type(int kind) {
    return kind & 0xff;
  }

  /** Bytes; 0 for an MSR. */
  static int size(int kind) {
    return kind >>> SIZE_SHIFT & 0xf;
  }

  static boolean isWrite(int kind) {
    return (kind & WRITE) != 0;
  }

  /** 1 of a write, 0 of a read. */
  static int writes(int kind) {
    return kind >>> 12 & 1;
  }

  static boolean isPort(int kind) {
    return type(kind) == PORT_TYPE;
  }

  /** Number of the pair whose index register is written; 0 where there is none. */
  static int indexOf(int kind) {
    return kind >>> INDEX_SHIFT & 0xff;
  }

  /** Number of the pair whose data register is accessed; 0 where there is none. */
  static int dataOf(int kind) {
    return kind >>> DATA_SHIFT;
  }

  /** Whether the register is one of a pair, and accessed as such. */
  static boolean isPaired(int kind) {
    return kind >>> INDEX_SHIFT != 0;
  }
}
