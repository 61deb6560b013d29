package io.trapscope.vmm.cpuid;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.vmm.device.InterruptFabric;
import io.trapscope.vmm.device.ProcessorSignals;
import io.trapscope.vmm.device.Timers;
import io.trapscope.vmm.device.Tsc;
import io.trapscope.vmm.memory.ArrayMemory;
import org.junit.jupiter.api.Test;

/** Registers by their SDM numbers, and KVM's clock pages as a guest reads them. */
class ModelRegistersTest {
  private static final long WALL = 1_700_000_000_123_456_789L;

  private final Timers timers = new Timers();
  private final Tsc tsc = new Tsc(2_500_000_000L);
  private final InterruptFabric fabric =
      new InterruptFabric(2, timers, tsc, ProcessorSignals.NONE, null);
  private final ArrayMemory memory = new ArrayMemory(0x10000);
  private final KvmClock clock = new KvmClock(memory, timers, tsc, 2, WALL);
  private final ModelRegisters registers = new ModelRegisters(fabric, timers, tsc, clock, 2);

  private long read(int index) {
    long[] value = new long[1];
    assertThat(registers.read(0, index, value)).as("MSR 0x%x", index).isTrue();
    return value[0];
  }

  private boolean write(int index, long value) {
    return registers.write(0, index, value);
  }

  @Test
  void whatFirmwareLeaves() {
    assertThat(read(0x1b)).isEqualTo(0xfee00900L);
    assertThat(read(0xfe)).isEqualTo(0x508);
    assertThat(read(0x2ff)).isEqualTo(0x806);
    assertThat(read(0x277)).isEqualTo(0x0007040600070406L);
    assertThat(read(0x3a)).isEqualTo(1);
    assertThat(read(0x179)).isZero();
    assertThat(read(0x1a0)).isEqualTo(1);
  }

  @Test
  void storedRegistersAreOneAVcpu() {
    assertThat(write(0x200, 0x1234)).isTrue();
    assertThat(read(0x200)).isEqualTo(0x1234);
    long[] other = new long[1];
    assertThat(registers.read(1, 0x200, other)).isTrue();
    assertThat(other[0]).isZero();
  }

  @Test
  void patTakesMemoryTypesOnly() {
    assertThat(write(0x277, 0x0007010600070106L)).isTrue();
    assertThat(write(0x277, 0x0002010600070106L)).isFalse();
    assertThat(read(0x277)).isEqualTo(0x0007010600070106L);
  }

  @Test
  void unknownRegistersFaultAndAreCounted() {
    assertThat(registers.read(0, 0x345, new long[1])).isFalse();
    assertThat(registers.read(0, 0x345, new long[1])).isFalse();
    assertThat(write(0xc0011029, 1)).isFalse();
    assertThat(registers.unknownReads()).containsEntry(0x345, 2L).hasSize(1);
    assertThat(registers.unknownWrites()).containsEntry(0xc0011029, 1L).hasSize(1);
    assertThat(write(0xfe, 0)).as("read-only").isFalse();
    assertThat(registers.unknownWrites()).hasSize(1);
  }

  @Test
  void theTimeStampCounterMovesWithItsWrites() {
    timers.advance(1_000_000);
    assertThat(read(0x10)).isEqualTo(2_500_000);
    assertThat(write(0x10, 100)).isTrue();
    timers.advance(1_000_002);
    assertThat(read(0x10)).isEqualTo(105);
  }

  @Test
  void x2apicRegistersBehindTheirMsrs() {
    assertThat(registers.read(0, 0x802, new long[1])).isFalse();
    assertThat(write(0x1b, 0xfee00d00L)).isTrue();
    assertThat(read(0x803)).isEqualTo(0x50014);
    assertThat(write(0x80f, 0x1ff)).isTrue();
    assertThat(write(0x832, 0x400ec)).isTrue();
    assertThat(write(0x6e0, 5000)).isTrue();
    assertThat(timers.next()).isEqualTo(2000);
    timers.advance(2000);
    assertThat(fabric.acknowledge(0)).isEqualTo(0xec);
    assertThat(read(0x6e0)).isZero();
    assertThat(registers.read(0, 0x850, new long[1])).isFalse();
    assertThat(registers.unknownReads()).isEmpty();
  }

  /** The formula of pvclock-abi.h. */
  private long guestNanos(long gpa, long counter) {
    long delta = counter - memory.readLong(gpa + 8);
    int shift = memory.readByte(gpa + 28);
    delta = shift < 0 ? delta >>> -shift : delta << shift;
    long multiplier = memory.readInt(gpa + 24) & 0xffff_ffffL;
    long high = Math.multiplyHigh(delta, multiplier);
    return memory.readLong(gpa + 16) + (high << 32 | delta * multiplier >>> 32);
  }

  @Test
  void kvmClockGivesGuestTime() {
    timers.advance(3_000_000_000L);
    assertThat(write(0x4b564d01, 0x1041)).isTrue();
    assertThat(memory.readInt(0x1040) & 1).as("not being changed").isZero();
    assertThat(memory.readInt(0x1040)).isNotZero();
    assertThat(memory.readByte(0x1040 + 29)).as("stable").isEqualTo((byte) 1);
    for (long now : new long[] {3_000_000_000L, 4_000_000_000L, 100_000_000_000L}) {
      assertThat(Math.abs(guestNanos(0x1040, tsc.at(now)) - now)).isLessThan(100);
    }
    assertThat(write(0x10, 0)).isTrue();
    assertThat(guestNanos(0x1040, tsc.at(3_000_001_000L)))
        .as("rounded down")
        .isBetween(3_000_000_999L, 3_000_001_000L);
    assertThat(read(0x4b564d01)).isEqualTo(0x1041);
  }

  @Test
  void kvmClockAtOneGigahertzFitsItsMultiplier() {
    Tsc slow = new Tsc(1_000_000_000L);
    KvmClock other = new KvmClock(memory, timers, slow, 1, WALL);
    other.writeSystemTime(0, 0x2001);
    assertThat(memory.readInt(0x2000 + 24)).isEqualTo(0x8000_0000);
    assertThat(guestNanos(0x2000, 123_456_789L)).isEqualTo(123_456_789L);
  }

  @Test
  void wallClockIsTheTimeAtGuestTimeZero() {
    timers.advance(77);
    assertThat(write(0x4b564d00, 0x3000)).isTrue();
    assertThat(memory.readInt(0x3004)).isEqualTo(1_700_000_000);
    assertThat(memory.readInt(0x3008)).isEqualTo(123_456_789);
    assertThat(memory.readInt(0x3000)).isEqualTo(2);
  }

  @Test
  void clockPagesOutsideMemoryAreIgnored() {
    assertThat(write(0x4b564d01, 0x7fff_0001L)).isTrue();
    assertThat(write(0x4b564d00, -4L)).isTrue();
    assertThat(write(0x4b564d01, 0xffe1)).as("crosses the end of RAM").isTrue();
  }
}
