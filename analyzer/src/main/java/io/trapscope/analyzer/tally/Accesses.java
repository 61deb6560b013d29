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

  /** Exits that wait for {@link #follow}: few enough for the processor's first cache. */
  static final int MOST = 64;

  private final Registers registers = new Registers();
  private final RunRows runs = new RunRows();
  private final TreeMap<Integer, Lane> lanes = new TreeMap<>();
  private Lane current;

  /** The accesses among the last exits, in their order. */
  private final Access[] waiting = new Access[MOST + 1];

  private int count;

  Accesses() {
    Arrays.setAll(waiting, absent -> new Access());
  }

  /** Where the next exit is to be taken apart, for {@link #add}. */
  Exit room() {
    return waiting[count];
  }

  /**
   * Keeps the exit in {@link #room} if it is an access.
   *
   * @param sites has just counted it
   * @param site where
   */
  void add(RawSites sites, int site) {
    Access access = waiting[count];
    int kind = sites.kind(site);
    access.kind = kind;
    access.index = Access.NO_INDEX;
    access.site = site;
    access.register = sites.register(site);
    // The next exit takes the place of what is no access: no branch that cannot be foretold.
    count += (kind | -kind) >>> Integer.SIZE - 1;
  }

  /**
   * Looks at the accesses that were added since the last time.
   *
   * @param vcpu their vCPU
   * @param sites where they were counted
   */
  void follow(int vcpu, RawSites sites) {
    if (current == null || current.vcpu != vcpu) {
      current = lanes.computeIfAbsent(vcpu, Lane::new);
    }
    Lane lane = current;
    for (int i = 0; i < count; i++) {
      waiting[i] = lane.add(waiting[i], sites);
    }
    count = 0;
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

    /** Adds an access, and returns one that is not needed any more. */
    Access add(Access access, RawSites sites) {
      if (hasIndex || AccessKind.isPaired(access.kind)) {
        add(access);
        return access;
      }
      registers.add(register(access, sites), access.kind, access.extra, access.handling);
      any = true;
      return trail.exchange(access);
    }

    /** Where the row of an access's register begins, which its site remembers. */
    private int register(Access access, RawSites sites) {
      long known = access.register;
      return (int) (known >>> 32) == registers.generation()
          ? (int) known
          : findRegister(access, sites);
    }

    private int findRegister(Access access, RawSites sites) {
      int at = registers.row(access.number, Access.NO_INDEX, access.kind, vcpu);
      sites.remember(access.site, (long) registers.generation() << 32 | at & 0xffff_ffffL);
      return at;
    }

    private void addRegister(Access access) {
      int at = registers.row(access.number, access.index, access.kind, vcpu);
      registers.add(at, access.kind, access.extra, access.handling);
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
      data.index = index.extra & 0xffff_ffffL;
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
