package io.trapscope.analyzer.tally;

/** Accesses in a row, each of which stands in the same relation to the one before it. Reused. */
final class Run {
  /** How an access continues the one before it. */
  enum Relation {
    /** It does not. */
    NONE(false),
    /** Reads the same register and finds the same value. */
    SAME(true),
    /** Reads the same register and finds another value. */
    CHANGED(false),
    /** Goes to the same register, in the same direction and from the same place in the guest. */
    AGAIN(true),
    /** Goes to the address behind it, in the same direction and width. */
    NEXT(true);

    /** Whether accesses in this relation are a run. */
    final boolean makesRun;

    Relation(boolean makesRun) {
      this.makesRun = makesRun;
    }
  }

  Relation relation;

  /** Whether it begins with the first access of its part of the trace. */
  boolean atStart;

  /** What ended it; null while it goes on. */
  Relation endedBy;

  final Access first = new Access();

  /** Accesses after the first one. */
  long links;

  /** Time of handling all of them, and guest time before all but the first, ns. */
  long handling;

  long guest;

  /** How often the value was another than before. */
  long changes;

  /** Time at which the last one was handled, and its value. */
  long end;

  long value;

  /** Begins anew. */
  void begin(Relation between, Access with, boolean isAtStart) {
    relation = between;
    atStart = isAtStart;
    endedBy = null;
    first.set(with);
    links = 0;
    handling = with.handling;
    guest = 0;
    changes = 0;
    end = with.time + with.handling;
    value = with.extra;
  }

  /** Appends an access. */
  void add(Access access) {
    links++;
    handling += access.handling;
    guest += access.guest;
    changes += access.extra == value ? 0 : 1;
    end = access.time + access.handling;
    value = access.extra;
  }

  /** Appends a run whose first access is this one's last. */
  void add(Run rest) {
    links += rest.links;
    handling += rest.handling - rest.first.handling;
    guest += rest.guest;
    changes += rest.changes;
    end = rest.end;
    value = rest.value;
  }
}
