package io.trapscope.analyzer.tally;

import java.util.Arrays;

/** Durations on one vCPU while events go by, by reason and stage. Emptied into {@link Latency}. */
final class LatencyCells {
  static final int REASONS = 256;
  private static final int STAGES = Stage.values().length;
  private static final int GUEST = Stage.GUEST.ordinal();
  private static final int KERNEL = Stage.KERNEL.ordinal();
  private static final int LOOP = Stage.LOOP.ordinal();
  private static final int DISPATCH = Stage.DISPATCH.ordinal();
  private static final int DEVICE = Stage.DEVICE.ordinal();
  private static final int USER = Stage.USER.ordinal();

  /** Reasons, each with all stages. */
  static final int PLACES = REASONS * STAGES;

  private static final int[] NONE = new int[0];

  // Words of a place's sums; the shortest and the longest duration, and all together.
  private static final int WORDS = 4;
  private static final int LOW = 0;
  private static final int HIGH = 1;
  private static final int TOTAL = 2;

  // By reason and, within it, by stage.

  /** By cell, up to that of the longest duration. */
  private final int[][] cells = new int[PLACES][];

  private final long[] sums = new long[PLACES * WORDS];

  /** Durations of a stage until a cell might overflow. */
  private int room;

  LatencyCells() {
    clear();
  }

  private void clear() {
    Arrays.fill(cells, NONE);
    for (int at = 0; at < sums.length; at += WORDS) {
      sums[at + LOW] = Long.MAX_VALUE;
      sums[at + HIGH] = Long.MIN_VALUE;
      sums[at + TOTAL] = 0;
    }
    room = Integer.MAX_VALUE;
  }

  /** Makes sure that so many more exits can be taken; false where this has to be emptied before. */
  boolean reserve(int count) {
    if (count > room) {
      return false;
    }
    room -= count;
    return true;
  }

  /** Takes the stages of an exit that were captured. */
  void add(Exit exit) {
    int place = exit.reason() * STAGES;
    if ((exit.what & Exit.STAGES) == Exit.USUAL_STAGES && addUsual(exit, place)) {
      return;
    }
    addCaptured(exit, place);
  }

  /** Takes the usual stages of an exit, if there is a cell for each. */
  private boolean addUsual(Exit exit, int place) {
    int[] guest = cells[place + GUEST];
    int[] loop = cells[place + LOOP];
    int[] dispatch = cells[place + DISPATCH];
    int[] device = cells[place + DEVICE];
    int inGuest = Latency.SCALE.cell(exit.guest);
    int inLoop = Latency.SCALE.cell(exit.loop);
    int inDispatch = Latency.SCALE.cell(exit.dispatch);
    int inDevice = Latency.SCALE.cell(exit.device);
    if (inGuest >= guest.length
        || inLoop >= loop.length
        || inDispatch >= dispatch.length
        || inDevice >= device.length) {
      return false;
    }
    guest[inGuest]++;
    loop[inLoop]++;
    dispatch[inDispatch]++;
    device[inDevice]++;
    sum(sums, (place + GUEST) * WORDS, exit.guest);
    sum(sums, (place + LOOP) * WORDS, exit.loop);
    sum(sums, (place + DISPATCH) * WORDS, exit.dispatch);
    sum(sums, (place + DEVICE) * WORDS, exit.device);
    return true;
  }

  private static void sum(long[] sums, int at, long nanos) {
    sums[at + TOTAL] += nanos;
    if (nanos < sums[at + LOW]) {
      sums[at + LOW] = nanos;
    }
    if (nanos > sums[at + HIGH]) {
      sums[at + HIGH] = nanos;
    }
  }

  private void addCaptured(Exit exit, int place) {
    if ((exit.what & Exit.GUEST) != 0) {
      add(place + GUEST, exit.guest);
    }
    if ((exit.what & Exit.KERNEL) != 0) {
      add(place + KERNEL, exit.kernel);
    }
    if ((exit.what & Exit.LOOP) != 0) {
      add(place + LOOP, exit.loop);
    }
    if ((exit.what & Exit.DISPATCH) != 0) {
      add(place + DISPATCH, exit.dispatch);
    }
    if ((exit.what & Exit.DEVICE) != 0) {
      add(place + DEVICE, exit.device);
    }
    if ((exit.what & Exit.USER) != 0) {
      add(place + USER, exit.user);
    }
  }

  private void add(int place, long nanos) {
    int cell = Latency.SCALE.cell(nanos);
    if (cell >= cells[place].length) {
      cells[place] = Arrays.copyOf(cells[place], Latency.SCALE.upTo(cell));
    }
    cells[place][cell]++;
    sum(sums, place * WORDS, nanos);
  }

  /**
   * Adds what was taken to distributions and begins anew.
   *
   * @param into by reason and stage; null where there is none yet
   */
  void empty(Latency[] into) {
    for (int place = 0; place < PLACES; place++) {
      if (cells[place].length > 0) {
        into[place] = into[place] == null ? new Latency() : into[place];
        int at = place * WORDS;
        into[place].add(cells[place], sums[at + TOTAL], sums[at + LOW], sums[at + HIGH]);
      }
    }
    clear();
  }
}
