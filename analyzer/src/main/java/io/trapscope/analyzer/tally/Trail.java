package io.trapscope.analyzer.tally;

import io.trapscope.analyzer.tally.Run.Relation;

/** The accesses of one vCPU, one after the other, and the runs that they make. */
final class Trail {
  private final RunRows runs;
  private final Polls polls = new Polls();
  private final Strings strings = new Strings();

  private boolean any;
  private final Access first = new Access();
  private final Access last = new Access();

  /**
   * An empty one.
   *
   * @param runs where runs go when they have ended
   */
  Trail(RunRows runs) {
    this.runs = runs;
  }

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
      if (next.write || !next.isLike(before)) {
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
      if (next.type != before.type
          || next.size != before.size
          || next.write != before.write
          || next.index != Access.NO_INDEX
          || before.index != Access.NO_INDEX
          || next.isMsr()) {
        return Relation.NONE;
      }
      if (next.number == before.number) {
        return next.rip == before.rip && next.rip != 0 ? Relation.AGAIN : Relation.NONE;
      }
      return next.number == before.number + before.size ? Relation.NEXT : Relation.NONE;
    }

    @Override
    void found(Run run) {
      // Of reads that mostly find the same, polls tell.
      boolean data = run.first.write || run.changes * 2 >= run.links;
      if (data && run.links + 1 >= Accesses.SHORTEST_RUN) {
        boolean again = run.relation == Relation.AGAIN;
        runs.add(again ? RunRows.Kind.STRING : RunRows.Kind.ASCENDING, run);
      }
    }
  }
}
