package io.trapscope.recorder.event;

import java.util.ArrayList;
import java.util.List;

/**
 * What a counter of the host's showed at one moment: evidence of what there was to record. A trace
 * has those of its beginning in its header and those of its end in its footer.
 *
 * @param of what it counts for: {@code vm}, {@code vcpu-0}, ...
 * @param name the host's name for it
 * @param kind what its value means
 * @param unit what one of it is
 * @param base 10 or 2: a value times {@code base} to the power of {@code exponent} is in the unit
 * @param exponent see {@code base}
 * @param bucketSize width of a bucket of a {@code LINEAR_HISTOGRAM}; 0 for any other kind
 * @param values one number, unsigned; of a histogram one a bucket, without the zeros at its end
 */
public record Counter(
    String of,
    String name,
    Kind kind,
    Unit unit,
    int base,
    int exponent,
    long bucketSize,
    List<Long> values) {

  /** What a counter's value means. The order is that of KVM_STATS_TYPE_* (linux/kvm.h). */
  public enum Kind {
    /** Grows only. */
    CUMULATIVE,
    /** Goes up and down. */
    INSTANT,
    /** The largest that there has been. */
    PEAK,
    /** How often a value fell into buckets of one width. */
    LINEAR_HISTOGRAM,
    /** The same; the buckets begin at 0, 1, 2, 4, 8, ... */
    LOG_HISTOGRAM
  }

  /** What one of a counter is. The order is that of KVM_STATS_UNIT_* (linux/kvm.h). */
  public enum Unit {
    NONE,
    BYTES,
    SECONDS,
    CYCLES,
    BOOLEAN
  }

  /** Copies the values. */
  public Counter {
    int kept = values.size();
    while (kept > 1 && values.get(kept - 1) == 0) {
      kept--;
    }
    values = List.copyOf(values.subList(0, kept));
  }

  /** A plain count. */
  public static Counter count(String of, String name, long value) {
    return new Counter(of, name, Kind.CUMULATIVE, Unit.NONE, 10, 0, 0, List.of(value));
  }

  /** The value; of a histogram, how many values it has taken. */
  public long total() {
    return values.stream().mapToLong(Long::longValue).sum();
  }

  /** Whether it counts and never goes back. */
  public boolean isGrowing() {
    return switch (kind) {
      case CUMULATIVE, LINEAR_HISTOGRAM, LOG_HISTOGRAM -> true;
      case INSTANT, PEAK -> false;
    };
  }

  /**
   * What was added since {@code earlier}; of a counter that does not only grow, its present value.
   *
   * @param earlier the same counter; null where there is none
   */
  public Counter since(Counter earlier) {
    if (!isGrowing() || earlier == null) {
      return this;
    }
    List<Long> change = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      long before = i < earlier.values.size() ? earlier.values.get(i) : 0;
      change.add(values.get(i) - before);
    }
    return new Counter(of, name, kind, unit, base, exponent, bucketSize, change);
  }

  /**
   * What each counter of {@code end} has gained since {@code start}; counters are found by what
   * they count for and by name.
   */
  public static List<Counter> change(List<Counter> start, List<Counter> end) {
    return end.stream()
        .map(
            counter ->
                counter.since(
                    start.stream()
                        .filter(
                            other -> other.of.equals(counter.of) && other.name.equals(counter.name))
                        .findFirst()
                        .orElse(null)))
        .toList();
  }
}
