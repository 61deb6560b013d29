package io.trapscope.analyzer.tally;

import io.trapscope.analyzer.tally.Run.Relation;

/** The accesses of one vCPU, one after the other, and the runs that they make. */
final class Trail {
  private final RunRows runs;
  private final Polls polls = new Polls();
  private final Strings strings = new Strings();

  private boolean any;
  private final Access first = new Access();

  /**
   * Accesses that wait to be looked at; before them, where there was any, the last one that was.
   */
  private final AccessBlock waiting = new AccessBlock();

  private final Access last = new Access();

  /**
   * An empty one.
   *
   * @param runs where runs go when they have ended
   */
  Trail(RunRows runs) {
    this.runs = runs;
  }

  /** Appends an access; a block of exits has no more than can wait. */
  void add(Access access) {
    waiting.add(access);
  }

  /** The same for one of a block of exits that none belongs to. */
  void add(Exits exits, int at, int kind) {
    waiting.add(exits, at, kind);
  }

  /** Looks at the accesses that wait. */
  void flush() {
    if (waiting.size == 0) {
      return;
    }
    if (!any) {
      any = true;
      waiting.get(0, first);
    }
    polls.add(waiting, 1);
    strings.add(waiting, 1);
    waiting.get(waiting.size - 1, last);
    waiting.size = 0;
    waiting.add(last);
  }

  /** Appends another one, which is not used again. */
  void merge(Trail later) {
    flush();
    later.flush();
    if (!later.any) {
      return;
    }
    boolean isFirst = !any;
    add(later.first);
    flush();
    polls.merge(later.polls, isFirst);
    strings.merge(later.strings, isFirst);
    waiting.size = 0;
    waiting.add(later.last);
  }

  /** Ends the runs that are open; nothing is added afterwards. */
  void finish() {
    flush();
    polls.finish();
    strings.finish();
  }

  /** One register read again and again, unchanged. */
  private final class Polls extends RunTracker {
    @Override
    void add(AccessBlock of, int start) {
      for (int i = start; i < of.size; i++) {
        long other =
            of.number[i] ^ of.number[i - 1]
                | of.index[i] ^ of.index[i - 1]
                | of.kind[i] ^ of.kind[i - 1]
                | of.kind[i] & AccessKind.WRITE;
        boolean same = (other | of.value[i] ^ of.value[i - 1]) == 0;
        if (same || !isIdle()) {
          add(same ? Relation.SAME : other == 0 ? Relation.CHANGED : Relation.NONE, of, i);
        }
      }
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
    void add(AccessBlock of, int start) {
      for (int i = start; i < of.size; i++) {
        int kind = of.kind[i];
        long other =
            kind ^ of.kind[i - 1]
                | kind & AccessKind.MSR
                | of.index[i] ^ Access.NO_INDEX
                | of.index[i - 1] ^ Access.NO_INDEX;
        long step = of.number[i] - of.number[i - 1];
        boolean again = (other | step | of.rip[i] ^ of.rip[i - 1]) == 0;
        boolean next = (other | step ^ AccessKind.size(kind)) == 0;
        if (again || next || !isIdle()) {
          add(relation(again && of.rip[i] != 0, next && step != 0), of, i);
        }
      }
    }

    private static Relation relation(boolean again, boolean next) {
      return again ? Relation.AGAIN : next ? Relation.NEXT : Relation.NONE;
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
