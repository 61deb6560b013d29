package io.trapscope.analyzer.tally;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/** The distribution of each stage's time, by vCPU and reason. */
public final class Latencies {
  private static final int STAGES = Stage.values().length;
  private static final int REASONS = 256;

  /** By vCPU; then by reason and stage, null where there is none. */
  private final TreeMap<Integer, Latency[]> byVcpu = new TreeMap<>();

  // Of the block at hand: the reasons that it has, the exits in the order of reasons, and where
  // each reason's end; room for some of one reason's exits.
  private int reasons;
  private final int[] present = new int[REASONS];
  private final int[] ends = new int[REASONS];
  private final int[] order = new int[Exits.CAPACITY];
  private final int[] some = new int[Exits.CAPACITY];

  private int vcpu = -1;
  private Latency[] current;
  private long implausible;

  /** Adds exits. */
  void add(Exits exits) {
    if (exits.vcpu != vcpu) {
      vcpu = exits.vcpu;
      current = byVcpu.computeIfAbsent(vcpu, absent -> new Latency[REASONS * STAGES]);
    }
    sort(exits);
    add(exits, Stage.GUEST, exits.guest);
    add(exits, Stage.LOOP, exits.loop);
    add(exits, Stage.DISPATCH, exits.dispatch);
    add(exits, Stage.DEVICE, exits.device);
    implausible += exits.implausible;
  }

  /**
   * Puts the exits of a block in the order of their reasons, so that each distribution takes a run
   * of values in a loop of its own.
   */
  private void sort(Exits exits) {
    Arrays.fill(ends, 0);
    for (int i = 0; i < exits.size; i++) {
      ends[(int) exits.what[i] & 0xff]++;
    }
    int start = 0;
    reasons = 0;
    for (int reason = 0; reason < REASONS; reason++) {
      int count = ends[reason];
      if (count != 0) {
        present[reasons++] = reason;
        ends[reason] = start; // becomes the end while the reason's exits are put there
        start += count;
      }
    }
    for (int i = 0; i < exits.size; i++) {
      order[ends[(int) exits.what[i] & 0xff]++] = i;
    }
  }

  private void add(Exits exits, Stage stage, long[] nanos) {
    boolean all = (exits.common & stage.captured()) != 0;
    int start = 0;
    for (int i = 0; i < reasons; i++) {
      int reason = present[i];
      int end = ends[reason];
      int place = reason * STAGES + stage.ordinal();
      if (all) {
        at(place).record(nanos, order, start, end);
      } else {
        int captured = captured(exits, stage, start, end);
        if (captured > 0) {
          at(place).record(nanos, some, 0, captured);
        }
      }
      start = end;
    }
  }

  /** Of a run of exits those that have the stage: into {@link #some}; returns how many. */
  private int captured(Exits exits, Stage stage, int start, int end) {
    int count = 0;
    for (int i = start; i < end; i++) {
      int exit = order[i];
      some[count] = exit;
      count += (exits.what[exit] & stage.captured()) != 0 ? 1 : 0;
    }
    return count;
  }

  private Latency at(int place) {
    Latency latency = current[place];
    if (latency == null) {
      latency = new Latency();
      current[place] = latency;
    }
    return latency;
  }

  /** Gives back room that is not needed for merging. */
  void pack() {
    vcpu = -1;
    for (Latency[] latencies : byVcpu.values()) {
      for (Latency latency : latencies) {
        if (latency != null) {
          latency.pack();
        }
      }
    }
  }

  void merge(Latencies other) {
    vcpu = -1;
    other.byVcpu.forEach(
        (key, theirs) -> {
          Latency[] mine = byVcpu.putIfAbsent(key, theirs);
          for (int i = 0; mine != null && i < mine.length; i++) {
            if (theirs[i] != null) {
              if (mine[i] == null) {
                mine[i] = new Latency();
              }
              mine[i].merge(theirs[i]);
            }
          }
        });
    implausible += other.implausible;
  }

  /**
   * The stages of the exits of one reason on one vCPU.
   *
   * @param stages by {@link Stage}; null where no exit had it
   */
  public record Entry(int vcpu, int reason, Latency[] stages) {
    /** Time of all stages, ns. */
    public long time() {
      long sum = 0;
      for (Latency stage : stages) {
        sum += stage == null ? 0 : stage.total();
      }
      return sum;
    }
  }

  /** What there is, by vCPU, then by reason. */
  public List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    byVcpu.forEach(
        (key, latencies) -> {
          for (int reason = 0; reason < REASONS; reason++) {
            Latency[] stages = new Latency[STAGES];
            boolean any = false;
            for (int i = 0; i < STAGES; i++) {
              stages[i] = latencies[reason * STAGES + i];
              any |= stages[i] != null;
            }
            if (any) {
              entries.add(new Entry(key, reason, stages));
            }
          }
        });
    return entries;
  }

  /** The same with all vCPUs added up, under vCPU 0. */
  public List<Entry> overVcpus() {
    Latencies sum = new Latencies();
    Latency[] all = new Latency[REASONS * STAGES];
    sum.byVcpu.put(0, all);
    for (Latency[] latencies : byVcpu.values()) {
      for (int i = 0; i < all.length; i++) {
        if (latencies[i] != null) {
          if (all[i] == null) {
            all[i] = new Latency();
          }
          all[i].merge(latencies[i]);
        }
      }
    }
    return sum.entries();
  }

  /** Guest times that are none: counted, not recorded. */
  public long implausible() {
    return implausible;
  }
}
