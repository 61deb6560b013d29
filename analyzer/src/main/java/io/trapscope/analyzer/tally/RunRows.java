package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventType;
import java.util.ArrayList;
import java.util.List;

/** Runs of accesses added up by what they were and where they came from. */
public final class RunRows extends SampledRows {
  /** What a run is. */
  public enum Kind {
    /** One register read again and again, unchanged. */
    POLL,
    /** An index register written, then its data register accessed. */
    PAIR,
    /** One register accessed again and again from one place, item by item. */
    STRING,
    /** Addresses one behind the other. */
    ASCENDING
  }

  private static final Kind[] KINDS = Kind.values();
  private static final int LIMIT = 1 << 15;

  // A row: RIP, number and what; then:
  private static final int COUNT = 3;
  private static final int ACCESSES = 4;
  private static final int HANDLING = 5;
  private static final int GUEST = 6;
  private static final int ELAPSED = 7;
  private static final int CHANGED = 8;
  private static final int COULD_BE = 9;
  private static final int FIRST_SUM = COUNT;
  private static final int LAST_SUM = COULD_BE;
  private static final int LONGEST = 10;
  private static final int LONGEST_ELAPSED = 11;
  private static final int LAST_END = 12;
  private static final int LAST_VALUE = 13;

  /** Widest accesses, in bytes. */
  private static final int WIDEST_PORT = 4;

  private static final int WIDEST_MEMORY = 8;

  // In what a row is:
  private static final int WRITE = 1 << 12;
  private static final int HAS_RIP = 1 << 13;
  private static final int INDEX_SHIFT = 24;

  private final Run pair = new Run();

  RunRows() {
    this(LIMIT);
  }

  /** For tests: a table that keeps fewer rows. */
  RunRows(int limit) {
    super(LAST_VALUE + 1 - KEY, limit);
  }

  /** Adds an index register's write and the access to its data register, which names the row. */
  void addPair(Access index, Access data) {
    pair.begin(Run.Relation.NONE, index, false);
    pair.add(data);
    pair.first.set(data);
    pair.first.time = index.time;
    add(Kind.PAIR, pair);
  }

  /** Adds a run. */
  void add(Kind kind, Run run) {
    Access first = run.first;
    // An index is what was written to an index register: 32 bits.
    long what =
        kind.ordinal()
            | AccessKind.type(first.kind) << 4
            | (AccessKind.isWrite(first.kind) ? WRITE : 0)
            | (first.hasRip() ? HAS_RIP : 0)
            | (long) AccessKind.size(first.kind) << 16
            | (first.index + 1 & 0xff_ffff_ffffL) << INDEX_SHIFT;
    int at = row(first.hasRip() ? first.rip : 0, first.number, what);
    if (at < 0) {
      return;
    }
    long elapsed = run.end - first.time;
    rows[at + COUNT]++;
    rows[at + ACCESSES] += run.links + 1;
    rows[at + HANDLING] += run.handling;
    rows[at + GUEST] += run.guest;
    rows[at + ELAPSED] += elapsed;
    rows[at + CHANGED] += run.endedBy == Run.Relation.CHANGED ? 1 : 0;
    rows[at + COULD_BE] += kind == Kind.ASCENDING ? wider(run) : 1;
    rows[at + LONGEST] = Math.max(rows[at + LONGEST], run.links + 1);
    rows[at + LONGEST_ELAPSED] = Math.max(rows[at + LONGEST_ELAPSED], elapsed);
    last(at, run.end, run.value);
  }

  /** How many of the widest accesses would do for a run of neighbouring addresses. */
  private static long wider(Run run) {
    int widest = AccessKind.isPort(run.first.kind) ? WIDEST_PORT : WIDEST_MEMORY;
    long begin = run.first.number;
    long end = begin + (run.links + 1) * AccessKind.size(run.first.kind);
    return (end + widest - 1) / widest - begin / widest;
  }

  /** The value of the run that ended last; of several that of the largest number. */
  private void last(int at, long end, long value) {
    boolean later = end > rows[at + LAST_END];
    if (later || end == rows[at + LAST_END] && value > rows[at + LAST_VALUE]) {
      rows[at + LAST_END] = end;
      rows[at + LAST_VALUE] = value;
    }
  }

  @Override
  void start(int at) {
    rows[at + LAST_END] = Long.MIN_VALUE;
    rows[at + LAST_VALUE] = Long.MIN_VALUE;
  }

  @Override
  void join(int at, long[] from, int fromAt) {
    for (int word = FIRST_SUM; word <= LAST_SUM; word++) {
      rows[at + word] += from[fromAt + word];
    }
    rows[at + LONGEST] = Math.max(rows[at + LONGEST], from[fromAt + LONGEST]);
    rows[at + LONGEST_ELAPSED] =
        Math.max(rows[at + LONGEST_ELAPSED], from[fromAt + LONGEST_ELAPSED]);
    last(at, from[fromAt + LAST_END], from[fromAt + LAST_VALUE]);
  }

  /**
   * Runs that are alike.
   *
   * @param hasRip whether the guest RIP of the first access was captured
   * @param rip that RIP
   * @param type event type: port, memory or MSR
   * @param number port, GPA or MSR of the first access
   * @param index what its index register held; {@link Registers#NO_INDEX} where it has none
   * @param size bytes of an access; 0 for an MSR
   * @param count runs
   * @param accesses accesses in them
   * @param handling time of handling these, ns
   * @param guest guest time between them, ns
   * @param elapsed from the first access of each run to the end of its last one, added up, ns
   * @param changed runs that ended because the value changed
   * @param couldBe accesses that would have done
   * @param longest accesses of the longest run
   * @param longestElapsed duration of the one that took longest, ns
   * @param value last value of the run that ended last
   */
  public record Row(
      Kind kind,
      boolean hasRip,
      long rip,
      EventType type,
      long number,
      long index,
      int size,
      boolean write,
      long count,
      long accesses,
      long handling,
      long guest,
      long elapsed,
      long changed,
      long couldBe,
      long longest,
      long longestElapsed,
      long value) {}

  /** The rows, in no particular order. */
  public List<Row> list() {
    List<Row> list = new ArrayList<>(size());
    for (int i = 0; i < size(); i++) {
      int at = at(i);
      long what = rows[at + 2];
      list.add(
          new Row(
              KINDS[(int) what & 0xf],
              (what & HAS_RIP) != 0,
              rows[at],
              EventType.of((int) what >>> 4 & 0xff),
              rows[at + 1],
              (what >>> INDEX_SHIFT) - 1,
              (int) what >>> 16 & 0xff,
              (what & WRITE) != 0,
              rows[at + COUNT],
              rows[at + ACCESSES],
              rows[at + HANDLING],
              rows[at + GUEST],
              rows[at + ELAPSED],
              rows[at + CHANGED],
              rows[at + COULD_BE],
              rows[at + LONGEST],
              rows[at + LONGEST_ELAPSED],
              rows[at + LAST_VALUE]));
    }
    return list;
  }
}
