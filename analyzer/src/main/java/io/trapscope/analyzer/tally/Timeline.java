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

  /** 1 for the types of which there is more to count: added, not asked in a branch. */
  private static final int[] IS_MORE = new int[256];

  static {
    IS_MORE[FAULT] = 1;
    IS_MORE[HALT] = 1;
  }

  private static final long IDLE = (long) ExitShape.bit(EventType.HLT, Field.IDLE_TIME) << 32;
  private static final long GPA = (long) ExitShape.bit(EventType.EPT_FAULT, Field.GPA) << 32;
  private static final long TOUCH =
      (long) ExitShape.bit(EventType.EPT_FAULT, Field.FIRST_TOUCH) << 32;

  private final TimeAxis axis;

  /** log2 of the bytes of a block of guest-physical memory. */
  private final int blockShift;

  private long width;
  private Bucket[] buckets = new Bucket[16];

  /** By reason code, its place in a bucket plus one; 0 where it has none yet. */
  private final int[] places = new int[256];

  private final List<Integer> reasons = new ArrayList<>();

  private Bucket current;
  private long start;

  /** What was counted in the current bucket and is not yet there. */
  private final OpenBucket open = new OpenBucket();

  /** Of the exits at hand: EPT faults and halts. */
  private final int[] more = new int[Exits.CAPACITY];

  Timeline(TimeAxis axis, int blockShift) {
    this.axis = axis;
    this.blockShift = blockShift;
    this.width = axis.width();
  }

  /** Adds exits. */
  void add(Exits exits) {
    boolean inside = current != null && exits.earliest >= start && exits.latest - start < width;
    if (inside) {
      addInside(exits);
      return;
    }
    for (int i = 0; i < exits.size; i++) {
      long time = exits.time[i];
      long offset = time - start;
      if (current == null || offset < 0 || offset >= width) {
        goTo(time);
        offset = time - start;
      }
      int place = place((int) exits.what[i] & 0xff);
      long guest = exits.guest[i];
      boolean all = guest <= offset;
      current.add(place, all ? guest : 0, exits.handling[i]);
      if (!all) {
        spreadGuest(place, time - guest, time);
      }
      int type = type(exits, i);
      if (type == FAULT) {
        fault(exits, i, current);
      } else if (type == HALT) {
        halt(exits, i);
      }
    }
  }

  /** Adds exits that lie in the current bucket with all the guest time before them. */
  private void addInside(Exits exits) {
    open.add(exits);
    int count = 0;
    for (int i = 0; i < exits.size; i++) {
      more[count] = i;
      count += IS_MORE[(int) (exits.what[i] >>> 8) & 0xff];
    }
    // Faults first: a halt may make another bucket the current one.
    for (int i = 0; i < count; i++) {
      if (type(exits, more[i]) == FAULT) {
        fault(exits, more[i], current);
      }
    }
    for (int i = 0; i < count; i++) {
      if (type(exits, more[i]) == HALT) {
        halt(exits, more[i]);
      }
    }
  }

  private static int type(Exits exits, int i) {
    return (int) (exits.what[i] >>> 8) & 0xff;
  }

  /** Puts into the current bucket what was counted there. */
  private void close() {
    if (current != null && open.isUsed()) {
      open.empty(current, this::place);
    }
  }

  private void halt(Exits exits, int i) {
    if (isHalt(exits, i)) {
      long handled = exits.time[i] + exits.handling[i];
      spreadIdle(handled, handled + exits.extra[i]);
    }
  }

  /** Adds to a bucket what of these exits lies in a span of time. */
  void addBetween(Exits exits, long from, long to, Bucket into) {
    for (int i = 0; i < exits.size; i++) {
      long time = exits.time[i];
      long what = exits.what[i];
      int place = place((int) what & 0xff);
      long handled = time + exits.handling[i];
      long guest = overlap(time - exits.guest[i], time, from, to);
      int type = type(exits, i);
      if (time >= from && time < to) {
        into.add(place, guest, exits.handling[i]);
        if (type == FAULT) {
          fault(exits, i, into);
        }
      } else if (guest > 0) {
        into.guest(place, guest);
      }
      if (isHalt(exits, i)) {
        into.idle += overlap(handled, handled + exits.extra[i], from, to);
      }
    }
  }

  private static long overlap(long begin, long end, long from, long to) {
    return Math.max(0, Math.min(end, to) - Math.max(begin, from));
  }

  private static boolean isHalt(Exits exits, int i) {
    long what = exits.what[i];
    return type(exits, i) == HALT && (what & IDLE) != 0 && Latency.isPlausible(exits.extra[i]);
  }

  private void fault(Exits exits, int i, Bucket into) {
    long what = exits.what[i];
    boolean first = (what & TOUCH) != 0 && (exits.number[i] & SiteKey.FIRST_TOUCH_NUMBER) != 0;
    long block = exits.extra[i] >>> blockShift;
    into.fault((what & GPA) != 0 && block < Bucket.BLOCKS ? (int) block : -1, first);
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
    int[] map = later.reasons.stream().mapToInt(this::place).toArray();
    for (int i = 0; i < later.buckets.length; i++) {
      if (later.buckets[i] != null) {
        bucket(i).add(later.buckets[i], map);
      }
    }
    current = null;
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
