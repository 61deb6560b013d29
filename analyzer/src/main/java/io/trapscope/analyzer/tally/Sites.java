package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventType;
import java.util.ArrayList;
import java.util.List;

/**
 * The joint table of exits: a row for each site, which is a kind of access from one place in the
 * guest on one vCPU (see {@link SiteKey}), with count, sums of times, first and last time. Many
 * reports are this table, grouped.
 *
 * <p>Bounded: where there are more sites than {@link #LIMIT}, all keys become coarser by a step
 * (guest addresses by page, then not at all, and so on) and rows that are then alike are added up.
 * No exit is ever left out, and the step that is reached depends on the exits alone, not on how
 * they were divided.
 */
public final class Sites extends Rows {
  /** Most rows, but at the coarsest step. */
  static final int LIMIT = 1 << 17;

  private static final int RIP = 0;
  private static final int REGISTER = 1;
  private static final int META = 2;
  private static final int COUNT = 3;
  private static final int GUEST = 4;
  private static final int KERNEL = 5;
  private static final int LOOP = 6;
  private static final int DISPATCH = 7;
  private static final int DEVICE = 8;
  private static final int USER = 9;
  private static final int FIRST = 10;
  private static final int LAST = 11;
  private static final int CAPTURED = 12;

  /** What a step makes of keys. */
  private enum Step {
    EXACT("", -1L, -1L, -1L),
    PAGES("guest addresses are rounded to 4 KiB", ~0xfffL, -1L, -1L),
    LARGE_PAGES(
        "guest addresses are rounded to 2 MiB, MMIO addresses to 4 KiB", ~0x1f_ffffL, ~0xfffL, -1L),
    NO_RIP("guest addresses are left out, MMIO addresses rounded to 4 KiB", 0, ~0xfffL, -1L),
    NO_REGISTER("guest addresses and registers are left out", 0, 0, -1L),
    KINDS("only event, reason, direction and vCPU are told apart", 0, 0, SiteKey.COARSE);

    final String meaning;
    final long ripMask;

    /** For MMIO; other registers are kept or left out. */
    final long registerMask;

    final long metaMask;

    Step(String meaning, long ripMask, long registerMask, long metaMask) {
      this.meaning = meaning;
      this.ripMask = ripMask;
      this.registerMask = registerMask;
      this.metaMask =
          metaMask
              & (ripMask == 0 ? ~SiteKey.HAS_RIP : -1L)
              & (registerMask == 0 ? ~SiteKey.HAS_REGISTER : -1L);
    }

    long register(long register, long meta) {
      int type = (int) meta & 0xff;
      if (type == EventType.EPT_FAULT.id()) {
        return register;
      }
      return type == EventType.MMIO.id() || registerMask == 0 ? register & registerMask : register;
    }

    long meta(long meta) {
      boolean fault = ((int) meta & 0xff) == EventType.EPT_FAULT.id();
      return meta & (fault ? metaMask | SiteKey.HAS_REGISTER & meta : metaMask);
    }
  }

  private static final Step[] STEPS = Step.values();
  private static final Stage[] STAGES = Stage.values();

  private Step step = Step.EXACT;

  Sites() {
    this(LIMIT);
  }

  /** For tests: a table that becomes coarser earlier. */
  Sites(int limit) {
    super(CAPTURED + 1 - KEY, limit);
  }

  /** Adds the sums of a row of {@link RawSites}. */
  void add(long[] raw, int from, int vcpu) {
    long what = raw[from + 2];
    long number = raw[from + 1];
    long meta = SiteKey.meta(what, number, vcpu);
    long rip = (meta & SiteKey.HAS_RIP) == 0 ? 0 : raw[from];
    int at = findCoarse(rip, SiteKey.register(what, number), meta);
    rows[at + COUNT] += raw[from + RawSites.COUNT];
    int captured = 0;
    for (Stage stage : STAGES) {
      if ((what & stage.captured()) != 0) {
        rows[at + GUEST + stage.ordinal()] += raw[from + RawSites.GUEST + stage.ordinal()];
        captured |= 1 << stage.ordinal();
      }
    }
    rows[at + CAPTURED] |= captured;
    rows[at + FIRST] = Math.min(rows[at + FIRST], raw[from + RawSites.FIRST]);
    rows[at + LAST] = Math.max(rows[at + LAST], raw[from + RawSites.LAST]);
  }

  /** Adds the rows of another table. */
  void merge(Sites other) {
    while (step.compareTo(other.step) < 0) {
      coarsen();
    }
    for (int i = 0; i < other.size(); i++) {
      int from = other.at(i);
      int at =
          findCoarse(other.rows[from + RIP], other.rows[from + REGISTER], other.rows[from + META]);
      add(rows, at, other.rows, from);
    }
  }

  private static void add(long[] rows, int at, long[] from, int fromAt) {
    for (int word = COUNT; word <= USER; word++) {
      rows[at + word] += from[fromAt + word];
    }
    rows[at + CAPTURED] |= from[fromAt + CAPTURED];
    rows[at + FIRST] = Math.min(rows[at + FIRST], from[fromAt + FIRST]);
    rows[at + LAST] = Math.max(rows[at + LAST], from[fromAt + LAST]);
  }

  private int findCoarse(long rip, long register, long meta) {
    return find(rip & step.ripMask, step.register(register, meta), step.meta(meta));
  }

  @Override
  int full(long rip, long register, long meta) {
    if (step == Step.KINDS) {
      return GO_ON;
    }
    coarsen();
    return findCoarse(rip, register, meta);
  }

  @Override
  void start(int at) {
    rows[at + FIRST] = Long.MAX_VALUE;
    rows[at + LAST] = Long.MIN_VALUE;
  }

  /** Goes a step on and adds up the rows that are then alike. */
  private void coarsen() {
    final long[] old = rows;
    final int count = size();
    step = STEPS[step.ordinal() + 1];
    clear();
    for (int i = 0; i < count; i++) {
      int from = at(i);
      int at = findCoarse(old[from + RIP], old[from + REGISTER], old[from + META]);
      add(rows, at, old, from);
    }
  }

  /** What is not told apart because there were too many sites, a clause; empty where all is. */
  public String coarseness() {
    return step.meaning;
  }

  /** The rows, in no particular order. */
  public List<Site> sites() {
    List<Site> sites = new ArrayList<>(size());
    for (int i = 0; i < size(); i++) {
      int at = at(i);
      sites.add(
          new Site(
              rows[at + RIP],
              rows[at + REGISTER],
              rows[at + META],
              new Sums(
                  rows[at + COUNT],
                  rows[at + GUEST],
                  rows[at + KERNEL],
                  rows[at + LOOP],
                  rows[at + DISPATCH],
                  rows[at + DEVICE],
                  rows[at + USER],
                  rows[at + FIRST],
                  rows[at + LAST],
                  (int) rows[at + CAPTURED])));
    }
    return sites;
  }
}
