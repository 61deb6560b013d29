package io.trapscope.vmm.cpuid;

import io.trapscope.vmm.device.Timers;
import io.trapscope.vmm.device.Tsc;
import io.trapscope.vmm.memory.GuestMemory;

/**
 * KVM's paravirtual clock (Linux, Documentation/virt/kvm/x86/msr.rst; structures in
 * asm/pvclock-abi.h): pages in guest memory from which the guest computes the time since the
 * machine was made, and the wall-clock time at that moment.
 *
 * <pre>
 *   pvclock_vcpu_time_info, 32 bytes           pvclock_wall_clock, 12 bytes
 *    0 u32 version (odd while it changes)       0 u32 version
 *    4 u32 pad                                  4 u32 seconds since 1970
 *    8 u64 tsc_timestamp                        8 u32 nanoseconds
 *   16 u64 system_time, ns
 *   24 u32 tsc_to_system_mul
 *   28 s8  tsc_shift
 *   29 u8  flags (1: stable between vCPUs)
 * </pre>
 *
 * <p>The rate is fixed, so a page is written when the guest asks for it or moves its counter, and
 * never again.
 */
public final class KvmClock {
  private static final int ENABLE = 1;
  private static final int TSC_STABLE = 1;
  private static final int PAGE_BYTES = 32;
  private static final int WALL_CLOCK_BYTES = 12;
  private static final long SECOND = 1_000_000_000;

  private final GuestMemory memory;
  private final Timers timers;
  private final Tsc tsc;
  private final long wallClockNanos;
  private final long[] systemTime;
  private long wallClock;

  /**
   * @param wallClockNanos ns since 1970 at guest time 0
   */
  public KvmClock(GuestMemory memory, Timers timers, Tsc tsc, int cpus, long wallClockNanos) {
    this.memory = memory;
    this.timers = timers;
    this.tsc = tsc;
    this.wallClockNanos = wallClockNanos;
    this.systemTime = new long[cpus];
  }

  /** MSR_KVM_WALL_CLOCK_NEW: writes the wall clock at guest time 0 to this address. */
  boolean writeWallClock(long gpa) {
    wallClock = gpa;
    if (!memory.contains(gpa, WALL_CLOCK_BYTES)) {
      // KVM ignores an address without memory too: its write to the guest fails.
      return true;
    }
    int version = memory.readInt(gpa) + 1 | 1;
    memory.writeInt(gpa, version);
    memory.writeInt(gpa + 4, (int) Math.floorDiv(wallClockNanos, SECOND));
    memory.writeInt(gpa + 8, (int) Math.floorMod(wallClockNanos, SECOND));
    memory.writeInt(gpa, version + 1);
    return true;
  }

  long wallClock() {
    return wallClock;
  }

  /** MSR_KVM_SYSTEM_TIME_NEW: keeps time in the structure at this address while bit 0 is set. */
  boolean writeSystemTime(int vcpu, long value) {
    systemTime[vcpu] = value;
    update(vcpu);
    return true;
  }

  long systemTime(int vcpu) {
    return systemTime[vcpu];
  }

  /** The counter moved: tells every vCPU that keeps time by it. */
  void update() {
    for (int vcpu = 0; vcpu < systemTime.length; vcpu++) {
      update(vcpu);
    }
  }

  private void update(int vcpu) {
    long gpa = systemTime[vcpu] & ~(long) ENABLE;
    if ((systemTime[vcpu] & ENABLE) == 0 || !memory.contains(gpa, PAGE_BYTES)) {
      return;
    }
    // Nanoseconds are (counts << shift) * multiplier >> 32: shift until the multiplier fits.
    int shift = 0;
    long hz = tsc.hz();
    while (hz <= SECOND) {
      hz <<= 1;
      shift++;
    }
    while (hz > 2 * SECOND) {
      hz >>= 1;
      shift--;
    }
    long multiplier = (SECOND << 32) / hz;
    int version = memory.readInt(gpa) + 1 | 1;
    memory.writeInt(gpa, version);
    memory.writeInt(gpa + 4, 0);
    memory.writeLong(gpa + 8, tsc.at(timers.now()));
    memory.writeLong(gpa + 16, timers.now());
    memory.writeInt(gpa + 24, (int) multiplier);
    memory.writeInt(gpa + 28, shift & 0xff | TSC_STABLE << 8);
    memory.writeInt(gpa, version + 1);
  }
}
