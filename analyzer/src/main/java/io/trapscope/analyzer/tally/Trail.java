package io.trapscope.analyzer.tally;

import io.trapscope.analyzer.tally.Run.Relation;

/** The accesses of one vCPU, one after the other, and the runs that they make. */
final class Trail {
  private final RunRows runs;
  private final Polls polls = new Polls();
  private final Strings strings = new Strings();

  private boolean any;
  private final Access first = new Access();

  /** The last access, but for those that were passed over. */
  private final Access last = new Access();

  /** Which of the exits at hand was passed over last, and its kind; -1 where none. */
  private int passed = -1;

  private int passedKind;

  /**
   * An empty one.
   *
   * @param runs where runs go when they have ended
   */
  Trail(RunRows runs) {
    this.runs = runs;
  }

  /** Whether no run is open: accesses that are in none can be passed over. */
  boolean isIdle() {
    return any && polls.isIdle() && strings.isIdle();
  }

  /** Appends an access of a block of exits, which is in no run and has no index. */
  void pass(int exit, int kind) {
    passed = exit;
    passedKind = kind;
  }

  /** Takes the access that was passed over last; before another is added, or the exits go. */
  void settle(Exits exits) {
    if (passed >= 0) {
      last.set(exits, passed, passedKind);
      passed = -1;
    }
  }

  /** Appends an access; {@link #settle} has been called. */
  void add(Access access) {
    if (any) {
      polls.add(last, access);
      strings.add(last, access);
    } else {
      any = true;
      first.set(access);
    }
    last.set(access);
  }

  /** Appends another one, which is not used again. */
  void merge(Trail later) {
    if (!later.any) {
      return;
    }
    boolean isFirst = !any;
    add(later.first);
    polls.merge(later.polls, isFirst);
    strings.merge(later.strings, isFirst);
    last.set(later.last);
  }

  /** Ends the runs that are open; nothing is added afterwards. */
  void finish() {
    polls.finish();
    strings.finish();
  }

  /** One register read again and again, unchanged. */
  private final class Polls extends RunTracker {
    @Override
    Relation relation(Access before, Access next) {
      if (AccessKind.isWrite(next.kind) || !next.isLike(before)) {
        return Relation.NONE;
      }
      return next.value == before.value ? Relation.SAME : Relation.CHANGED;
    }

    @Override
    void found(Run run) {
      if (run.links + 1 >= Accesses.SHORTEST_RUN) {
        runs.add(RunRows.Kind.POLL, run);
      }
    }
  }

  /** Items that go to one register or to addresses one behind the other. */
  private final class Strings extends RunTracker {
    @Override
    Relation relation(Access before, Access next) {
      if (!next.isOfKind(before.kind)
          || next.index != Access.NO_INDEX
          || before.index != Access.NO_INDEX
          || (next.kind & AccessKind.MSR) != 0) {
        return Relation.NONE;
      }
      if (next.number == before.number) {
        return next.isFromPlaceOf(before) ? Relation.AGAIN : Relation.NONE;
      }
      return next.number == before.number + AccessKind.size(before.kind)
          ? Relation.NEXT
          : Relation.NONE;
    }

    @Override
    void found(Run run) {
      // Of reads that mostly find the same, polls tell.
      boolean data = AccessKind.isWrite(run.first.kind) || run.changes * 2 >= run.links;
      if (data && run.links + 1 >= Accesses.SHORTEST_RUN) {
        boolean again = run.relation == Relation.AGAIN;
        runs.add(again ? RunRows.Kind.STRING : RunRows.Kind.ASCENDING, run);
      }
    }
  }
}
