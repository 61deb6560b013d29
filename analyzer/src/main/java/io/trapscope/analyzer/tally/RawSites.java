package io.trapscope.analyzer.tally;

/**
 * What {@link Sites} counts, while events go by: by the numbers of {@link Exits} as they are, so
 * that an exit costs one look-up and a few additions. Where it is full it is emptied into the table
 * of sites.
 */
final class RawSites extends Rows {
  private static final int LIMIT = 1 << 15;

  // A row: RIP, number and what; then:

  /** What accesses these exits are: {@link AccessKind}. */
  static final int ACCESS = 3;

  /** For {@link Accesses}, to find their register; 0 at first. */
  static final int REGISTER = 4;

  static final int COUNT = 5;
  static final int GUEST = 6;
  static final int LOOP = 7;
  static final int DISPATCH = 8;
  static final int DEVICE = 9;
  static final int FIRST = 10;
  static final int LAST = 11;

  /** A power of two: the more words of a row lie in few lines of a cache. */
  private static final int WORDS = 16;

  private final Sites sites;

  /** Where the rows of the exits at hand begin. */
  final int[] places = new int[Exits.CAPACITY];

  /** What accesses the exits at hand are: {@link AccessKind}. */
  final int[] kinds = new int[Exits.CAPACITY];

  private final int[] missed = new int[Exits.CAPACITY];

  private int vcpu;

  RawSites(Sites sites) {
    super(WORDS - KEY, LIMIT);
    this.sites = sites;
  }

  /** Adds exits. */
  void add(Exits exits) {
    if (exits.vcpu != vcpu || size() + exits.size > LIMIT) {
      flush();
      vcpu = exits.vcpu;
    }
    find(exits.rip, exits.number, exits.what, exits.size, places, missed);
    long[] row = rows;
    int size = exits.size;
    for (int i = 0; i < size; i++) {
      int at = places[i];
      kinds[i] = (int) row[at + ACCESS];
      row[at + COUNT]++;
      row[at + GUEST] += exits.guest[i];
      row[at + LOOP] += exits.loop[i];
      row[at + DISPATCH] += exits.dispatch[i];
      row[at + DEVICE] += exits.device[i];
      long time = exits.time[i];
      row[at + FIRST] = Math.min(row[at + FIRST], time);
      row[at + LAST] = Math.max(row[at + LAST], time);
    }
  }

  @Override
  int full(long rip, long number, long what) {
    throw new IllegalStateException("emptied before a block that might not fit");
  }

  @Override
  void start(int at) {
    rows[at + FIRST] = Long.MAX_VALUE;
    rows[at + LAST] = Long.MIN_VALUE;
    rows[at + ACCESS] = AccessKind.of(rows[at + 2], rows[at + 1]);
  }

  /** Empties this table into the table of sites. */
  void flush() {
    for (int i = 0; i < size(); i++) {
      sites.add(rows, at(i), vcpu);
    }
    clear();
  }
}
