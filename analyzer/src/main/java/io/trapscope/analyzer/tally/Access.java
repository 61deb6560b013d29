package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventType;

/** One access of one item to a register, as {@link Accesses} looks at it. Reused. */
final class Access {
  /** {@link #index} of an access that none belongs to. */
  static final long NO_INDEX = -1;

  private static final int PORT = EventType.PIO.id();
  private static final int MEMORY = EventType.MMIO.id();

  /** Id of the event's type: port, memory or MSR. */
  int type;

  boolean write;

  /** Bytes; 0 for an MSR. */
  int size;

  /** Port, GPA or MSR. */
  long number;

  /** What was written to the index register just before, where this is its data register. */
  long index;

  long value;
  long time;
  long handling;
  long guest;

  /** Guest RIP; 0 where not captured. */
  long rip;

  /** Takes an access from a block of exits. */
  void set(Exits exits, int at) {
    long what = exits.what[at];
    int first = (int) (what >>> 24) & 0xff;
    type = (int) (what >>> 8) & 0xff;
    write = (first & 0xf) != 0;
    size = type == PORT || type == MEMORY ? first >>> 4 : 0;
    number = exits.number[at];
    index = NO_INDEX;
    value = exits.extra[at];
    time = exits.time[at];
    handling = exits.handling(at);
    guest = exits.guest[at];
    rip = (what & Exits.RIP) == 0 ? 0 : exits.rip[at];
  }

  void set(Access other) {
    type = other.type;
    write = other.write;
    size = other.size;
    number = other.number;
    index = other.index;
    value = other.value;
    time = other.time;
    handling = other.handling;
    guest = other.guest;
    rip = other.rip;
  }

  boolean isMsr() {
    return type != PORT && type != MEMORY;
  }

  boolean isPort() {
    return type == PORT;
  }

  /** Whether both are of one register in the same width, and in the same direction. */
  boolean isLike(Access other) {
    return number == other.number
        && index == other.index
        && type == other.type
        && size == other.size
        && write == other.write;
  }
}
