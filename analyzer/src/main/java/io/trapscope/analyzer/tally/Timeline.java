package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What happened when: exits and times by reason, latencies, EPT faults and idle time, by buckets of
 * time. Guest and idle time is spread over the buckets in which it passed; what an exit's handling
 * took is in the bucket of the exit.
 */
public final class Timeline {
  private static final int FAULT = EventType.EPT_FAULT.id();
  private static final int HALT = EventType.HLT.id();

  private static final long IDLE = (long) ExitShape.bit(EventType.HLT, Field.IDLE_TIME) << 32;
  private static final long GPA = (long) ExitShape.bit(EventType.EPT_FAULT, Field.GPA) << 32;
  private static final long TOUCH =
      (long) ExitShape.bit(EventType.EPT_FAULT, Field.FIRST_TOUCH) << 32;

  private final TimeAxis axis;

  /** Up to here blocks grow for a fault; 0 where RAM is known, so that they do not. */
  private final long largest;

  /** log2 of the bytes of a block of guest-physical memory. */
  private int blockShift;

  private long width;
  private Bucket[] buckets = new Bucket[16];

  /** By reason code, its place in a bucket plus one; 0 where it has none yet. */
  private final int[] places = new int[256];

  private final List<Integer> reasons = new ArrayList<>();

  /** What any exit has told: {@link Exit#what} of all. */
  private long told;

  /** Whether faults have told if they were the first of their page, and whether any has not. */
  private boolean touchesTold;

  private boolean touchesUntold;

  private Bucket current;
  private long start;

  /** What was counted in the current bucket and is not yet there. */
  private final OpenBucket open = new OpenBucket();

  Timeline(TimeAxis axis, long ramEnd) {
    this.axis = axis;
    this.largest = ramEnd > 0 ? 0 : Bucket.LARGEST;
    this.blockShift = Bucket.shift(ramEnd);
    this.width = axis.width();
  }

  /** Adds an exit. */
  void add(Exit exit) {
    told |= exit.what;
    long offset = exit.time - start;
    if (current == null || offset < exit.guest || offset >= width) {
      addAcross(exit);
    } else {
      open.add(exit);
    }
    int type = exit.type();
    if (type == FAULT) {
      fault(exit, current);
    } else if (type == HALT) {
      halt(exit);
    }
  }

  /** Adds an exit that does not lie in the current bucket with all the guest time before it. */
  private void addAcross(Exit exit) {
    long time = exit.time;
    long offset = time - start;
    if (current == null || offset < 0 || offset >= width) {
      goTo(time);
      offset = time - start;
    }
    int place = place(exit.reason());
    long guest = exit.guest;
    boolean all = guest <= offset;
    current.add(place, all ? guest : 0, exit);
    if (!all) {
      spreadGuest(place, time - guest, time);
    }
  }

  /** Puts into the current bucket what was counted there. */
  private void close() {
    if (current != null && open.isUsed()) {
      open.empty(current, this::place);
    }
  }

  private void halt(Exit exit) {
    if (isHalt(exit)) {
      long handled = exit.time + exit.handling;
      spreadIdle(handled, handled + exit.extra);
    }
  }

  /** Adds to a bucket what of an exit lies in a span of time. */
  void addBetween(Exit exit, long from, long to, Bucket into) {
    long time = exit.time;
    int place = place(exit.reason());
    long handled = time + exit.handling;
    long guest = overlap(time - exit.guest, time, from, to);
    if (time >= from && time < to) {
      into.add(place, guest, exit);
      if (exit.type() == FAULT) {
        fault(exit, into);
      }
    } else if (guest > 0) {
      into.guest(place, guest);
    }
    if (isHalt(exit)) {
      into.idle += overlap(handled, handled + exit.extra, from, to);
    }
  }

  private static long overlap(long begin, long end, long from, long to) {
    return Math.max(0, Math.min(end, to) - Math.max(begin, from));
  }

  private static boolean isHalt(Exit exit) {
    return exit.type() == HALT && (exit.what & IDLE) != 0 && Latency.isPlausible(exit.extra);
  }

  private void fault(Exit exit, Bucket into) {
    boolean tells = (exit.what & TOUCH) != 0;
    touchesTold |= tells;
    touchesUntold |= !tells;
    boolean first = tells && (exit.number & SiteKey.FIRST_TOUCH_NUMBER) != 0;
    long gpa = exit.extra;
    if (gpa >>> blockShift >= Bucket.BLOCKS
        && (exit.what & GPA) != 0
        && Long.compareUnsigned(gpa, largest) < 0) {
      growBlocks(Bucket.shift(gpa + 1));
    }
    long block = gpa >>> blockShift;
    into.fault((exit.what & GPA) != 0 && block < Bucket.BLOCKS ? (int) block : -1, first);
  }

  /** Several blocks become one, each. */
  private void growBlocks(int shift) {
    for (Bucket bucket : buckets) {
      if (bucket != null) {
        bucket.foldBlocks(shift - blockShift);
      }
    }
    blockShift = shift;
  }

  private int place(int reason) {
    if (places[reason] == 0) {
      reasons.add(reason);
      places[reason] = reasons.size();
    }
    return places[reason] - 1;
  }

  /** Makes the bucket of a time the current one; what is before the origin is in the first. */
  private void goTo(long time) {
    int index = index(time);
    close();
    current = bucket(index);
    start = axis.origin() + index * width;
  }

  private int index(long time) {
    long offset = Math.max(0, time - axis.origin());
    while (offset / width >= axis.most()) {
      coarsen();
    }
    return (int) (offset / width);
  }

  private Bucket bucket(int index) {
    if (index >= buckets.length) {
      buckets = Arrays.copyOf(buckets, Math.min(axis.most(), 2 * Math.max(index, buckets.length)));
    }
    if (buckets[index] == null) {
      buckets[index] = new Bucket();
    }
    return buckets[index];
  }

  /** Ten buckets become one. */
  private void coarsen() {
    close();
    Bucket[] fine = buckets;
    buckets = new Bucket[fine.length / 10 + 1];
    for (int i = 0; i < fine.length; i++) {
      if (fine[i] != null) {
        bucket(i / 10).add(fine[i], null);
      }
    }
    width *= 10;
    current = null;
  }

  /** Adds the guest time between two times to the buckets in which it passed. */
  private void spreadGuest(int place, long from, long to) {
    int last = index(to);
    int first = index(Math.max(from, axis.origin()));
    for (int i = first; i <= last; i++) {
      bucket(i).guest(place, overlapOf(i, from, to));
    }
    goTo(to);
  }

  private void spreadIdle(long from, long to) {
    if (current != null && from >= start && to - start < width) {
      current.idle += to - from;
      return;
    }
    int last = index(to);
    for (int i = index(from); i <= last; i++) {
      bucket(i).idle += overlapOf(i, from, to);
    }
    goTo(from);
  }

  private long overlapOf(int index, long from, long to) {
    long begin = axis.origin() + index * width;
    // What was before the origin counts as if it had been in the first bucket.
    return Math.min(to, begin + width) - (index == 0 ? from : Math.max(from, begin));
  }

  /** Ends counting; more can be merged in. */
  void flush() {
    close();
    current = null;
  }

  void merge(Timeline later) {
    while (width < later.width) {
      coarsen();
    }
    while (later.width < width) {
      later.coarsen();
    }
    if (blockShift < later.blockShift) {
      growBlocks(later.blockShift);
    } else {
      later.growBlocks(blockShift);
    }
    told |= later.told;
    touchesTold |= later.touchesTold;
    touchesUntold |= later.touchesUntold;
    int[] map = later.reasons.stream().mapToInt(this::place).toArray();
    for (int i = 0; i < later.buckets.length; i++) {
      if (later.buckets[i] != null) {
        bucket(i).add(later.buckets[i], map);
      }
    }
    current = null;
  }

  /** Whether guest time is told: by any exit, if there is one. */
  public boolean tellsGuest() {
    return told == 0 || (told & Exit.GUEST) != 0;
  }

  /** Whether the time of handling is told: by any exit, if there is one. */
  public boolean tellsHandling() {
    return told == 0 || (told & Exit.HANDLING) != 0;
  }

  /** Whether first touches are told: by any EPT fault, if there is one. */
  public boolean tellsTouches() {
    return touchesTold || !touchesUntold;
  }

  /** Where the first bucket begins, on the trace's clock. */
  public long origin() {
    return axis.origin();
  }

  /** ns of a bucket. */
  public long width() {
    return width;
  }

  /** ns of a bucket that were wanted. */
  public long wantedWidth() {
    return axis.width();
  }

  /** Whether somebody has asked for that width. */
  public boolean isAsked() {
    return axis.most() == TimeAxis.MOST_ASKED;
  }

  /** log2 of the bytes of a block of {@link Bucket#faults}. */
  public int blockShift() {
    return blockShift;
  }

  /** Reasons of exits; a bucket's numbers are in this order. */
  public List<Integer> reasons() {
    return List.copyOf(reasons);
  }

  /** The buckets up to the last one that has anything; null where a bucket has nothing. */
  public List<Bucket> buckets() {
    int used = buckets.length;
    while (used > 0 && buckets[used - 1] == null) {
      used--;
    }
    return Arrays.asList(Arrays.copyOf(buckets, used));
  }
}
