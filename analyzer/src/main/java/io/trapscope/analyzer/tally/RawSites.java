package io.trapscope.analyzer.tally;

/**
 * What {@link Sites} counts, while events go by: by the numbers of {@link Exit} as they are, so
 * that an exit costs one look-up and a few additions. Where it is full it is emptied into the table
 * of sites.
 */
final class RawSites extends Rows {
  private static final int LIMIT = 1 << 15;

  // A row: RIP, number and what; then:

  /** What accesses these exits are: {@link AccessKind}. */
  private static final int ACCESS = 3;

  /** For {@link Accesses}, to find their register; 0 at first. */
  private static final int REGISTER = 4;

  static final int COUNT = 5;
  static final int GUEST = 6;
  static final int KERNEL = 7;
  static final int LOOP = 8;
  static final int DISPATCH = 9;
  static final int DEVICE = 10;
  static final int USER = 11;
  static final int FIRST = 12;
  static final int LAST = 13;

  /** A power of two: the more words of a row lie in few lines of a cache. */
  private static final int WORDS = 16;

  private final Sites sites;

  private int vcpu;

  RawSites(Sites sites) {
    super(WORDS - KEY, LIMIT);
    this.sites = sites;
  }

  /** Makes ready for so many exits of a vCPU. */
  void expect(int of, int count) {
    if (of != vcpu || size() + count > LIMIT) {
      flush();
      vcpu = of;
    }
  }

  /** Adds an exit, which was expected, and returns where the row of its site begins. */
  int add(Exit exit) {
    int at = find(exit.rip, exit.number, exit.what);
    rows[at + COUNT]++;
    rows[at + GUEST] += exit.guest;
    rows[at + LOOP] += exit.loop;
    rows[at + DISPATCH] += exit.dispatch;
    rows[at + DEVICE] += exit.device;
    if ((exit.what & Exit.KERNEL_STAGES) != 0) {
      rows[at + KERNEL] += exit.kernel;
      rows[at + USER] += exit.user;
    }
    rows[at + FIRST] = Math.min(rows[at + FIRST], exit.time);
    rows[at + LAST] = Math.max(rows[at + LAST], exit.time);
    return at;
  }

  /** What access the exits of the site there are: {@link AccessKind}. */
  int kind(int at) {
    return (int) rows[at + ACCESS];
  }

  /** What the site there remembers for {@link Accesses}. */
  long register(int at) {
    return rows[at + REGISTER];
  }

  void remember(int at, long register) {
    rows[at + REGISTER] = register;
  }

  @Override
  int full(long rip, long number, long what) {
    throw new IllegalStateException("more exits than were expected");
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
