package io.trapscope.analyzer.report;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * One value a vCPU and exit reason, made when first asked for. Its size is bounded by the reasons
 * there are times the vCPUs there are.
 */
final class ExitTally<V> {
  /** A value with its vCPU and reason code. */
  record Entry<V>(int vcpu, int reason, V value) {}

  /** Adds {@code from} to {@code into}. */
  interface Merger<V> {
    void merge(V into, V from);
  }

  private final Supplier<V> empty;
  private final TreeMap<Integer, Object[]> byVcpu = new TreeMap<>();
  private int lastVcpu = -1;
  private Object[] last;

  ExitTally(Supplier<V> empty) {
    this.empty = empty;
  }

  /** The value for this vCPU and reason. */
  @SuppressWarnings("unchecked")
  V at(int vcpu, int reason) {
    if (vcpu != lastVcpu) {
      last = byVcpu.computeIfAbsent(vcpu, key -> new Object[ExitEvents.REASONS]);
      lastVcpu = vcpu;
    }
    Object value = last[reason];
    if (value == null) {
      value = empty.get();
      last[reason] = value;
    }
    return (V) value;
  }

  /** Every value there is, by vCPU, then by reason. */
  @SuppressWarnings("unchecked")
  List<Entry<V>> entries() {
    List<Entry<V>> entries = new ArrayList<>();
    byVcpu.forEach(
        (vcpu, values) -> {
          for (int reason = 0; reason < values.length; reason++) {
            if (values[reason] != null) {
              entries.add(new Entry<>(vcpu, reason, (V) values[reason]));
            }
          }
        });
    return entries;
  }

  void merge(ExitTally<V> other, Merger<V> merger) {
    for (Entry<V> entry : other.entries()) {
      merger.merge(at(entry.vcpu(), entry.reason()), entry.value());
    }
  }

  /** The same with all vCPUs added up, under vCPU 0. */
  ExitTally<V> overVcpus(Merger<V> merger) {
    ExitTally<V> sum = new ExitTally<>(empty);
    for (Entry<V> entry : entries()) {
      merger.merge(sum.at(0, entry.reason()), entry.value());
    }
    return sum;
  }

  int vcpus() {
    return byVcpu.size();
  }
}
