package io.trapscope.vmm.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Register sequences of the Intel 8254 data sheet; times are CLK pulses. */
class PitTest {
  private final Timers timers = new Timers();
  private final List<Long> rises = new ArrayList<>();
  private boolean irq0;
  private final Pit pit =
      new Pit(
          timers,
          asserted -> {
            if (asserted && !irq0) {
              rises.add(pulseNow());
            }
            irq0 = asserted;
          });
  private final Device ports = pit.ports();
  private final Device portB = pit.controlPortB();

  private long pulseNow() {
    return Math.floorDiv(Math.multiplyExact(timers.now(), Pit.FREQUENCY), 1_000_000_000L);
  }

  private void advanceTo(long pulse) {
    long nanos = Math.floorDiv(pulse * 1_000_000_000L + Pit.FREQUENCY - 1, Pit.FREQUENCY);
    while (timers.next() <= nanos) {
      timers.advance(timers.next());
    }
    timers.advance(nanos);
  }

  private void program(int channel, int mode, int count) {
    ports.write(3, 1, channel << 6 | 0x30 | mode << 1);
    ports.write(channel, 1, count & 0xff);
    ports.write(channel, 1, count >> 8);
  }

  private int latched(int channel) {
    ports.write(3, 1, channel << 6);
    return (int) (ports.read(channel, 1) | ports.read(channel, 1) << 8);
  }

  private int status(int channel) {
    ports.write(3, 1, 0xe0 | 2 << channel);
    return (int) ports.read(channel, 1);
  }

  private boolean out2() {
    return (portB.read(0, 1) & 0x20) != 0;
  }

  @Test
  void mode0InterruptsOnceAtTerminalCount() {
    program(0, 0, 4);
    assertThat(irq0).isFalse();
    advanceTo(4);
    assertThat(rises).isEmpty();
    advanceTo(5);
    assertThat(rises).containsExactly(5L);
    advanceTo(200_000);
    assertThat(rises).hasSize(1);
    ports.write(0, 1, 10);
    assertThat(irq0).as("the first byte of a new count puts OUT low").isFalse();
    ports.write(0, 1, 0);
    advanceTo(200_011);
    assertThat(rises).containsExactly(5L, 200_011L);
  }

  @Test
  void mode0CountsOnFromFfff() {
    program(0, 0, 4);
    advanceTo(5);
    assertThat(latched(0)).isZero();
    advanceTo(6);
    assertThat(latched(0)).isEqualTo(0xffff);
  }

  @Test
  void mode2InterruptsOnceAPeriod() {
    program(0, 2, 1000);
    advanceTo(3500);
    assertThat(rises).containsExactly(0L, 1001L, 2001L, 3001L);
    assertThat(latched(0)).isEqualTo(1000 - 499);
    advanceTo(4000);
    assertThat(status(0)).as("OUT is low for the last pulse").isEqualTo(0x34);
    advanceTo(4001);
    assertThat(status(0)).isEqualTo(0xb4);
  }

  @Test
  void mode2TakesANewCountAtTheEndOfThePeriod() {
    program(0, 2, 1000);
    advanceTo(1500);
    ports.write(0, 1, 100);
    ports.write(0, 1, 0);
    assertThat(status(0) & 0x40).as("null count").isEqualTo(0x40);
    advanceTo(2250);
    assertThat(status(0) & 0x40).isZero();
    assertThat(rises).containsExactly(0L, 1001L, 2001L, 2101L, 2201L);
  }

  @Test
  void mode3CountsByTwoAndIsHighForTheLongerHalf() {
    portB.write(0, 1, 1);
    program(2, 3, 5);
    StringBuilder out = new StringBuilder();
    List<Integer> counts = new ArrayList<>();
    for (int pulse = 1; pulse <= 10; pulse++) {
      advanceTo(pulse);
      out.append(out2() ? '1' : '0');
      counts.add(latched(2));
    }
    assertThat(out.toString()).isEqualTo("1110011100");
    assertThat(counts).containsExactly(4, 2, 0, 4, 2, 4, 2, 0, 4, 2);
  }

  @Test
  void mode3TakesANewCountAtTheEndOfTheHalf() {
    program(0, 3, 1000);
    advanceTo(100);
    ports.write(0, 1, 200);
    ports.write(0, 1, 0);
    advanceTo(1100);
    assertThat(rises).containsExactly(0L, 601L, 801L, 1001L);
  }

  @Test
  void mode1IsLowForCountPulsesAfterEachTrigger() {
    program(2, 1, 3);
    assertThat(out2()).isTrue();
    advanceTo(10);
    portB.write(0, 1, 1);
    StringBuilder out = new StringBuilder();
    for (int pulse = 11; pulse <= 15; pulse++) {
      advanceTo(pulse);
      out.append(out2() ? '1' : '0');
    }
    assertThat(out.toString()).isEqualTo("00011");
    portB.write(0, 1, 0);
    portB.write(0, 1, 1);
    advanceTo(16);
    assertThat(out2()).as("retriggered").isFalse();
  }

  @Test
  void mode4StrobesForOnePulse() {
    program(0, 4, 3);
    portB.write(0, 1, 1);
    program(2, 4, 3);
    StringBuilder out = new StringBuilder();
    for (int pulse = 1; pulse <= 6; pulse++) {
      advanceTo(pulse);
      out.append(out2() ? '1' : '0');
    }
    assertThat(out.toString()).isEqualTo("111011");
    assertThat(rises).contains(5L);
  }

  @Test
  void mode5StrobesAfterATrigger() {
    program(2, 5, 3);
    advanceTo(7);
    assertThat(out2()).isTrue();
    portB.write(0, 1, 1);
    StringBuilder out = new StringBuilder();
    for (int pulse = 8; pulse <= 12; pulse++) {
      advanceTo(pulse);
      out.append(out2() ? '1' : '0');
    }
    assertThat(out.toString()).isEqualTo("11101");
  }

  @Test
  void theGateStopsModeZero() {
    portB.write(0, 1, 1);
    program(2, 0, 100);
    advanceTo(11);
    assertThat(latched(2)).isEqualTo(90);
    portB.write(0, 1, 0);
    advanceTo(500);
    assertThat(latched(2)).isEqualTo(90);
    assertThat(out2()).isFalse();
    portB.write(0, 1, 1);
    advanceTo(589);
    assertThat(out2()).isFalse();
    advanceTo(590);
    assertThat(out2()).isTrue();
  }

  @Test
  void aLatchHoldsUntilItIsReadAndIgnoresASecond() {
    program(0, 2, 0x1234);
    advanceTo(1);
    ports.write(3, 1, 0x00);
    advanceTo(50);
    ports.write(3, 1, 0x00);
    assertThat(ports.read(0, 1)).isEqualTo(0x34);
    assertThat(ports.read(0, 1)).isEqualTo(0x12);
    assertThat(latched(0)).isEqualTo(0x1234 - 49);
  }

  @Test
  void readBackLatchesStatusAndCountAndStatusIsReadFirst() {
    program(0, 2, 0x1000);
    program(1, 3, 0x0200);
    advanceTo(1);
    ports.write(3, 1, 0xc6);
    advanceTo(9);
    assertThat(ports.read(0, 1)).isEqualTo(0xb4);
    assertThat(ports.read(0, 1)).isEqualTo(0x00);
    assertThat(ports.read(0, 1)).isEqualTo(0x10);
    assertThat(ports.read(1, 1)).isEqualTo(0xb6);
    assertThat(ports.read(1, 1)).isEqualTo(0x00);
    assertThat(ports.read(1, 1)).isEqualTo(0x02);
  }

  @Test
  void binaryCodedDecimal() {
    ports.write(3, 1, 0x31);
    ports.write(0, 1, 0x00);
    ports.write(0, 1, 0x20);
    advanceTo(2);
    assertThat(latched(0)).isEqualTo(0x1999);
    advanceTo(2001);
    assertThat(rises).containsExactly(2001L);
    advanceTo(2002);
    assertThat(latched(0)).isEqualTo(0x9999);
  }

  @Test
  void singleByteAccess() {
    ports.write(3, 1, 0x14);
    ports.write(0, 1, 0x80);
    advanceTo(129);
    assertThat(rises).containsExactly(0L, 129L);
    ports.write(3, 1, 0x24);
    ports.write(0, 1, 0x01);
    advanceTo(130 + 256);
    assertThat(rises).contains(130L + 256);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void extremeCounts(int count) {
    program(0, 2, count);
    advanceTo(70_000);
    // 0 counts 65536; 1 is illegal in mode 2 and does not count.
    assertThat(rises).hasSize(count == 0 ? 2 : 1);
  }

  @Test
  void theRefreshBitToggles() {
    int first = (int) portB.read(0, 1) & 0x10;
    advanceTo(18);
    assertThat((int) portB.read(0, 1) & 0x10).isNotEqualTo(first);
    advanceTo(36);
    assertThat((int) portB.read(0, 1) & 0x10).isEqualTo(first);
  }
}
