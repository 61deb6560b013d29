package io.trapscope.analyzer.tally;

import java.util.Arrays;
import java.util.TreeMap;

/**
 * What accesses to device registers and MSRs were good for, from their values: registers whose
 * accesses told nothing new, and runs of accesses that wait or that could be one access.
 *
 * <p>Each vCPU's accesses are looked at by themselves, in their order; other exits between two
 * accesses do not matter. An access that writes an index register and the access to its data
 * register right behind it are looked at as one, of the register that the index selects.
 */
public final class Accesses {
  /** Accesses that make a run worth telling. */
  public static final int SHORTEST_RUN = 4;

  private final Registers registers = new Registers();
  private final RunRows runs = new RunRows();
  private final TreeMap<Integer, Lane> lanes = new TreeMap<>();
  private Lane current;

  // Of the exits at hand: those that are accesses, and their kinds.
  private final int[] chosen = new int[Exits.CAPACITY];
  private final int[] kinds = new int[Exits.CAPACITY];

  /** From the third on 1 for an access that may be in one run with the access before it. */
  private final int[] near = new int[Exits.CAPACITY + 4];

  /**
   * Adds exits.
   *
   * @param sites has just counted them
   */
  void add(Exits exits, RawSites sites) {
    if (current == null || current.vcpu != exits.vcpu) {
      current = lanes.computeIfAbsent(exits.vcpu, Lane::new);
    }
    // Chosen first, without a branch that no processor can foretell.
    int count = 0;
    for (int i = 0; i < exits.size; i++) {
      int kind = sites.kinds[i];
      chosen[count] = i;
      kinds[count] = kind;
      count += (kind | -kind) >>> Integer.SIZE - 1;
    }
    findNear(exits, count);
    current.add(exits, sites, count);
  }

  /**
   * Sees which accesses are to the register of the access before them, or to the one behind it. At
   * either end of the block it could be so.
   */
  private void findNear(Exits exits, int count) {
    Arrays.fill(near, 0, 3, 1);
    for (int i = 1; i < count; i++) {
      long step = exits.number[chosen[i]] - exits.number[chosen[i - 1]];
      long far = step * (step - AccessKind.size(kinds[i]));
      long other = far | (kinds[i] ^ kinds[i - 1]) & AccessKind.LIKE;
      near[i + 2] = 1 - (int) ((other | -other) >>> Long.SIZE - 1);
    }
    Arrays.fill(near, count + 2, count + 4, 1);
  }

  /** Whether an access of the block may be in a run that is worth telling. */
  private boolean isInRun(int access) {
    int a = near[access];
    int b = near[access + 1];
    int c = near[access + 2];
    int d = near[access + 3];
    int e = near[access + 4];
    return (c & (a & b | b & d | d & e)) != 0;
  }

  /** Adds accesses that come after these. */
  void merge(Accesses later) {
    current = null;
    // An access that waits for its pair may still count here, before those that come after it.
    for (Lane lane : later.lanes.values()) {
      lanes.computeIfAbsent(lane.vcpu, Lane::new).prepare(lane);
    }
    registers.merge(later.registers);
    runs.merge(later.runs);
    for (Lane lane : later.lanes.values()) {
      lanes.get(lane.vcpu).merge(lane);
    }
  }

  /** Ends what is open; nothing is added afterwards. */
  void finish() {
    lanes.values().forEach(Lane::finish);
  }

  /** Registers, with how many of their accesses were unchanged. */
  public Registers registers() {
    return registers;
  }

  /** Runs of accesses. */
  public RunRows runs() {
    return runs;
  }

  /** The accesses of one vCPU. */
  private final class Lane {
    final int vcpu;
    private Trail trail = new Trail(runs);
    private final Access now = new Access();

    private boolean any;

    /** A write of an index register whose data register may be next. */
    private final Access index = new Access();

    private boolean hasIndex;

    /** The first access of all, where what was before it decides what it is. */
    private final Access orphan = new Access();

    private boolean hasOrphan;

    Lane(int vcpu) {
      this.vcpu = vcpu;
    }

    /** Adds those of the exits that are chosen. */
    void add(Exits exits, RawSites sites, int count) {
      for (int i = 0; i < count; i++) {
        int exit = chosen[i];
        int kind = kinds[i];
        if (hasIndex || AccessKind.isPaired(kind)) {
          trail.settle(exits);
          now.set(exits, exit, kind);
          add(now);
        } else {
          int at = register(exits, exit, kind, sites);
          registers.add(at, kind, exits.extra[exit], exits.handling[exit]);
          if (isInRun(i) || !trail.isIdle()) {
            trail.settle(exits);
            now.set(exits, exit, kind);
            trail.add(now);
          } else {
            trail.pass(exit, kind);
          }
          any = true;
        }
      }
      trail.settle(exits);
    }

    /** Where the row of an access's register begins, which its site remembers. */
    private int register(Exits exits, int exit, int kind, RawSites sites) {
      int site = sites.places[exit] + RawSites.REGISTER;
      long known = sites.rows[site];
      if ((int) (known >>> 32) != registers.generation()) {
        long at = registers.row(exits.number[exit], Access.NO_INDEX, kind, vcpu) & 0xffff_ffffL;
        known = (long) registers.generation() << 32 | at;
        sites.rows[site] = known;
      }
      return (int) known;
    }

    private void addRegister(Access access) {
      int at = registers.row(access.number, access.index, access.kind, vcpu);
      registers.add(at, access.kind, access.value, access.handling);
    }

    private void add(Access access) {
      int data = AccessKind.dataOf(access.kind);
      if (data != 0) {
        if (hasIndex && AccessKind.indexOf(index.kind) == data) {
          pair(access);
        } else if (!any) {
          orphan.set(access);
          hasOrphan = true;
        } else {
          leaveIndex();
          trail.add(access);
        }
      } else {
        leaveIndex();
        addRegister(access);
        if (AccessKind.indexOf(access.kind) != 0) {
          index.set(access);
          hasIndex = true;
        } else {
          trail.add(access);
        }
      }
      any = true;
    }

    private void pair(Access data) {
      runs.addPair(index, data);
      hasIndex = false;
      data.index = index.value & 0xffff_ffffL;
      addRegister(data);
      data.handling += index.handling;
      data.guest += index.guest;
      trail.add(data);
    }

    /** The index register was written, and something else came next. */
    private void leaveIndex() {
      if (hasIndex) {
        hasIndex = false;
        trail.add(index);
      }
    }

    /** Takes from a later part what belongs before its registers and runs. */
    void prepare(Lane later) {
      if (later.hasOrphan) {
        add(later.orphan);
      } else if (later.any) {
        leaveIndex();
      }
    }

    void merge(Lane later) {
      any |= later.any;
      trail.merge(later.trail);
      if (later.hasIndex) {
        index.set(later.index);
        hasIndex = true;
      }
    }

    void finish() {
      if (hasOrphan) {
        // Nothing was before it after all.
        hasOrphan = false;
        Trail all = new Trail(runs);
        all.add(orphan);
        all.merge(trail);
        trail = all;
      }
      leaveIndex();
      trail.finish();
    }
  }
}
