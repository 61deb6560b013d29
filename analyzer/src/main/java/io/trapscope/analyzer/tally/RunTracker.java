package io.trapscope.analyzer.tally;

import io.trapscope.analyzer.tally.Run.Relation;

/**
 * Finds runs of one kind in a {@link Trail} of accesses. A run is as long as it can be, and where
 * it begins and ends follows from neighbours alone; so the runs of two parts of a trail are those
 * of the whole but for the one that lies across the border, which {@link #merge} puts together.
 */
abstract class RunTracker {
  /** The relation of the first two accesses; null while there are no two. */
  private Relation firstRelation;

  /** The run at the very beginning, once it has ended: another part may go before it. */
  private Run head;

  /** The run that goes on; null where the last access is in none. */
  private Run tail;

  /** A run that is free to be used again. */
  private Run spare = new Run();

  /** Whether an access that no run begins with can be passed over. */
  final boolean isIdle() {
    return tail == null && firstRelation != null;
  }

  /** How {@code next} continues {@code before}. */
  abstract Relation relation(Access before, Access next);

  /** Is told of every run when it has ended; keeps nothing of it. */
  abstract void found(Run run);

  /** Appends an access to the one before it. */
  final void add(Access before, Access access) {
    Relation relation = relation(before, access);
    boolean first = firstRelation == null;
    if (tail == null ? relation.makesRun : tail.relation != relation) {
      end(relation);
      if (relation.makesRun) {
        begin(relation, before, first);
      }
    }
    if (tail != null) {
      tail.add(access);
    }
    if (first) {
      firstRelation = relation;
    }
  }

  private void begin(Relation relation, Access from, boolean atStart) {
    tail = spare == null ? new Run() : spare;
    tail.begin(relation, from, atStart);
    spare = null;
  }

  private void end(Relation by) {
    if (tail != null) {
      tail.endedBy = by;
      if (tail.atStart) {
        head = tail;
      } else {
        found(tail);
        spare = tail;
      }
      tail = null;
    }
  }

  /**
   * Appends another part, which is not used again.
   *
   * @param isFirst whether there was no access before it; else its first one was added here already
   */
  final void merge(RunTracker later, boolean isFirst) {
    if (isFirst) {
      head = later.head;
      tail = later.tail;
      firstRelation = later.firstRelation;
      return;
    }
    if (later.firstRelation == null) {
      return;
    }
    Run begun = later.head != null ? later.head : later.tail;
    boolean joins = begun != null && begun.atStart;
    if (joins && tail != null && tail.relation == begun.relation) {
      tail.add(begun);
    } else {
      end(later.firstRelation);
      tail = joins ? begun : null;
      if (tail != null) {
        tail.atStart = false;
      }
    }
    if (!joins || begun != later.tail) {
      if (tail != null) {
        end(begun.endedBy);
      }
      tail = later.tail;
    }
  }

  /** Ends the runs that are open; nothing is added afterwards. */
  final void finish() {
    if (head != null) {
      found(head);
      head = null;
    }
    if (tail != null) {
      tail.endedBy = Relation.NONE;
      found(tail);
      tail = null;
    }
  }
}
