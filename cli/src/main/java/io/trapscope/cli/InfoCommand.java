package io.trapscope.cli;

import io.trapscope.recorder.capture.HostRecorder;
import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.trace.Anomalies;
import io.trapscope.recorder.trace.TraceEnd;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceReader;
import io.trapscope.vmm.perf.KernelTracing;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what a trace is; of its events it reads the last ones only. */
@Command(
    name = "info",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Says what a trace is: what ran, where, how it ended, what it holds and what it cannot hold.",
      "Exit status 4 says that the recording was cut off or lost events, or that a stream ends early;",
      "what is wrong further in a stream only analyze shows."
    })
final class InfoCommand implements Callable<Integer> {
  private static final int MEBI_SHIFT = 20;

  /** Whose counters have a table of their own. */
  private static final Set<String> OF_TRACEPOINTS =
      Set.of(KernelTracing.COUNTED, KernelTracing.READ, HostRecorder.SELECTED);

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "TRACE", description = "The trace's directory.")
  private Path trace;

  @Option(names = "--json", description = "Print JSON instead of text.")
  private boolean json;

  @Override
  public Integer call() {
    TraceReader reader = Traces.open(trace);
    Anomalies anomalies = reader.anomaliesAtEnds();
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      printJson(out, reader, anomalies);
    } else {
      printText(out, reader, anomalies);
    }
    return anomalies.isIncomplete() ? ExitStatus.INCOMPLETE : ExitStatus.DONE;
  }

  private static void printText(PrintWriter out, TraceReader reader, Anomalies anomalies) {
    TraceHeader header = reader.header();
    row(out, "trace", reader.directory() + ", format " + header.formatVersion());
    row(out, "made by", header.product() + ": " + String.join(" ", header.commandLine()));
    row(out, "begun", instant(header.clocks().epochNanos()));
    row(out, "accel", header.backEnd().name() + ": " + header.backEnd().why());
    row(
        out,
        "host",
        header.host().cpu() + ", " + header.host().cpus() + " CPUs, " + header.host().kernel());
    row(out, "machine", machine(header));
    for (TraceHeader.Image image : header.images()) {
      row(
          out,
          image.role(),
          image.path()
              + ", "
              + image.bytes()
              + " bytes, "
              + (image.sha256().isEmpty() ? "not hashed" : "sha256 " + image.sha256())
              + (KeptFiles.find(reader.directory(), image).isPresent() ? ", kept" : ""));
    }
    printEnd(out, reader);
    anomalies.warnings().forEach(text -> row(out, "warning", text));
    for (TraceHeader.VcpuThread vcpu : header.threads()) {
      out.println(Facts.row(vcpu));
    }
    row(out, "recorded", String.join(", ", header.surfaced().stream().map(Enum::name).toList()));
    for (Map.Entry<String, List<String>> entry : unseenByCause(header).entrySet()) {
      row(out, "not seen", String.join(", ", entry.getValue()) + ": " + entry.getKey());
    }
    header.notes().forEach((key, text) -> note(out, key, text));
    printCounters(out, header, reader.end());
  }

  /** Of another VMM's guest the number of vCPUs is all that is known. */
  private static String machine(TraceHeader header) {
    String model = header.guestCpu().model();
    long memory = header.memoryBytes() >> MEBI_SHIFT;
    return header.cpus()
        + " vCPU"
        + (header.cpus() == 1 ? "" : "s")
        + (model.isEmpty() ? "" : " (" + model + ")")
        + (memory == 0 ? "" : ", " + memory + " MiB");
  }

  /** The host's counters that show anything but 0, at the start and at the end. */
  private static void printCounters(
      PrintWriter out, TraceHeader header, Optional<TraceEnd> traceEnd) {
    List<Counter> end = traceEnd.map(TraceEnd::counters).orElse(header.counters());
    List<String> lines = new ArrayList<>();
    for (Counter counter : end) {
      if (counter.total() != 0 && !OF_TRACEPOINTS.contains(counter.of())) {
        long before = total(header.counters(), counter.of(), counter.name());
        lines.add(
            String.format(
                Locale.ROOT,
                "  %-9s %-32s %,15d %,15d %s",
                counter.of(),
                counter.name(),
                counter.total(),
                counter.isGrowing() ? counter.total() - before : counter.total(),
                unit(counter)));
      }
    }
    section(out, "counters of the host: at the end, gained since the begin, unit", lines);
    printTracepoints(out, end);
  }

  /** Of another VMM's guests also how many of a host's records were theirs. */
  private static void printTracepoints(PrintWriter out, List<Counter> end) {
    boolean attached = end.stream().anyMatch(each -> each.of().equals(HostRecorder.SELECTED));
    List<String> lines = new ArrayList<>();
    for (Counter counter : end) {
      if (counter.of().equals(KernelTracing.COUNTED)) {
        long read = total(end, KernelTracing.READ, counter.name());
        long theirs = total(end, HostRecorder.SELECTED, counter.name());
        lines.add(
            String.format(Locale.ROOT, "  %-42s %,15d %,15d", counter.name(), counter.total(), read)
                + (attached ? String.format(Locale.ROOT, " %,15d", theirs) : ""));
      }
    }
    String title = "tracepoints: hits as the kernel counts them, records read";
    section(out, title + (attached ? ", those of the recorded guests" : ""), lines);
  }

  private static long total(List<Counter> counters, String of, String name) {
    return counters.stream()
        .filter(counter -> counter.of().equals(of) && counter.name().equals(name))
        .mapToLong(Counter::total)
        .findFirst()
        .orElse(0);
  }

  private static void section(PrintWriter out, String title, List<String> lines) {
    if (!lines.isEmpty()) {
      out.println(title);
      lines.forEach(line -> out.println(line.stripTrailing()));
    }
  }

  private static String unit(Counter counter) {
    String unit =
        switch (counter.kind()) {
          case CUMULATIVE, INSTANT, PEAK ->
              counter.unit() == Counter.Unit.NONE
                  ? ""
                  : counter.unit().name().toLowerCase(Locale.ROOT);
          case LINEAR_HISTOGRAM, LOG_HISTOGRAM -> "times (a histogram)";
        };
    boolean scaled = !unit.isEmpty() && counter.exponent() != 0;
    return scaled ? counter.base() + "^" + counter.exponent() + " " + unit : unit;
  }

  private static void printEnd(PrintWriter out, TraceReader reader) {
    Optional<TraceEnd> end = reader.end();
    if (end.isEmpty()) {
      row(out, "end", "none: the recording was cut off, or still goes on");
    } else {
      String how = end.get().how() == null ? "unknown" : end.get().how().name();
      row(
          out,
          "end",
          how.toLowerCase(Locale.ROOT)
              + (end.get().text().isEmpty() ? "" : ": " + end.get().text())
              + ", "
              + instant(end.get().epochNanos()));
      row(
          out,
          "holds",
          String.format(Locale.ROOT, "%,d events, %,d lost", end.get().events(), end.get().lost()));
    }
    row(out, "size", String.format(Locale.ROOT, "%,d bytes", reader.bytes()));
  }

  private static void note(PrintWriter out, String key, String text) {
    if (text.contains("\n")) {
      out.println(key + ":");
      text.lines().forEach(line -> out.println("  " + line));
    } else {
      row(out, key, text);
    }
  }

  private static void row(PrintWriter out, String name, String text) {
    out.println(Facts.row(name, text));
  }

  private static Map<String, List<String>> unseenByCause(TraceHeader header) {
    Map<String, List<String>> byCause = new TreeMap<>();
    for (Map.Entry<ExitReason, String> entry : header.unseen().entrySet()) {
      byCause
          .computeIfAbsent(entry.getValue(), cause -> new ArrayList<>())
          .add(entry.getKey().name());
    }
    return byCause;
  }

  private static String instant(long epochNanos) {
    return Instant.ofEpochMilli(TimeUnit.NANOSECONDS.toMillis(epochNanos)).toString();
  }

  private static void printJson(PrintWriter out, TraceReader reader, Anomalies anomalies) {
    Json.print(
        out,
        json -> {
          json.writeStartObject();
          json.writeStringField("directory", reader.directory().toString());
          json.writeFieldName("header");
          json.writeRawValue(reader.header().toJson().strip());
          if (reader.end().isPresent()) {
            TraceEnd end = reader.end().get();
            json.writeObjectFieldStart("end");
            json.writeStringField("how", end.how() == null ? "UNKNOWN" : end.how().name());
            json.writeNumberField("detail", end.detail());
            json.writeStringField("text", end.text());
            json.writeNumberField("epoch_ns", end.epochNanos());
            json.writeNumberField("events", end.events());
            json.writeNumberField("lost", end.lost());
            json.writeFieldName("counters");
            json.writeRawValue(end.countersJson().strip());
            json.writeEndObject();
          } else {
            json.writeNullField("end");
          }
          json.writeNumberField("bytes", reader.bytes());
          json.writeArrayFieldStart("kept_files");
          for (TraceHeader.Image image : reader.header().images()) {
            if (KeptFiles.find(reader.directory(), image).isPresent()) {
              json.writeString(image.path());
            }
          }
          json.writeEndArray();
          json.writeBooleanField("complete", !anomalies.isIncomplete());
          json.writeArrayFieldStart("warnings");
          for (String text : anomalies.warnings()) {
            json.writeString(text);
          }
          json.writeEndArray();
          json.writeEndObject();
        });
  }
}
