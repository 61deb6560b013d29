package io.trapscope.analyzer.tally;

import java.util.Arrays;

/** What happened in a stretch of time. */
public final class Bucket {
  /** Blocks of guest-physical memory that are told apart. */
  public static final int BLOCKS = 128;

  /** First guest-physical address behind all that today's processors have. */
  public static final long LARGEST = 1L << 52;

  /** Latencies are kept to one part in 32. */
  static final Scale SCALE = new Scale(6);

  /** {@link #longest} where no time of handling was captured. */
  static final long NEVER = -1;

  private static final int NUMBERS = 3;
  private static final long[] NONE = new long[0];

  /** For each reason: count, guest time, handling time. */
  private long[] byReason = NONE;

  /** Handling times by cell. */
  private int[] latencies = new int[0];

  private long longest = NEVER;

  /** Time halted, ns. */
  long idle;

  private long faults;
  private long touches;

  /** For each block of memory: EPT faults, and first touches among them. */
  private int[] byBlock;

  /** log2 of the bytes of a block, so that all blocks reach up to this address. */
  public static int shift(long end) {
    long block = Math.max(1, (end - 1) / BLOCKS);
    return Math.max(12, Long.SIZE - Long.numberOfLeadingZeros(block));
  }

  /** Adds an exit, and so much of the guest time before it. */
  void add(int place, long guest, Exit exit) {
    long handling = exit.handling;
    add(place, 1, guest, handling);
    if (exit.isHandlingTold()) {
      int cell = SCALE.cell(handling);
      if (cell >= latencies.length) {
        latencies = Arrays.copyOf(latencies, SCALE.upTo(cell));
      }
      latencies[cell]++;
      longest = Math.max(longest, handling);
    }
  }

  /** Adds sums of exits; their handling times come in {@link #addLatencies}. */
  void add(int place, long count, long guest, long handling) {
    int at = room(place);
    byReason[at] += count;
    byReason[at + 1] += guest;
    byReason[at + 2] += handling;
  }

  /** Adds handling times by cell, the first {@code used} ones. */
  void addLatencies(int[] cells, int used, long most) {
    if (latencies.length < used) {
      latencies = Arrays.copyOf(latencies, SCALE.upTo(used - 1));
    }
    for (int i = 0; i < used; i++) {
      latencies[i] += cells[i];
    }
    longest = Math.max(longest, most);
  }

  void guest(int place, long nanos) {
    int at = room(place);
    byReason[at + 1] += nanos;
  }

  private int room(int place) {
    int at = place * NUMBERS;
    if (at >= byReason.length) {
      byReason = Arrays.copyOf(byReason, at + NUMBERS);
    }
    return at;
  }

  /** Counts an EPT fault; the block is -1 where it is not known. */
  void fault(int block, boolean first) {
    faults++;
    touches += first ? 1 : 0;
    if (block >= 0) {
      if (byBlock == null) {
        byBlock = new int[2 * BLOCKS];
      }
      byBlock[2 * block]++;
      byBlock[2 * block + 1] += first ? 1 : 0;
    }
  }

  /** Makes one block of each 2^{@code shift}. */
  void foldBlocks(int shift) {
    if (byBlock == null || shift == 0) {
      return;
    }
    int[] folded = new int[2 * BLOCKS];
    for (int i = 0; i < byBlock.length; i++) {
      folded[i >> 1 >> shift << 1 | i & 1] += byBlock[i];
    }
    byBlock = folded;
  }

  /**
   * Adds another bucket.
   *
   * @param map for each of its reasons the place here; null where places are the same
   */
  void add(Bucket other, int[] map) {
    for (int at = 0; at < other.byReason.length; at++) {
      int place = map == null ? at / NUMBERS : map[at / NUMBERS];
      int to = room(place) + at % NUMBERS;
      byReason[to] += other.byReason[at];
    }
    if (other.latencies.length > 0) {
      addLatencies(other.latencies, other.latencies.length, other.longest);
    }
    idle += other.idle;
    faults += other.faults;
    touches += other.touches;
    if (other.byBlock != null) {
      byBlock = byBlock == null ? new int[2 * BLOCKS] : byBlock;
      for (int i = 0; i < byBlock.length; i++) {
        byBlock[i] += other.byBlock[i];
      }
    }
  }

  private long number(int place, int which) {
    int at = place * NUMBERS + which;
    return at < byReason.length ? byReason[at] : 0;
  }

  private long sum(int which) {
    long sum = 0;
    for (int at = which; at < byReason.length; at += NUMBERS) {
      sum += byReason[at];
    }
    return sum;
  }

  /** Exits of the reason at this place of {@link Timeline#reasons}. */
  public long count(int place) {
    return number(place, 0);
  }

  /** Guest time before these exits, as far as it passed here, ns. */
  public long guest(int place) {
    return number(place, 1);
  }

  /** Time of handling these exits, ns. */
  public long handling(int place) {
    return number(place, 2);
  }

  /** All exits. */
  public long count() {
    return sum(0);
  }

  /** Guest time before all exits, as far as it passed here, ns. */
  public long guest() {
    return sum(1);
  }

  /** Time of handling all exits, ns. */
  public long handling() {
    return sum(2);
  }

  /** Time halted, ns. */
  public long idle() {
    return idle;
  }

  /** EPT faults. */
  public long faults() {
    return faults;
  }

  /** EPT faults on pages that nothing had touched before. */
  public long touches() {
    return touches;
  }

  /** EPT faults in a block of guest-physical memory. */
  public long faults(int block) {
    return byBlock == null ? 0 : byBlock[2 * block];
  }

  /** First touches among them. */
  public long touches(int block) {
    return byBlock == null ? 0 : byBlock[2 * block + 1];
  }

  /** Whether the time of handling any exit was captured. */
  public boolean isHandlingTold() {
    return longest != NEVER;
  }

  /** The longest handling of an exit, ns; only where {@link #isHandlingTold}. */
  public long longest() {
    return longest;
  }

  /**
   * The handling time that so many per cent of the exits did not exceed, ns: never below the exact
   * one, and at most one part in 32 above it. Only where {@link #isHandlingTold}.
   */
  public long percentile(double percent) {
    long all = Arrays.stream(latencies).asLongStream().sum();
    long wanted = Math.max(1, (long) Math.ceil(percent / 100 * all));
    long passed = 0;
    for (int cell = 0; cell < latencies.length; cell++) {
      passed += latencies[cell];
      if (passed >= wanted) {
        return Math.min(longest, SCALE.highest(cell));
      }
    }
    return 0;
  }

  /** These and those, as a bucket of its own; both of the same timeline. */
  public Bucket plus(Bucket other) {
    Bucket sum = new Bucket();
    sum.add(this, null);
    if (other != null) {
      sum.add(other, null);
    }
    return sum;
  }
}
