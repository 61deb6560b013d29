package io.trapscope.analyzer.tally;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;

/** The distribution of each stage's time, by vCPU and reason. */
public final class Latencies {
  private static final int STAGES = Stage.values().length;
  private static final int REASONS = 256;

  /** By vCPU; then by reason and stage, null where there is none. */
  private final TreeMap<Integer, Latency[]> byVcpu = new TreeMap<>();

  private int vcpu = -1;
  private Latency[] current;

  /** Exits until the distributions have to be folded. */
  private int left = Integer.MAX_VALUE;

  private long implausible;

  /** Adds exits. */
  void add(Exits exits) {
    if (exits.vcpu != vcpu) {
      vcpu = exits.vcpu;
      current = byVcpu.computeIfAbsent(vcpu, absent -> new Latency[REASONS * STAGES]);
    }
    left -= exits.size;
    if (left < 0) {
      left = Integer.MAX_VALUE - exits.size;
      forEach(Latency::fold);
    }
    if ((exits.common & Exits.STAGES) == Exits.STAGES) {
      addAll(exits);
    } else {
      addSome(exits);
    }
    implausible += exits.implausible;
  }

  /** Exits of which every stage was captured; which is nearly always so. */
  private void addAll(Exits exits) {
    for (int i = 0; i < exits.size; i++) {
      int place = ((int) exits.what[i] & 0xff) * STAGES;
      at(place).record(exits.guest[i]);
      at(place + 1).record(exits.loop[i]);
      at(place + 2).record(exits.dispatch[i]);
      at(place + 3).record(exits.device[i]);
    }
  }

  private void addSome(Exits exits) {
    for (int i = 0; i < exits.size; i++) {
      long what = exits.what[i];
      int place = ((int) what & 0xff) * STAGES;
      add(place, what & Exits.GUEST, exits.guest[i]);
      add(place + 1, what & Exits.LOOP, exits.loop[i]);
      add(place + 2, what & Exits.DISPATCH, exits.dispatch[i]);
      add(place + 3, what & Exits.DEVICE, exits.device[i]);
    }
  }

  private void add(int place, long captured, long nanos) {
    if (captured != 0) {
      at(place).record(nanos);
    }
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
    forEach(Latency::pack);
  }

  private void forEach(Consumer<Latency> action) {
    for (Latency[] latencies : byVcpu.values()) {
      Arrays.stream(latencies).filter(Objects::nonNull).forEach(action);
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
