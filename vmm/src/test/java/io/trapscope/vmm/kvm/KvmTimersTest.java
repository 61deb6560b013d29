package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KvmTimersTest {
  private static final int MASKED = 1 << 16;
  private static final long MILLISECOND = 1_000_000;

  private static ByteBuffer zeros(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  @ParameterizedTest
  @CsvSource({
    // spurious, LVT timer, current count, deadline
    "0x1ff, 0x000ec, 5000, 0, true", // once
    "0x1ff, 0x000ec, 0, 0, false", // once, and that was
    "0x1ff, 0x200ec, 1, 0, true", // periodic
    "0x1ff, 0x300ec, 5000, 0, false", // masked
    "0x0ff, 0x200ec, 5000, 0, false", // an APIC that is off
    "0x1ff, 0x400ec, 0, 77, true", // TSC deadline
    "0x1ff, 0x400ec, 9, 0, false" // no deadline set
  })
  void theLocalApicsTimer(String spurious, String lvt, int count, long deadline, boolean armed) {
    ByteBuffer apic = zeros(KvmAbi.LAPIC_BYTES);
    apic.putInt(0xf0, Integer.decode(spurious));
    apic.putInt(0x320, Integer.decode(lvt));
    apic.putInt(0x390, count);
    assertThat(KvmTimers.isArmed(apic, deadline)).isEqualTo(armed);
  }

  private static boolean interval(int mode, int count, long age, boolean pic, boolean pin) {
    long now = 1L << 50;
    ByteBuffer pit = zeros(KvmAbi.PIT_BYTES);
    pit.putInt(0, count).put(13, (byte) mode).putLong(16, now - age);
    ByteBuffer chip = zeros(KvmAbi.IRQCHIP_BYTES).put(10, (byte) (pic ? 0xff : 0xfe));
    ByteBuffer ioApic = zeros(KvmAbi.IRQCHIP_BYTES);
    ioApic.putInt(8 + 24 + 2 * 8, pin ? MASKED : 0x30);
    return KvmTimers.isArmed(pit, chip, ioApic, now);
  }

  @Test
  void anIntervalTimerThatRepeatsRunsWhereItsInterruptIsLetThrough() {
    for (int mode : new int[] {2, 3}) {
      assertThat(interval(mode, 0xffff, 3600_000 * MILLISECOND, false, false)).isTrue();
      assertThat(interval(mode, 0xffff, 0, true, false)).isTrue();
      assertThat(interval(mode, 0xffff, 0, false, true)).isTrue();
      assertThat(interval(mode, 0xffff, 0, true, true)).isFalse();
    }
  }

  @Test
  void anIntervalTimerThatFiresOnceHasFiredWhenItsCountIsOver() {
    // 65,536 counts are 54.9 ms; it may come 100 ms late.
    assertThat(interval(0, 0x10000, 0, false, false)).isTrue();
    assertThat(interval(0, 0x10000, 150 * MILLISECOND, false, false)).isTrue();
    assertThat(interval(0, 0x10000, 160 * MILLISECOND, false, false)).isFalse();
  }

  @Test
  void anIntervalTimerWithoutAModeDoesNotRun() {
    assertThat(interval(0xff, 0x10000, 0, false, false)).isFalse();
  }
}
