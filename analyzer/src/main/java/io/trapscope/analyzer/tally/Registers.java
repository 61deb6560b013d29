package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventType;
import java.util.ArrayList;
import java.util.List;

/**
 * Registers by what their accesses told: an access is unchanged if its value is the one that the
 * access before it had, read or written. A read then told nothing new, and a write changed nothing,
 * unless the register acts on every access.
 *
 * <p>Each vCPU has rows of its own: what another vCPU did in between is not looked at.
 */
public final class Registers extends SampledRows {
  private static final int LIMIT = 1 << 15;

  // A row: number, index, kind; then for reads and after them for writes:
  private static final int COUNT = 3;
  private static final int NANOS = 4;
  private static final int UNCHANGED = 5;
  private static final int UNCHANGED_NANOS = 6;
  private static final int WRITES = 4;

  // Of all accesses: value of the last one; value, direction and time of the first one.
  private static final int KNOWN = 11;
  private static final int FIRST = 12;
  private static final int FIRST_WRITE = 13;
  private static final int FIRST_NANOS = 14;

  Registers() {
    this(LIMIT);
  }

  /** For tests: a table that keeps fewer registers. */
  Registers(int limit) {
    super(FIRST_NANOS + 1 - KEY, limit);
  }

  /** Where the row of a register begins; -1 where it is not kept. */
  int row(long number, long index, int kind, int vcpu) {
    long key = AccessKind.type(kind) | AccessKind.size(kind) << 8 | (long) vcpu << 16;
    return row(number, index, key);
  }

  /** Adds an access of this kind to the register whose row begins there. */
  void add(int at, int kind, long value, long handling) {
    if (at < 0) {
      return;
    }
    // Neither direction nor value can be foretold: numbers instead of branches.
    int sums = at + WRITES * AccessKind.writes(kind);
    if (rows[at + COUNT] + rows[at + COUNT + WRITES] == 0) {
      rows[at + FIRST] = value;
      rows[at + FIRST_WRITE] = AccessKind.writes(kind);
      rows[at + FIRST_NANOS] = handling;
      rows[at + KNOWN] = ~value;
    }
    long other = rows[at + KNOWN] ^ value;
    long unchanged = ~(other | -other) >>> Long.SIZE - 1;
    rows[at + KNOWN] = value;
    rows[sums + COUNT]++;
    rows[sums + NANOS] += handling;
    rows[sums + UNCHANGED] += unchanged;
    rows[sums + UNCHANGED_NANOS] += handling & -unchanged;
  }

  @Override
  void join(int at, long[] from, int fromAt) {
    boolean known = rows[at + COUNT] + rows[at + COUNT + WRITES] > 0;
    for (int word = COUNT; word < KNOWN; word++) {
      rows[at + word] += from[fromAt + word];
    }
    if (!known) {
      System.arraycopy(from, fromAt + FIRST, rows, at + FIRST, FIRST_NANOS + 1 - FIRST);
    } else if (rows[at + KNOWN] == from[fromAt + FIRST]) {
      int sums = at + (from[fromAt + FIRST_WRITE] != 0 ? WRITES : 0);
      rows[sums + UNCHANGED]++;
      rows[sums + UNCHANGED_NANOS] += from[fromAt + FIRST_NANOS];
    }
    rows[at + KNOWN] = from[fromAt + KNOWN];
  }

  /**
   * The accesses of one vCPU to a register in one direction.
   *
   * @param type event type: port, memory or MSR
   * @param number port, GPA or MSR
   * @param index what its index register held; {@link #NO_INDEX} where it has none
   * @param size bytes of an access; 0 for an MSR
   * @param count accesses
   * @param nanos time of handling them
   * @param unchanged those that had the value of the access before
   * @param unchangedNanos time of handling those
   */
  public record Row(
      EventType type,
      long number,
      long index,
      int size,
      int vcpu,
      boolean write,
      long count,
      long nanos,
      long unchanged,
      long unchangedNanos) {}

  /** {@link Row#index} of a register without an index register. */
  public static final long NO_INDEX = Access.NO_INDEX;

  /** The rows, in no particular order. */
  public List<Row> list() {
    List<Row> list = new ArrayList<>();
    for (int i = 0; i < size(); i++) {
      int at = at(i);
      for (int sums = at; sums <= at + WRITES; sums += WRITES) {
        if (rows[sums + COUNT] > 0) {
          int kind = (int) rows[at + 2];
          list.add(
              new Row(
                  EventType.of(kind & 0xff),
                  rows[at],
                  rows[at + 1],
                  kind >>> 8 & 0xff,
                  kind >>> 16,
                  sums != at,
                  rows[sums + COUNT],
                  rows[sums + NANOS],
                  rows[sums + UNCHANGED],
                  rows[sums + UNCHANGED_NANOS]));
        }
      }
    }
    return list;
  }
}
