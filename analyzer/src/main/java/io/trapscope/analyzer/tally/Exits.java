package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventBlock;
import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.function.Predicate;

/**
 * Some exits in a row, taken apart once for everything that counts them: a column of numbers for
 * each thing that is asked of an exit. Reused; nothing is allocated an exit.
 *
 * <p>Design note. An event is not handed from one who counts to the next: each goes over a block of
 * exits in a short loop of its own, and so does taking them apart. A processor works on many rounds
 * of such a loop at once. Numbers are taken as they lie in the records, several fields a word;
 * {@link SiteKey} gives them sense when a table is made of them.
 */
final class Exits {
  /** Exits of a block; its columns fit the processor's first cache. */
  static final int CAPACITY = EventBlock.CAPACITY;

  private static final EventLayout ANY = EventLayout.of(EventType.PIO);
  private static final int GUEST_AT = ANY.offset(Field.GUEST_TIME);
  private static final int RIP_AT = ANY.offset(Field.RIP);
  private static final int TIME_AT = ANY.offset(Field.TIME);

  /** Loop time and, in the upper half, dispatch time. */
  private static final int LOOP_AT = ANY.offset(Field.LOOP_TIME);

  /** Device time; then a byte each: reason, KVM exit, mode and CPL, and the first of details. */
  private static final int DEVICE_AT = ANY.offset(Field.DEVICE_TIME);

  // Presence bits of the stages, as they are in the upper half of what.
  static final long GUEST = bit(Field.GUEST_TIME);
  static final long LOOP = bit(Field.LOOP_TIME);
  static final long DISPATCH = bit(Field.DISPATCH_TIME);
  static final long DEVICE = bit(Field.DEVICE_TIME);
  static final long RIP = bit(Field.RIP);
  static final long STAGES = GUEST | LOOP | DISPATCH | DEVICE;

  private static final long U32 = 0xffff_ffffL;

  /** Number of exits. */
  int size;

  /** Events of the block that are no exits: how many, and which. */
  int others;

  final int[] other = new int[CAPACITY];

  /** The vCPU of all exits. */
  int vcpu;

  /** When the first guest time before any of them began, and the last exit came. */
  long earliest;

  long latest;

  /** What was captured of every one of them, as in the upper half of what. */
  long common;

  /** Time of the exit on the trace's clock, ns. */
  final long[] time = new long[CAPACITY];

  /** Guest RIP. */
  final long[] rip = new long[CAPACITY];

  /**
   * What the exit was about: port, GPA, MSR, CPUID leaf with the subleaf in the upper half,
   * hypercall; of an EPT fault EPT page, first touch and region, with the access in the upper half;
   * of a control register the type of access.
   */
  final long[] number = new long[CAPACITY];

  /**
   * A byte each: reason, type, mode and CPL, first of details (direction and size; page size of the
   * guest; control register; vector); in the upper half which fields were captured.
   */
  final long[] what = new long[CAPACITY];

  // Times of the stages in ns; 0 where not captured.
  final long[] guest = new long[CAPACITY];
  final long[] loop = new long[CAPACITY];
  final long[] dispatch = new long[CAPACITY];
  final long[] device = new long[CAPACITY];

  /** Loop, dispatch and device time, ns; 0 where none was captured. */
  final long[] handling = new long[CAPACITY];

  /** Value of an access; idle time of HLT, ns; GPA of an EPT fault. */
  final long[] extra = new long[CAPACITY];

  /** How many exits had a guest time that is none; see {@link Latency#LIMIT}. */
  int implausible;

  /** Where each exit's record begins, and its type. */
  private final int[] from = new int[CAPACITY];

  private final int[] type = new int[CAPACITY];

  private static long bit(Field field) {
    return 1L << 32 + ANY.presenceBit(field);
  }

  /**
   * Takes the exits of a block apart.
   *
   * @param where which of them count; null for all
   */
  void read(EventBlock block, Predicate<EventReader> where) {
    choose(block, where);
    vcpu = block.vcpu();
    implausible = 0;
    if (!Latency.isPlausible(readStages(block))) {
      leaveOutImplausible();
    }
    readNumbers(block);
  }

  private void choose(EventBlock block, Predicate<EventReader> where) {
    long all = -1;
    int chosen = 0;
    others = 0;
    for (int i = 0; i < block.size(); i++) {
      int id = block.typeId(i);
      int captured = block.captured(i);
      from[chosen] = block.offset(i);
      type[chosen] = id;
      if ((captured & ExitShape.IS_EXIT[id]) == 0) {
        other[others++] = i;
      } else if (where == null || where.test(block.event(i))) {
        captured &= ExitShape.RELEVANT[id];
        all &= captured;
        what[chosen++] = (long) captured << 32;
      }
    }
    size = chosen;
    common = all << 32;
  }

  /** Returns a number that is no plausible duration if any guest time is none. */
  private long readStages(EventBlock block) {
    long base = block.baseTime();
    long any = 0;
    long first = Long.MAX_VALUE;
    long last = Long.MIN_VALUE;
    for (int i = 0; i < size; i++) {
      int at = from[i];
      long nanos = block.u64(at + GUEST_AT);
      any |= nanos;
      guest[i] = nanos;
      rip[i] = block.u64(at + RIP_AT);
      long now = base + (block.i32(at + TIME_AT) & U32);
      time[i] = now;
      first = Math.min(first, now - nanos);
      last = Math.max(last, now);
      long word = block.u64(at + LOOP_AT);
      loop[i] = word & U32;
      dispatch[i] = word >>> 32;
    }
    earliest = first;
    latest = last;
    return any;
  }

  private void readNumbers(EventBlock block) {
    final long[] table = ExitShape.TABLE;
    for (int i = 0; i < size; i++) {
      int at = from[i];
      int id = type[i];
      int shape = id << ExitShape.WORDS & ExitShape.MASK;
      long offsets = table[shape | ExitShape.OFFSETS];
      long first = block.u64(at + ((int) offsets & 0xffff));
      long upper = block.u64(at + ((int) offsets >>> 16)) & table[shape | ExitShape.UPPER_MASK];
      number[i] = first & table[shape | ExitShape.NUMBER_MASK] | upper << 32;
      extra[i] = block.u64(at + (int) (offsets >>> 32));
      boolean one =
          (first & table[shape | ExitShape.COUNT_MASK]) == table[shape | ExitShape.COUNT_ONE];
      long several = one ? 0 : table[shape | ExitShape.COUNT_BIT];
      long word = block.u64(at + DEVICE_AT);
      long inDevice = word & U32;
      device[i] = inDevice;
      handling[i] = loop[i] + dispatch[i] + inDevice;
      what[i] = what[i] & ~several | word >>> 32 & 0xffff_00ffL | (long) id << 8;
    }
  }

  private void leaveOutImplausible() {
    earliest = Long.MIN_VALUE;
    for (int i = 0; i < size; i++) {
      if (!Latency.isPlausible(guest[i])) {
        implausible += (what[i] & GUEST) == 0 ? 0 : 1;
        guest[i] = 0;
        what[i] &= ~GUEST;
        common &= ~GUEST;
      }
    }
  }
}
