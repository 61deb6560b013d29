package io.trapscope.vmm.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

/** Register sequences of the MC146818A data sheet and the PC's CMOS map. */
class RtcTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long WALL = Instant.parse("2024-02-29T23:59:58.5Z").toEpochMilli();

  private final Timers timers = new Timers();
  private boolean irq8;
  private int edges;
  private final Rtc rtc =
      new Rtc(
          timers,
          asserted -> {
            edges += asserted && !irq8 ? 1 : 0;
            irq8 = asserted;
          },
          WALL * 1_000_000,
          0x1000_0000L,
          0x4000_0000L);

  private int read(int register) {
    rtc.write(0, 1, register);
    return (int) rtc.read(1, 1);
  }

  private void write(int register, int value) {
    rtc.write(0, 1, register);
    rtc.write(1, 1, value);
  }

  private void advance(long nanos) {
    long end = timers.now() + nanos;
    while (timers.next() <= end) {
      timers.advance(timers.next());
    }
    timers.advance(end);
  }

  @Test
  void showsTheWallClockInBcd() {
    assertThat(read(0)).isEqualTo(0x58);
    assertThat(read(2)).isEqualTo(0x59);
    assertThat(read(4)).isEqualTo(0x23);
    assertThat(read(6)).as("a Thursday").isEqualTo(5);
    assertThat(read(7)).isEqualTo(0x29);
    assertThat(read(8)).isEqualTo(0x02);
    assertThat(read(9)).isEqualTo(0x24);
    assertThat(read(0x32)).isEqualTo(0x20);
    assertThat(read(0x0b)).isEqualTo(0x02);
    assertThat(read(0x0d)).isEqualTo(0x80);
  }

  @Test
  void goesWithGuestTimeAcrossMidnight() {
    advance(SECOND * 3 / 2);
    assertThat(read(0)).isZero();
    assertThat(read(4)).isZero();
    assertThat(read(7)).isEqualTo(1);
    assertThat(read(8)).isEqualTo(3);
  }

  @Test
  void binaryAndTwelveHourModes() {
    write(0x0b, 0x06);
    assertThat(read(4)).isEqualTo(23);
    write(0x0b, 0x04);
    assertThat(read(4)).isEqualTo(0x80 | 11);
    write(0x0b, 0x00);
    assertThat(read(4)).isEqualTo(0x91);
  }

  @Test
  void updateInProgressIsAnnouncedBeforeTheSecondChanges() {
    advance(SECOND / 2 - 244_001);
    assertThat(read(0x0a)).isEqualTo(0x26);
    advance(2);
    assertThat(read(0x0a)).isEqualTo(0xa6);
    advance(244_000);
    assertThat(read(0x0a)).isEqualTo(0x26);
    assertThat(read(0)).isEqualTo(0x59);
  }

  @Test
  void theGuestSetsTheClock() {
    write(0x0b, 0x82);
    int[][] fields = {
      {0, 0x30}, {2, 0x15}, {4, 0x12}, {7, 0x25}, {8, 0x12}, {9, 0x99}, {0x32, 0x19}
    };
    for (int[] field : fields) {
      write(field[0], field[1]);
    }
    advance(5 * SECOND);
    assertThat(read(0)).as("SET holds the clock").isEqualTo(0x30);
    write(0x0b, 0x02);
    advance(2 * SECOND);
    assertThat(read(0)).isEqualTo(0x32);
    assertThat(read(9)).isEqualTo(0x99);
    assertThat(read(0x32)).isEqualTo(0x19);
    assertThat(read(6)).as("a Saturday").isEqualTo(7);
  }

  /** Farther from 1970 than 64 bits of nanoseconds reach. */
  @Test
  void theClockGoesAsFarAsItsDigits() {
    write(0x0b, 0x82);
    int[][] fields = {
      {0, 0x59}, {2, 0x59}, {4, 0x23}, {7, 0x31}, {8, 0x12}, {9, 0x99}, {0x32, 0x23}
    };
    for (int[] field : fields) {
      write(field[0], field[1]);
    }
    write(0x0b, 0x02);
    assertThat(read(0x32)).isEqualTo(0x23);
    assertThat(read(9)).isEqualTo(0x99);
    assertThat(updating()).isFalse();
    advance(SECOND);
    assertThat(read(0x32)).isEqualTo(0x24);
    assertThat(read(9)).isZero();
    assertThat(read(0)).isZero();
  }

  private boolean updating() {
    return (read(0x0a) & 0x80) != 0;
  }

  @Test
  void aDateThatDoesNotExistLeavesTheClock() {
    write(8, 0x77);
    assertThat(read(8)).isEqualTo(0x02);
    assertThat(read(7)).isEqualTo(0x29);
  }

  @Test
  void thePeriodicInterruptWaitsForRegisterC() {
    write(0x0a, 0x26);
    write(0x0b, 0x42);
    advance(976_562);
    assertThat(irq8).isTrue();
    advance(100 * SECOND / 1024);
    assertThat(edges).as("no further one until C is read").isEqualTo(1);
    assertThat(read(0x0c)).isEqualTo(0xc0);
    assertThat(irq8).isFalse();
    advance(SECOND / 1024);
    assertThat(edges).isEqualTo(2);
    write(0x0b, 0x02);
    assertThat(irq8).isFalse();
    read(0x0c);
    assertThat(timers.next()).isEqualTo(Long.MAX_VALUE);
  }

  @Test
  void rateSelection() {
    for (int[] rate : new int[][] {{1, 256}, {2, 128}, {3, 8192}, {15, 2}}) {
      read(0x0c);
      write(0x0a, 0x20 | rate[0]);
      write(0x0b, 0x42);
      assertThat(timers.next() - timers.now()).isLessThanOrEqualTo(SECOND / rate[1]);
      long first = timers.next();
      advance(first - timers.now());
      read(0x0c);
      assertThat(timers.next() - first).isEqualTo(SECOND / rate[1]);
      write(0x0b, 0x02);
    }
  }

  @Test
  void updateEndedInterrupt() {
    write(0x0b, 0x12);
    advance(SECOND / 2);
    assertThat(read(0x0c) & 0x90).isEqualTo(0x90);
    advance(SECOND);
    assertThat(edges).isEqualTo(2);
  }

  @Test
  void theAlarmMatchesFieldsAndDontCares() {
    write(5, 0x00);
    write(3, 0x02);
    write(1, 0x10);
    write(0x0b, 0x22);
    advance(SECOND * 3 / 2 + 129 * SECOND);
    assertThat(irq8).isFalse();
    advance(SECOND);
    assertThat(read(0x0c) & 0xa0).isEqualTo(0xa0);
    write(5, 0xff);
    write(3, 0xc0);
    advance(60 * SECOND);
    assertThat(edges).as("each minute at :10").isEqualTo(2);
  }

  @Test
  void flagsAreThereForThoseWhoPoll() {
    read(0x0c);
    advance(SECOND);
    assertThat(read(0x0c)).isEqualTo(0x50);
    assertThat(read(0x0c)).isZero();
    assertThat(edges).isZero();
  }

  @Test
  void memorySizes() {
    assertThat(read(0x15) | read(0x16) << 8).isEqualTo(640);
    assertThat(read(0x30) | read(0x31) << 8).as("256 MiB in KiB do not fit").isEqualTo(0xffff);
    assertThat(read(0x34) | read(0x35) << 8).isEqualTo(0xf00);
    assertThat(read(0x5b) | read(0x5c) << 8 | read(0x5d) << 16).isEqualTo(0x4000);
  }

  @Test
  void otherRegistersAreMemory() {
    write(0x50, 0xa5);
    assertThat(read(0x50)).isEqualTo(0xa5);
    assertThat(read(0xd0)).as("bit 7 of the index masks NMI").isEqualTo(0xa5);
    assertThat(rtc.read(0, 1)).isEqualTo(0xff);
  }
}
