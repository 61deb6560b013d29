package io.trapscope.analyzer.tally;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.HdrHistogram.Histogram;

/** Percentiles against an exact sort, and merging against the whole. */
class LatencyPropertiesTest {
  private static final double[] PERCENTS = {0.1, 1, 25, 50, 75, 90, 99, 99.9, 100};

  /** Durations of every size: a nanosecond to months, and 0. */
  @Provide
  Arbitrary<List<Long>> durations() {
    return Arbitraries.longs()
        .between(0, Latency.LIMIT - 1)
        .flatMap(top -> Arbitraries.longs().between(0, top))
        .list()
        .ofMinSize(1)
        .ofMaxSize(500);
  }

  @Property(tries = 300)
  void percentilesAreExactToThreeDigits(@ForAll("durations") List<Long> durations) {
    Latency latency = of(durations);
    long[] sorted = durations.stream().mapToLong(Long::longValue).sorted().toArray();
    long[] percentiles = latency.percentiles(PERCENTS);
    for (int i = 0; i < PERCENTS.length; i++) {
      int rank = Math.max(1, (int) Math.ceil(PERCENTS[i] / 100 * sorted.length));
      long exact = sorted[rank - 1];
      long found = percentiles[i];
      // HdrHistogram's unit of resolution at three digits: one part in 1,000, and never below.
      assertThat(found - exact).isBetween(0L, exact / 1000);
    }
  }

  @Property(tries = 300)
  void countTotalMinMaxAreExact(@ForAll("durations") List<Long> durations) {
    Latency latency = of(durations);
    long[] sorted = durations.stream().mapToLong(Long::longValue).sorted().toArray();
    assertThat(latency.count()).isEqualTo(sorted.length);
    assertThat(latency.total()).isEqualTo(Arrays.stream(sorted).sum());
    assertThat(latency.min()).isEqualTo(sorted[0]);
    assertThat(latency.max()).isEqualTo(sorted[sorted.length - 1]);
    assertThat(latency.mean())
        .isBetween(latency.total() / latency.count(), latency.total() / latency.count() + 1);
  }

  @Property(tries = 300)
  void mergedPartsEqualTheWhole(
      @ForAll("durations") List<Long> first, @ForAll("durations") List<Long> second) {
    Latency merged = of(first);
    merged.merge(of(second));
    LatencyCells cells = new LatencyCells();
    record(cells, first);
    record(cells, second);
    Latency whole = empty(cells);
    assertThat(merged.count()).isEqualTo(whole.count());
    assertThat(merged.total()).isEqualTo(whole.total());
    assertThat(merged.min()).isEqualTo(whole.min());
    assertThat(merged.max()).isEqualTo(whole.max());
    assertThat(merged.percentiles(PERCENTS)).isEqualTo(whole.percentiles(PERCENTS));
    assertThat(merged.octaves()).isEqualTo(whole.octaves());
  }

  @Property(tries = 300)
  void hasTheCellsOfHdrHistogram(@ForAll("durations") List<Long> durations) {
    Latency latency = of(durations);
    Histogram histogram = new Histogram(Latency.LIMIT, Latency.DIGITS);
    durations.forEach(histogram::recordValue);
    assertThat(latency.histogram()).isEqualTo(histogram);
    assertThat(latency.copy().histogram()).isEqualTo(histogram);
  }

  @Property(tries = 100)
  void octavesArePowersOfTwo(@ForAll("durations") List<Long> durations) {
    long[] octaves = of(durations).octaves();
    for (int i = 0; i < octaves.length; i++) {
      int octave = i;
      long exact =
          durations.stream().filter(d -> 64 - Long.numberOfLeadingZeros(d) == octave).count();
      assertThat(octaves[i]).isEqualTo(exact);
    }
  }

  private static Latency of(List<Long> durations) {
    LatencyCells cells = new LatencyCells();
    record(cells, durations);
    return empty(cells);
  }

  /** Stages that exits have. */
  private static final long[] WAYS = {Exit.USUAL_STAGES, Exit.GUEST, Exit.STAGES};

  /** All of them as guest times of one reason; which other stages an exit has varies. */
  private static void record(LatencyCells cells, List<Long> durations) {
    Exit exit = new Exit();
    for (int i = 0; i < durations.size(); i++) {
      exit.guest = durations.get(i);
      exit.device = i;
      exit.what = WAYS[i % WAYS.length];
      cells.add(exit);
    }
  }

  private static Latency empty(LatencyCells cells) {
    Latency[] places = new Latency[LatencyCells.PLACES];
    cells.empty(places);
    return places[Stage.GUEST.ordinal()];
  }
}
