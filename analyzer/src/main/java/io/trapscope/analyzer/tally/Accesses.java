package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
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

  /** By type id: what has to be captured of an access, as presence bits; all bits elsewhere. */
  private static final long[] NEEDED = new long[256];

  static {
    for (int id = 0; id < NEEDED.length; id++) {
      NEEDED[id] = -1;
    }
    NEEDED[EventType.PIO.id()] = needed(EventType.PIO, Field.PORT, Field.SIZE);
    NEEDED[EventType.MMIO.id()] = needed(EventType.MMIO, Field.GPA, Field.SIZE);
    NEEDED[EventType.MSR.id()] = needed(EventType.MSR, Field.MSR, Field.VALUE);
  }

  private static long needed(EventType type, Field number, Field size) {
    return ExitShape.bit(type, number)
        | ExitShape.bit(type, size)
        | ExitShape.bit(type, Field.DIRECTION)
        | ExitShape.bit(type, Field.VALUE);
  }

  private final Registers registers = new Registers();
  private final RunRows runs = new RunRows();
  private final TreeMap<Integer, Lane> lanes = new TreeMap<>();
  private Lane current;
  private final Access now = new Access();
  private final int[] chosen = new int[Exits.CAPACITY];

  /** Adds exits. */
  void add(Exits exits) {
    if (current == null || current.vcpu != exits.vcpu) {
      current = lanes.computeIfAbsent(exits.vcpu, Lane::new);
    }
    // Chosen first, without a branch that no processor can foretell.
    int count = 0;
    for (int i = 0; i < exits.size; i++) {
      long needed = NEEDED[(int) (exits.what[i] >>> 8) & 0xff];
      chosen[count] = i;
      count += (exits.what[i] >>> 32 & needed) == needed ? 1 : 0;
    }
    for (int i = 0; i < count; i++) {
      now.set(exits, chosen[i]);
      current.add(now);
    }
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

    void add(Access access) {
      int data = IndexPairs.dataOf(access);
      if (data != 0) {
        if (hasIndex && IndexPairs.indexOf(index) == data) {
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
        registers.add(access, vcpu);
        if (IndexPairs.indexOf(access) != 0) {
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
      registers.add(data, vcpu);
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
