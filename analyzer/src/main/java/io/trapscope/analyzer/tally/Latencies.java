package io.trapscope.analyzer.tally;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** The distribution of each stage's time, by vCPU and reason. */
public final class Latencies {
  private static final int STAGES = Stage.values().length;
  private static final int REASONS = LatencyCells.REASONS;

  /** By vCPU; then by reason and stage, null where there is none. */
  private final TreeMap<Integer, Latency[]> byVcpu = new TreeMap<>();

  /** What was not yet emptied into these, all of one vCPU. */
  private final LatencyCells cells = new LatencyCells();

  private int vcpu = -1;

  private long implausible;

  /** Makes ready for so many exits of a vCPU. */
  void expect(int of, int count) {
    if (of != vcpu || !cells.reserve(count)) {
      flush();
      vcpu = of;
      cells.reserve(count);
    }
  }

  /** Adds an exit, which was expected. */
  void add(Exit exit) {
    cells.add(exit);
  }

  /** Counts times that are none. */
  void addImplausible(int times) {
    implausible += times;
  }

  /** Ends counting; more can be merged in. */
  void flush() {
    if (vcpu >= 0) {
      cells.empty(byVcpu.computeIfAbsent(vcpu, absent -> new Latency[LatencyCells.PLACES]));
      vcpu = -1;
    }
  }

  void merge(Latencies other) {
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
    Latency[] all = new Latency[LatencyCells.PLACES];
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

  /** Times that are none: counted, not recorded. */
  public long implausible() {
    return implausible;
  }
}
