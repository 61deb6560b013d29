package io.trapscope.analyzer.tally;

/**
 * An exit that is one access of one item to a register, as {@link Accesses} looks at it. Reused.
 */
final class Access extends Exit {
  /** {@link #index} of an access that none belongs to. */
  static final long NO_INDEX = -1;

  /** What is accessed how; see {@link AccessKind}. */
  int kind;

  /** What was written to the index register just before, where this is its data register. */
  long index;

  /** Where its site was counted, and what that remembered of its register. */
  int site;

  long register;

  boolean hasRip() {
    return (what & RIP) != 0;
  }

  void set(Access other) {
    kind = other.kind;
    index = other.index;
    number = other.number;
    extra = other.extra;
    time = other.time;
    handling = other.handling;
    guest = other.guest;
    rip = other.rip;
    what = other.what;
  }

  /** Whether this is an access to the register of another of its kind, or to the one behind it. */
  boolean isNear(Access before) {
    long step = number - before.number;
    long far = step * (step - AccessKind.size(kind));
    return (far | (kind ^ before.kind) & AccessKind.LIKE) == 0;
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
