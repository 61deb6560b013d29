package io.trapscope.analyzer.tally;

/** Accesses one after the other, a column of numbers for each thing; see {@link Access}. Reused. */
final class AccessBlock {
  /** Those of a block of exits, one that waited for its pair, and one that was there before. */
  private static final int CAPACITY = Exits.CAPACITY + 2;

  int size;
  final int[] kind = new int[CAPACITY];
  final long[] number = new long[CAPACITY];
  final long[] index = new long[CAPACITY];
  final long[] value = new long[CAPACITY];
  final long[] time = new long[CAPACITY];
  final long[] handling = new long[CAPACITY];
  final long[] guest = new long[CAPACITY];
  final long[] rip = new long[CAPACITY];

  /** Appends an access from a block of exits; one without an index. */
  void add(Exits exits, int from, int accessKind) {
    int at = size++;
    kind[at] = accessKind & AccessKind.LIKE;
    number[at] = exits.number[from];
    index[at] = Access.NO_INDEX;
    value[at] = exits.extra[from];
    time[at] = exits.time[from];
    handling[at] = exits.handling[from];
    guest[at] = exits.guest[from];
    rip[at] = (exits.what[from] & Exits.RIP) == 0 ? 0 : exits.rip[from];
  }

  void add(Access access) {
    int at = size++;
    kind[at] = access.kind & AccessKind.LIKE;
    number[at] = access.number;
    index[at] = access.index;
    value[at] = access.value;
    time[at] = access.time;
    handling[at] = access.handling;
    guest[at] = access.guest;
    rip[at] = access.rip;
  }

  void get(int at, Access into) {
    into.kind = kind[at];
    into.number = number[at];
    into.index = index[at];
    into.value = value[at];
    into.time = time[at];
    into.handling = handling[at];
    into.guest = guest[at];
    into.rip = rip[at];
  }
}
