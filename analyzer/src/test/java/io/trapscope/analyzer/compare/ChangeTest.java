package io.trapscope.analyzer.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ChangeTest {
  /** Compared with SciPy's ttest_ind(equal_var=False) and its confidence_interval(). */
  @Test
  void intervalIsWelchs() {
    double[] before = {
      27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4
    };
    double[] after = {
      27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 24.1
    };
    Change change = Change.of(before, after, false);
    assertThat(change.before()).isCloseTo(20.82, within(1e-9));
    assertThat(change.difference()).isCloseTo(2.813333, within(1e-6));
    assertThat(change.p()).isCloseTo(0.008425436725, within(1e-6));
    assertThat(change.low()).isCloseTo(0.780410489204, within(1e-6));
    assertThat(change.high()).isCloseTo(4.846256177463, within(1e-6));
    assertThat(change.exact()).isFalse();
  }

  /** Drawn from known distributions, the interval holds the true change 95 times in 100. */
  @Test
  void intervalCoversTheTruth() {
    long seed = 20261126;
    Random random = new Random(seed);
    int trials = 4_000;
    int covered = 0;
    for (int trial = 0; trial < trials; trial++) {
      Change change = Change.of(sample(random, 4, 100, 3), sample(random, 6, 110, 9), false);
      covered += change.low() <= 10 && 10 <= change.high() ? 1 : 0;
    }
    assertThat((double) covered / trials).as("seed %d", seed).isBetween(0.935, 0.965);
  }

  private static double[] sample(Random random, int size, double mean, double deviation) {
    return random.doubles(size).map(unused -> mean + deviation * random.nextGaussian()).toArray();
  }

  @Test
  void recordingsThatAgreeAreExact() {
    Change change = Change.of(new double[] {100, 100}, new double[] {90, 90, 90}, false);
    assertThat(change).isEqualTo(new Change(100, 90, -10, -10, 0, true));
    assertThat(Change.of(new double[] {7, 7}, new double[] {7, 7}, false).p()).isEqualTo(1);
  }

  @Test
  void oneRecordingASideTellsNothingOfTheSpread() {
    Change change = Change.of(new double[] {100}, new double[] {90, 91}, false);
    assertThat(change.difference()).isEqualTo(-9.5);
    assertThat(change.hasInterval()).isFalse();
    assertThat(change.p()).isNaN();
    // Unless runs cannot differ.
    assertThat(Change.of(new double[] {100}, new double[] {90}, true).exact()).isTrue();
    // And where they are said not to differ, but do, they are not exact.
    assertThat(Change.of(new double[] {100}, new double[] {90, 91}, true).hasInterval()).isFalse();
  }

  /** The example of Holm's method: the smallest times n, the next times n - 1, never falling. */
  @Test
  void pValuesAreAdjustedTogether() {
    double[] adjusted = Change.holm(new double[] {0.03, Double.NaN, 0.01, 0.04});
    assertThat(adjusted[2]).isCloseTo(0.03, within(1e-12));
    assertThat(adjusted[0]).isCloseTo(0.06, within(1e-12));
    assertThat(adjusted[3]).isCloseTo(0.06, within(1e-12));
    assertThat(adjusted[1]).isNaN();
  }
}
