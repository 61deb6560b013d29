package io.trapscope.analyzer.tally;

import io.trapscope.analyzer.tally.Run.Relation;
import java.util.Arrays;

/** The accesses of one vCPU, one after the other, and the runs that they make. */
final class Trail {
  /** Mask of a place among the last accesses: a shortest run is a power of two long. */
  private static final int LAST = Accesses.SHORTEST_RUN - 1;

  private final RunRows runs;
  private final Polls polls = new Polls();
  private final Strings strings = new Strings();

  /** The last accesses in turn: as many as make a run. */
  private final Access[] recent = new Access[Accesses.SHORTEST_RUN];

  /** Place of the last one among them. */
  private int newest;

  /** How many accesses up to the last one may each be in a run with the one before. */
  private int links;

  /** How many accesses up to the last one the trackers of runs have not been shown. */
  private int unseen;

  /** Whether the trackers have to see every access: a run is open, or they know too few. */
  private boolean watching = true;

  private boolean any;
  private final Access first = new Access();

  /**
   * An empty one.
   *
   * @param runs where runs go when they have ended
   */
  Trail(RunRows runs) {
    this.runs = runs;
    Arrays.setAll(recent, absent -> new Access());
  }

  /** Appends an access, keeps it, and returns one that is not needed any more. */
  Access exchange(Access access) {
    final Access before = recent[newest & LAST];
    final Access left = recent[++newest & LAST];
    recent[newest & LAST] = access;
    follow(before, access);
    return left;
  }

  /** Appends a copy of an access. */
  void add(Access access) {
    final Access spare = recent[newest + 1 & LAST];
    spare.set(access);
    exchange(spare);
  }

  private void follow(Access before, Access now) {
    if (!any) {
      any = true;
      first.set(now);
      return;
    }
    links = now.isNear(before) ? links + 1 : 0;
    unseen++;
    if (watching || links >= Accesses.SHORTEST_RUN - 1) {
      show(Math.max(1, links));
    }
  }

  /** Shows the trackers of runs those of so many accesses, up to the last, that they miss. */
  private void show(int most) {
    for (int back = Math.min(unseen, most) - 1; back >= 0; back--) {
      Access before = recent[newest - back - 1 & LAST];
      Access access = recent[newest - back & LAST];
      polls.add(before, access);
      strings.add(before, access);
    }
    unseen = 0;
    watching = !polls.isIdle() || !strings.isIdle();
  }

  /** Appends another one, which is not used again. */
  void merge(Trail later) {
    if (!later.any) {
      return;
    }
    boolean isFirst = !any;
    show(links);
    later.show(later.links);
    add(later.first);
    show(1);
    polls.merge(later.polls, isFirst);
    strings.merge(later.strings, isFirst);
    recent[newest & LAST].set(later.recent[later.newest & LAST]);
    links = 0;
    watching = !polls.isIdle() || !strings.isIdle();
  }

  /** Ends the runs that are open; nothing is added afterwards. */
  void finish() {
    show(links);
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
      return next.extra == before.extra ? Relation.SAME : Relation.CHANGED;
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
