package io.trapscope.analyzer.html;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TimeScaleTest {
  /** However often columns are folded, nothing is lost, and each sum is where it belongs. */
  @Test
  void sumsAreKeptWhenColumnsFold() {
    TimeScale scale = new TimeScale(1_000);
    Grid counts = scale.grid(2);
    Grid spread = scale.grid(1);
    Random random = new Random(3);
    long last = 0;
    long wanted = 0;
    for (int i = 0; i < 10_000; i++) {
      last = 1_000 + i * 100_000L + random.nextInt(1000);
      counts.add(1, scale.column(last), 1);
      long length = random.nextInt(90_000);
      scale.spread(spread, 0, last - length, last);
      wanted += Math.min(length, last - 1_000);
    }
    assertThat(counts.row(0)).isNull();
    assertThat(Arrays.stream(counts.row(1)).sum()).isEqualTo(10_000);
    assertThat(Arrays.stream(spread.row(0)).sum()).isEqualTo(wanted);
    assertThat(scale.used()).isEqualTo((int) ((last - 1_000) / scale.nanos()) + 1);
    assertThat(scale.used()).isBetween(TimeScale.COLUMNS / 2, TimeScale.COLUMNS);
    // Evenly spaced events make even columns.
    for (int column = 0; column < scale.used() - 1; column++) {
      assertThat(counts.row(1)[column])
          .isBetween(scale.nanos() / 101_000, scale.nanos() / 99_000 + 1);
    }
  }

  @Test
  void latencyRowsAreHalfOctaves() {
    assertThat(PageData.latencyRow(0)).isZero();
    assertThat(PageData.latencyRow(1)).isZero();
    for (long nanos : new long[] {2, 3, 4, 5, 6, 1000, 1448, 1449, 1L << 40, 3L << 51}) {
      int exact = (int) Math.floor(2 * Math.log(nanos) / Math.log(2) + 1e-12);
      assertThat(PageData.latencyRow(nanos)).as("%d ns", nanos).isEqualTo(exact);
      assertThat(exact).isLessThan(PageData.LATENCY_ROWS);
    }
  }
}
