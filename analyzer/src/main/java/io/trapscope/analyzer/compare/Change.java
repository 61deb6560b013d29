package io.trapscope.analyzer.compare;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.apache.commons.statistics.distribution.TDistribution;

/**
 * How the mean of one number changes from one side's recordings to the other's.
 *
 * <p>The interval is Welch's: the difference of two means of independent samples whose variances
 * may differ, from Student's t distribution with the degrees of freedom of Welch and Satterthwaite.
 * A run's count or time is a sum over very many exits, so it is close to normally distributed even
 * where single times are not; and with few runs the t distribution makes the interval honestly
 * wide. It needs two recordings a side. Where no recording differs from the others of its side
 * there is nothing to estimate: the change is exact. With one recording a side nothing is known of
 * the spread, and there is no interval, unless the caller knows that runs cannot differ.
 *
 * <p>Where any recording does not tell the number, which is NaN, all is NaN.
 *
 * @param before mean of the first side
 * @param after mean of the second side
 * @param low end of the 95 % interval of {@code after - before}; NaN where there is none
 * @param high its other end
 * @param p how likely so large a difference is by chance alone; NaN where nothing is known
 * @param exact whether the recordings of each side agree
 */
record Change(double before, double after, double low, double high, double p, boolean exact) {
  private static final double TAIL = 0.025;

  private static final Change UNTOLD =
      new Change(Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN, false);

  /**
   * Compares two samples.
   *
   * @param deterministic whether runs cannot differ, so that one a side is enough
   */
  static Change of(double[] before, double[] after, boolean deterministic) {
    double difference = mean(after) - mean(before);
    if (Double.isNaN(difference)) {
      return UNTOLD;
    }
    boolean alike = spread(before) == 0 && spread(after) == 0;
    boolean known = deterministic || before.length > 1 && after.length > 1;
    if (alike && known) {
      double p = difference == 0 ? 1 : 0;
      return new Change(mean(before), mean(after), difference, difference, p, true);
    }
    if (before.length < 2 || after.length < 2) {
      return new Change(mean(before), mean(after), Double.NaN, Double.NaN, Double.NaN, false);
    }
    double a = spread(before) / before.length;
    double b = spread(after) / after.length;
    double error = Math.sqrt(a + b);
    double degrees = (a + b) * (a + b) / (a * a / (before.length - 1) + b * b / (after.length - 1));
    TDistribution student = TDistribution.of(degrees);
    double half = student.inverseSurvivalProbability(TAIL) * error;
    double p = 2 * student.survivalProbability(Math.abs(difference) / error);
    return new Change(mean(before), mean(after), difference - half, difference + half, p, false);
  }

  /** Whether all recordings tell it. */
  boolean isTold() {
    return !Double.isNaN(before);
  }

  static double mean(double[] sample) {
    return Arrays.stream(sample).average().orElse(0);
  }

  /** The sample's variance; 0 for a single value. */
  private static double spread(double[] sample) {
    double mean = mean(sample);
    double sum = 0;
    for (double value : sample) {
      sum += (value - mean) * (value - mean);
    }
    return sample.length < 2 ? 0 : sum / (sample.length - 1);
  }

  /** {@code after - before}. */
  double difference() {
    return after - before;
  }

  boolean hasInterval() {
    return !Double.isNaN(low);
  }

  /**
   * Adjusts p-values that are looked at together, so that the chance of even one false "changed"
   * stays what it was for one: Holm's method. NaN stays NaN and does not count.
   */
  static double[] holm(double[] p) {
    Integer[] order =
        IntStream.range(0, p.length)
            .filter(i -> !Double.isNaN(p[i]))
            .boxed()
            .sorted(Comparator.comparingDouble(i -> p[i]))
            .toArray(Integer[]::new);
    double[] adjusted = p.clone();
    double largest = 0;
    for (int i = 0; i < order.length; i++) {
      largest = Math.max(largest, Math.min(1, p[order[i]] * (order.length - i)));
      adjusted[order[i]] = largest;
    }
    return adjusted;
  }
}
