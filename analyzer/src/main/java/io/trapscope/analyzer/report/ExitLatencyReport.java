package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/** {@code exit_latency}: how the time of each stage is distributed, by reason and vCPU. */
public final class ExitLatencyReport implements Report {
  /** The stages of an exit in the order in which they pass. Each one's window is its field's. */
  private enum Stage {
    GUEST(Field.GUEST_TIME),
    LOOP(Field.LOOP_TIME),
    DISPATCH(Field.DISPATCH_TIME),
    DEVICE(Field.DEVICE_TIME);

    final Field field;

    Stage(Field field) {
      this.field = field;
    }

    static List<String> names() {
      List<String> names = new ArrayList<>();
      for (Stage stage : values()) {
        names.add(stage.name().toLowerCase(Locale.ROOT));
      }
      return names;
    }
  }

  private static final Stage[] STAGES = Stage.values();

  private static final TableSchema SCHEMA =
      new TableSchema(
          "exit_latency",
          "Time by reason and stage",
          "the time of one stage of the exits of one reason on one vCPU",
          List.of(
              ExitEvents.REASON,
              ExitEvents.SDM_REASON,
              ExitEvents.VCPU,
              Column.words("stage", Stage.names(), "stage of the exit; its window is in window"),
              Column.count("count", "number of exits for which this stage was timed"),
              Column.duration("total", "all of them added up"),
              Column.duration("min", "the shortest"),
              Column.duration("mean", "total through count"),
              Column.duration("p50", "50th percentile, at most 0.1 % above the exact one"),
              Column.duration("p90", "90th percentile"),
              Column.duration("p99", "99th percentile"),
              Column.duration("p99_9", "99.9th percentile"),
              Column.duration("max", "the longest"),
              Column.text("window", "what the stage's time spans")));

  private static final double[] PERCENTILES = {50, 90, 99, 99.9};

  @Override
  public String name() {
    return "exit_latency";
  }

  @Override
  public String meaning() {
    return "time in the guest, loop, dispatch and device, by reason: percentiles";
  }

  @Override
  public Set<EventType> needs() {
    return ExitEvents.TYPES;
  }

  @Override
  public Optional<Accumulator> accumulator(TraceFacts facts) {
    return Optional.of(new Latencies());
  }

  @Override
  public Optional<EventRows> rows(TraceFacts facts) {
    return Optional.empty();
  }

  private static final class Latencies implements Accumulator {
    private final ExitTally<Latency[]> latencies =
        new ExitTally<>(() -> new Latency[STAGES.length]);

    /** Durations that are none: counted, not recorded. */
    private long implausible;

    @Override
    public void accept(EventReader event) {
      int reason = event.reasonCode();
      if (reason < 0) {
        return;
      }
      Latency[] stages = latencies.at(event.vcpu(), reason);
      for (int i = 0; i < STAGES.length; i++) {
        Field field = STAGES[i].field;
        if (event.has(field)) {
          long nanos = event.get(field);
          if (!Latency.isPlausible(nanos)) {
            implausible++;
            continue;
          }
          if (stages[i] == null) {
            stages[i] = new Latency();
          }
          stages[i].record(nanos);
        }
      }
    }

    private static void mergeStages(Latency[] into, Latency[] from) {
      for (int i = 0; i < into.length; i++) {
        if (from[i] != null) {
          if (into[i] == null) {
            into[i] = new Latency();
          }
          into[i].merge(from[i]);
        }
      }
    }

    @Override
    public void merge(Accumulator other) {
      Latencies from = (Latencies) other;
      latencies.merge(from.latencies, Latencies::mergeStages);
      implausible += from.implausible;
    }

    @Override
    public List<Table> tables() {
      return List.of(table(latencies, true));
    }

    @Override
    public List<Table> summary() {
      return List.of(table(latencies.overVcpus(Latencies::mergeStages), false));
    }

    /** All vCPUs added up, called {@code REASON-stage}. */
    @Override
    public Map<String, Histogram> histograms() {
      Map<String, Histogram> histograms = new TreeMap<>();
      for (ExitTally.Entry<Latency[]> entry :
          latencies.overVcpus(Latencies::mergeStages).entries()) {
        for (Stage stage : STAGES) {
          Latency latency = entry.value()[stage.ordinal()];
          if (latency != null) {
            String name =
                ExitEvents.name(entry.reason()) + "-" + Stage.names().get(stage.ordinal());
            histograms.put(name, latency.histogram());
          }
        }
      }
      return histograms;
    }

    private Table table(ExitTally<Latency[]> latencies, boolean byVcpu) {
      List<ExitTally.Entry<Latency[]>> entries = new ArrayList<>(latencies.entries());
      entries.sort(
          Comparator.comparingLong((ExitTally.Entry<Latency[]> entry) -> -time(entry.value()))
              .thenComparingInt(ExitTally.Entry::reason)
              .thenComparingInt(ExitTally.Entry::vcpu));
      Table.Builder table = Table.builder(SCHEMA);
      for (ExitTally.Entry<Latency[]> entry : entries) {
        for (Stage stage : STAGES) {
          Latency latency = entry.value()[stage.ordinal()];
          if (latency != null) {
            appendRow(table, entry, stage, latency, byVcpu);
          }
        }
      }
      if (!byVcpu) {
        for (Stage stage : STAGES) {
          table.note(Stage.names().get(stage.ordinal()) + ": " + stage.field.meaning());
        }
      }
      if (implausible > 0) {
        table.note(implausible + " durations of more than 104 days left out: the trace is damaged");
      }
      return table.build();
    }

    /** Time of all stages: the reasons that cost most come first. */
    private static long time(Latency[] stages) {
      long sum = 0;
      for (Latency stage : stages) {
        sum += stage == null ? 0 : stage.total();
      }
      return sum;
    }

    private static void appendRow(
        Table.Builder table,
        ExitTally.Entry<Latency[]> entry,
        Stage stage,
        Latency latency,
        boolean byVcpu) {
      ExitEvents.setReason(table, entry.reason());
      if (byVcpu) {
        table.number(2, entry.vcpu());
        table.text(13, stage.field.meaning());
      }
      table.number(3, stage.ordinal());
      table.number(4, latency.count());
      table.number(5, latency.total());
      table.number(6, latency.min());
      table.number(7, latency.mean());
      for (int i = 0; i < PERCENTILES.length; i++) {
        table.number(8 + i, latency.percentile(PERCENTILES[i]));
      }
      table.number(12, latency.max());
      table.endRow();
    }
  }
}
