package io.trapscope.vmm.cpuid;

import io.trapscope.vmm.device.InterruptFabric;
import io.trapscope.vmm.device.LocalApic;
import io.trapscope.vmm.device.Timers;
import io.trapscope.vmm.device.Tsc;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The model-specific registers that RDMSR and WRMSR exits reach (Intel SDM volume 4). Registers
 * that are processor state, such as EFER or the SYSCALL ones, belong to the back end and do not
 * come here. An access to a register that is not there is a #GP in the guest and is counted by
 * index.
 */
public final class ModelRegisters {
  static final int TSC = 0x10;
  static final int APIC_BASE = 0x1b;
  static final int SPEC_CTRL = 0x48;
  static final int PRED_CMD = 0x49;
  static final int MICROCODE_UPDATE = 0x79;
  static final int MICROCODE_REVISION = 0x8b;
  static final int FLUSH_CMD = 0x10b;
  static final int MTRR_BASE = 0x200;
  static final int MTRR_RANGES = 8;
  static final int PAT = 0x277;
  static final int MTRR_DEFAULT = 0x2ff;

  /** IA32_TSC_DEADLINE. */
  public static final int TSC_DEADLINE = 0x6e0;

  static final int X2APIC = 0x800;
  static final int TSC_AUX = 0xc000_0103;
  static final int KVM_WALL_CLOCK_OLD = 0x11;
  static final int KVM_SYSTEM_TIME_OLD = 0x12;
  static final int KVM_WALL_CLOCK = 0x4b56_4d00;
  static final int KVM_SYSTEM_TIME = 0x4b56_4d01;

  /** Fixed-range MTRRs: 64 KiB, 16 KiB, 4 KiB. */
  private static final int[] MTRR_FIXED = {
    0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f
  };

  /**
   * An interpreter does not speculate: RDCL_NO, IBRS_ALL, SKIP_L1DFL_VMENTRY, SSB_NO, MDS_NO,
   * PSCHANGE_MC_NO, TAA_NO, SBDR_SSDP_NO, FBSDP_NO, PSDP_NO, BHI_NO, PBRSB_NO, GDS_NO, RFDS_NO,
   * ITS_NO (SDM volume 4, IA32_ARCH_CAPABILITIES).
   */
  private static final long NO_SPECULATION = 0x4000_0000_0d10_e17bL;

  /** Registers with a value that cannot be changed; writes of anything are ignored or a #GP. */
  private static final Map<Integer, Long> CONSTANTS =
      Map.ofEntries(
          Map.entry(0x17, 0L), // IA32_PLATFORM_ID
          Map.entry(0x2a, 0L), // EBL_CR_POWERON
          Map.entry(0x34, 0L), // SMI_COUNT
          Map.entry(0x3a, 1L), // IA32_FEATURE_CONTROL: locked, no VMX
          Map.entry(0xfe, 0x508L), // IA32_MTRRCAP: 8 ranges, fixed ranges, write-combining
          Map.entry(0x10a, NO_SPECULATION), // IA32_ARCH_CAPABILITIES
          Map.entry(0x179, 0L)); // IA32_MCG_CAP: no banks

  /** Registers that keep what was written, with their value after firmware. */
  private static final Map<Integer, Long> STORED =
      Map.ofEntries(
          Map.entry(SPEC_CTRL, 0L),
          Map.entry(0x17a, 0L), // IA32_MCG_STATUS
          Map.entry(0x1a0, 1L), // IA32_MISC_ENABLE: fast strings
          Map.entry(0x1d9, 0L), // IA32_DEBUGCTL: nothing of it is done
          Map.entry(PAT, 0x0007_0406_0007_0406L),
          // Everything write-back: firmware's ranges for devices change nothing here.
          Map.entry(MTRR_DEFAULT, 0x806L),
          Map.entry(TSC_AUX, 0L));

  private final InterruptFabric fabric;
  private final Timers timers;
  private final Tsc tsc;
  private final KvmClock clock;
  private final Map<Integer, Long>[] stored;
  private final SortedMap<Integer, Long> unknownReads = new TreeMap<>(Integer::compareUnsigned);
  private final SortedMap<Integer, Long> unknownWrites = new TreeMap<>(Integer::compareUnsigned);

  @SuppressWarnings({"unchecked", "rawtypes"})
  public ModelRegisters(InterruptFabric fabric, Timers timers, Tsc tsc, KvmClock clock, int cpus) {
    this.fabric = fabric;
    this.timers = timers;
    this.tsc = tsc;
    this.clock = clock;
    this.stored = new Map[cpus];
    for (int i = 0; i < cpus; i++) {
      stored[i] = new HashMap<>(STORED);
      for (int range = 0; range < 2 * MTRR_RANGES; range++) {
        stored[i].put(MTRR_BASE + range, 0L);
      }
      for (int fixed : MTRR_FIXED) {
        stored[i].put(fixed, 0x0606_0606_0606_0606L);
      }
      stored[i].put(MICROCODE_REVISION, 1L << 32);
    }
  }

  /**
   * Reads register {@code index} into {@code value[0]}.
   *
   * @return false where the access is a #GP
   */
  public boolean read(int vcpu, int index, long[] value) {
    LocalApic apic = fabric.apic(vcpu);
    if (index >= X2APIC && index < X2APIC + 0x100) {
      return index < X2APIC + 0x40 && apic.readMsr(index - X2APIC, value);
    }
    Long constant = CONSTANTS.get(index);
    Long kept = constant != null ? constant : stored[vcpu].get(index);
    if (kept != null) {
      value[0] = kept;
      return true;
    }
    switch (index) {
      case TSC -> value[0] = tsc.at(timers.now());
      case APIC_BASE -> value[0] = apic.baseMsr();
      case TSC_DEADLINE -> value[0] = apic.tscDeadline();
      case KVM_WALL_CLOCK, KVM_WALL_CLOCK_OLD -> value[0] = clock.wallClock();
      case KVM_SYSTEM_TIME, KVM_SYSTEM_TIME_OLD -> value[0] = clock.systemTime(vcpu);
      default -> {
        unknownReads.merge(index, 1L, Long::sum);
        return false;
      }
    }
    return true;
  }

  /**
   * Writes register {@code index}.
   *
   * @return false where the access is a #GP
   */
  public boolean write(int vcpu, int index, long value) {
    LocalApic apic = fabric.apic(vcpu);
    if (index >= X2APIC && index < X2APIC + 0x100) {
      return index < X2APIC + 0x40 && apic.writeMsr(index - X2APIC, value);
    }
    if (stored[vcpu].containsKey(index)) {
      return store(vcpu, index, value);
    }
    switch (index) {
      case TSC -> {
        tsc.set(value, timers.now());
        clock.update();
        apic.counterMoved();
      }
      case APIC_BASE -> {
        return apic.writeBaseMsr(value);
      }
      case TSC_DEADLINE -> apic.writeTscDeadline(value);
      case PRED_CMD, FLUSH_CMD, MICROCODE_UPDATE -> {
        // Barriers, flushes and microcode updates: nothing to do.
      }
      case KVM_WALL_CLOCK, KVM_WALL_CLOCK_OLD -> {
        return clock.writeWallClock(value);
      }
      case KVM_SYSTEM_TIME, KVM_SYSTEM_TIME_OLD -> {
        return clock.writeSystemTime(vcpu, value);
      }
      default -> {
        if (!CONSTANTS.containsKey(index)) {
          unknownWrites.merge(index, 1L, Long::sum);
        }
        return false;
      }
    }
    return true;
  }

  private boolean store(int vcpu, int index, long value) {
    if (index == PAT && !isPat(value)) {
      return false;
    }
    if (index != MICROCODE_REVISION) {
      stored[vcpu].put(index, value);
    }
    return true;
  }

  /** Each of the eight entries is a memory type: 0, 1, 4, 5, 6 or 7 (SDM, section 12.12.2). */
  private static boolean isPat(long value) {
    for (int shift = 0; shift < 64; shift += 8) {
      long type = value >>> shift & 0xff;
      if (type > 7 || type == 2 || type == 3) {
        return false;
      }
    }
    return true;
  }

  /** Reads of registers that are not there: index, times. */
  public SortedMap<Integer, Long> unknownReads() {
    return Collections.unmodifiableSortedMap(unknownReads);
  }

  /** Writes of registers that are not there: index, times. */
  public SortedMap<Integer, Long> unknownWrites() {
    return Collections.unmodifiableSortedMap(unknownWrites);
  }
}
