package io.trapscope.cli;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.trace.TraceEnd;
import io.trapscope.vmm.run.RunResult;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What {@code record} says at the end. */
final class RecordSummary {
  private static final double MILLION = 1e6;
  private static final double NANOS_A_SECOND = 1e9;

  /** Lines of the table, at most. */
  private static final int MOST_ANOMALIES = 5;

  private final RecordPlan plan;
  private final Recorded recorded;

  RecordSummary(RecordPlan plan, Recorded recorded) {
    this.plan = plan;
    this.recorded = recorded;
  }

  /** A few lines for people. */
  void printText(PrintStream out) {
    RunResult run = recorded.result();
    row(out, "guest", plan.guest().boot().description());
    row(
        out,
        "accel",
        recorded.header().backEnd().name() + ": " + recorded.header().backEnd().why());
    row(out, "end", endText(run));
    row(
        out,
        "exits",
        String.format(
            Locale.ROOT,
            "%,d in %s; %,.0f a second, %,.0f ns an exit",
            run.exits(),
            seconds(run.hostNanos()),
            run.exitRate(),
            nanosPerExit(run)));
    if (run.instructions() >= 0) {
      row(
          out,
          "guest code",
          String.format(
              Locale.ROOT,
              "%,d instructions, %.1f million a second; %s of guest time",
              run.instructions(),
              instructionsPerSecond(run) / MILLION,
              seconds(run.guestNanos())));
    }
    if (run.unclaimedReads() + run.unclaimedWrites() > 0) {
      row(
          out,
          "unclaimed",
          String.format(
              Locale.ROOT,
              "%,d reads and %,d writes that no device answers",
              run.unclaimedReads(),
              run.unclaimedWrites()));
    }
    printAnomalies(out, run.anomalies());
    if (plan.directory() != null) {
      printTrace(out);
    }
  }

  /** What the guest asked for and did not get. */
  private static void printAnomalies(PrintStream out, List<String> lines) {
    int shown = lines.size() <= MOST_ANOMALIES ? lines.size() : MOST_ANOMALIES - 1;
    for (String line : lines.subList(0, shown)) {
      row(out, "anomaly", line);
    }
    if (shown < lines.size()) {
      row(out, "anomaly", (lines.size() - shown) + " more; --json has them all");
    }
  }

  private void printTrace(PrintStream out) {
    TraceEnd end = recorded.end();
    if (end != null) {
      row(
          out,
          "trace",
          String.format(
              Locale.ROOT,
              "%s: %,d events, %,d bytes, %.1f bytes an event",
              plan.directory(),
              end.events(),
              end.bytes(),
              end.events() == 0 ? 0.0 : (double) end.bytes() / end.events()));
      row(out, "lost", end.lost() == 0 ? "nothing" : lost(end));
    }
    if (!recorded.failure().isEmpty()) {
      row(out, "failure", recorded.failure());
    }
    Map<ExitReason, String> unseen = recorded.header().unseen();
    row(
        out,
        "coverage",
        recorded.header().surfaced().size()
            + " kinds of exit recorded"
            + (unseen.isEmpty()
                ? ""
                : ", " + unseen.size() + " cannot be seen here (trapscope info names them)"));
    KernelEvents.refusal(recorded.header(), plan.events())
        .ifPresent(why -> row(out, "kernel", why));
  }

  private static String lost(TraceEnd end) {
    return String.format(Locale.ROOT, "%,d of %,d events", end.lost(), end.lost() + end.events());
  }

  private static void row(PrintStream out, String name, String text) {
    out.println(Facts.row(name, text));
  }

  private static String endText(RunResult run) {
    String kind = run.end().name().toLowerCase(Locale.ROOT).replace('_', ' ');
    return run.text().isEmpty() || run.text().equals(kind) ? kind : kind + ": " + run.text();
  }

  private static String seconds(long nanos) {
    return String.format(Locale.ROOT, "%.3f s", nanos / NANOS_A_SECOND);
  }

  private static double nanosPerExit(RunResult run) {
    return run.exits() == 0 ? 0 : (double) run.hostNanos() / run.exits();
  }

  private static double instructionsPerSecond(RunResult run) {
    return run.hostNanos() <= 0 ? 0 : run.instructions() * NANOS_A_SECOND / run.hostNanos();
  }

  /** One JSON object. */
  void printJson(PrintStream stream) {
    RunResult run = recorded.result();
    PrintWriter out = new PrintWriter(stream, true, StandardCharsets.UTF_8);
    Json.print(
        out,
        json -> {
          json.writeStartObject();
          json.writeStringField("guest", plan.guest().name());
          json.writeStringField("accel", recorded.header().backEnd().name());
          json.writeStringField("end", run.end().name());
          json.writeNumberField("end_detail", run.detail());
          json.writeStringField("end_text", run.text());
          json.writeNumberField("exits", run.exits());
          json.writeNumberField("host_ns", run.hostNanos());
          json.writeNumberField("guest_ns", run.guestNanos());
          json.writeNumberField("ns_per_exit", nanosPerExit(run));
          if (run.instructions() >= 0) {
            json.writeNumberField("instructions", run.instructions());
            json.writeNumberField("instructions_per_second", instructionsPerSecond(run));
          }
          json.writeNumberField("console_bytes", run.consoleBytes());
          json.writeNumberField("unclaimed_reads", run.unclaimedReads());
          json.writeNumberField("unclaimed_writes", run.unclaimedWrites());
          json.writeArrayFieldStart("anomalies");
          for (String line : run.anomalies()) {
            json.writeString(line);
          }
          json.writeEndArray();
          json.writeObjectFieldStart("exits_by_reason");
          for (ExitReason reason : ExitReason.values()) {
            if (run.exits(reason) > 0) {
              json.writeNumberField(reason.name(), run.exits(reason));
            }
          }
          json.writeEndObject();
          TraceEnd end = recorded.end();
          if (end != null) {
            json.writeStringField("trace", plan.directory().toString());
            json.writeNumberField("events", end.events());
            json.writeNumberField("bytes", end.bytes());
            json.writeNumberField("lost", end.lost());
          }
          if (!recorded.failure().isEmpty()) {
            json.writeStringField("failure", recorded.failure());
          }
          json.writeObjectFieldStart("unseen");
          for (Map.Entry<ExitReason, String> entry : recorded.header().unseen().entrySet()) {
            json.writeStringField(entry.getKey().name(), entry.getValue());
          }
          json.writeEndObject();
          json.writeEndObject();
        });
  }
}
