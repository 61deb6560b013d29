package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.tally.Latencies;
import io.trapscope.analyzer.tally.Latency;
import io.trapscope.analyzer.tally.Part;
import io.trapscope.analyzer.tally.Stage;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/** {@code exit_latency}: how the time of each stage is distributed, by reason and vCPU. */
public final class ExitLatencyReport implements Report {
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
              Column.words(
                  "stage",
                  Arrays.stream(STAGES).map(Stage::title).toList(),
                  "stage of the exit; its window is in window"),
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
    return "time in the guest, kernel, loop, dispatch, device and VMM, by reason: percentiles";
  }

  @Override
  public Set<Part> needs() {
    return EnumSet.of(Part.LATENCIES);
  }

  @Override
  public List<Table> tables(Findings found) {
    return List.of(table(found, true));
  }

  @Override
  public List<Table> summary(Findings found) {
    return List.of(table(found, false));
  }

  /** All vCPUs added up, called {@code REASON-stage}. */
  @Override
  public Map<String, Histogram> histograms(Findings found) {
    Map<String, Histogram> histograms = new TreeMap<>();
    for (Latencies.Entry entry : found.tally().latencies().overVcpus()) {
      for (Stage stage : STAGES) {
        Latency latency = entry.stages()[stage.ordinal()];
        if (latency != null) {
          String name = ExitEvents.name(entry.reason()) + "-" + stage.title();
          histograms.put(name, latency.histogram());
        }
      }
    }
    return histograms;
  }

  private static Table table(Findings found, boolean byVcpu) {
    Latencies latencies = found.tally().latencies();
    Map<String, String> notes = found.facts().notes();
    List<Latencies.Entry> entries = byVcpu ? latencies.entries() : latencies.overVcpus();
    entries.sort(
        Comparator.comparingLong((Latencies.Entry entry) -> -entry.time())
            .thenComparingInt(Latencies.Entry::reason)
            .thenComparingInt(Latencies.Entry::vcpu));
    Table.Builder table = Table.builder(SCHEMA);
    for (Latencies.Entry entry : entries) {
      for (Stage stage : STAGES) {
        Latency latency = entry.stages()[stage.ordinal()];
        if (latency != null) {
          appendRow(table, entry, stage, latency);
          if (byVcpu) {
            ExitEvents.setVcpu(table, entry.vcpu());
            table.text(13, stage.window(notes));
          }
          table.endRow();
        }
      }
    }
    for (Stage stage : STAGES) {
      boolean told = entries.stream().anyMatch(each -> each.stages()[stage.ordinal()] != null);
      if (told && !byVcpu) {
        table.note(stage.title() + ": " + stage.window(notes));
      }
    }
    if (latencies.implausible() > 0) {
      table.note(
          latencies.implausible()
              + " durations of more than 104 days left out: the trace is damaged");
    }
    return table.build();
  }

  private static void appendRow(
      Table.Builder table, Latencies.Entry entry, Stage stage, Latency latency) {
    ExitEvents.setReason(table, entry.reason());
    table.number(3, stage.ordinal());
    table.number(4, latency.count());
    table.number(5, latency.total());
    table.number(6, latency.min());
    table.number(7, latency.mean());
    long[] percentiles = latency.percentiles(PERCENTILES);
    for (int i = 0; i < PERCENTILES.length; i++) {
      table.number(8 + i, percentiles[i]);
    }
    table.number(12, latency.max());
  }
}
