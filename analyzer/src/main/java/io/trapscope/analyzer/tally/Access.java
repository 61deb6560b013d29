package io.trapscope.analyzer.tally;

/** One access of one item to a register, as {@link Accesses} looks at it. Reused. */
final class Access {
  /** {@link #index} of an access that none belongs to. */
  static final long NO_INDEX = -1;

  /** What is accessed how; see {@link AccessKind}. */
  int kind;

  /** Port, GPA or MSR. */
  long number;

  /** What was written to the index register just before, where this is its data register. */
  long index;

  long value;
  long time;
  long handling;
  long guest;

  /** Guest RIP; only where {@link #hasRip}. */
  long rip;

  /** Takes an access from a block of exits. */
  void set(Exits exits, int at, int accessKind) {
    kind = accessKind;
    number = exits.number[at];
    index = NO_INDEX;
    value = exits.extra[at];
    time = exits.time[at];
    handling = exits.handling[at];
    guest = exits.guest[at];
    rip = hasRip() ? exits.rip[at] : 0;
  }

  void set(Access other) {
    kind = other.kind;
    number = other.number;
    index = other.index;
    value = other.value;
    time = other.time;
    handling = other.handling;
    guest = other.guest;
    rip = other.rip;
  }

  boolean hasRip() {
    return (kind & AccessKind.RIP) != 0;
  }

  /** Whether both come from one place in the guest, as far as the trace tells. */
  boolean isFromPlaceOf(Access other) {
    return hasRip() && other.hasRip() && rip == other.rip;
  }

  /** Whether both are of one register in the same width, and in the same direction. */
  boolean isLike(Access other) {
    return number == other.number && index == other.index && isOfKind(other.kind);
  }

  /** Whether both are of one type of register, in the same width and direction. */
  boolean isOfKind(int other) {
    return ((kind ^ other) & AccessKind.LIKE) == 0;
  }
}
