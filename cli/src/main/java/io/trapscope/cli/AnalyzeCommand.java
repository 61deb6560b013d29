package io.trapscope.cli;

import io.trapscope.analyzer.compare.Budget;
import io.trapscope.analyzer.folded.FoldedStacks;
import io.trapscope.analyzer.perfetto.PerfettoTrace;
import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.pipeline.TableFormat;
import io.trapscope.analyzer.pipeline.WatchedTrace;
import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Turns a trace into tables, on the terminal and in files. */
@Command(
    name = "analyze",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Turns a trace into tables, on the terminal and in files.",
      "Exit status 4 says that the trace is incomplete; what is there is analyzed all the same."
    })
final class AnalyzeCommand implements Callable<Integer> {
  /** Where the Arrow files go without {@code -o}, inside the trace. */
  static final String DIRECTORY = "analysis";

  @ParentCommand private TrapscopeCommand parent;
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "TRACE", description = "The trace's directory.")
  private Path trace;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      description = {
        "Where the tables' files go, all of them or none (default: TRACE/" + DIRECTORY + ")."
      })
  private Path output;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      converter = OptionValues.Formats.class,
      completionCandidates = OptionValues.Formats.class,
      description = "Format of the files: ${COMPLETION-CANDIDATES} (default: arrow).")
  private TableFormat format = TableFormat.ARROW;

  @Option(
      names = "--max-rows",
      paramLabel = "N",
      defaultValue = "10000000",
      description = {
        "Write no tables with a row an event where the trace has more exits than that (default:"
            + " ${DEFAULT-VALUE}; a million rows of exits are some 300 MB)."
      })
  private long maxRows;

  @Option(
      names = "--hgrm",
      paramLabel = "DIR",
      description = "Write latency distributions there too, as HdrHistogram percentile files.")
  private Path histograms;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Write a page with everything too: one file, no network.")
  private Path html;

  @Option(
      names = "--perfetto",
      paramLabel = "FILE",
      description = "Write a Perfetto trace too, for ui.perfetto.dev.")
  private Path perfetto;

  @Option(
      names = "--folded",
      paramLabel = "FILE",
      description = {
        "Write call stacks too, folded for flame graphs; needs a trace of record --stacks."
      })
  private Path folded;

  @Option(
      names = "--weight",
      paramLabel = "WHAT",
      defaultValue = "count",
      converter = OptionValues.Weights.class,
      completionCandidates = OptionValues.Weights.class,
      description = {
        "With --folded: what a stack weighs: count (exits), guest_ns (guest time before them) or"
            + " handling_ns (default: ${DEFAULT-VALUE})."
      })
  private FoldedStacks.Weight weight;

  @Option(
      names = "--budget",
      paramLabel = "FILE",
      description = {
        "Exit with status 1 and name what broke where the run has more exits, or takes more time,"
            + " than the file allows."
      })
  private Path budget;

  @Option(
      names = "--report",
      paramLabel = "NAME",
      description = "Make only this report; may be repeated.")
  private List<String> reports = List.of();

  @Mixin private HotspotOptions hotspots;

  @Mixin private TimeOptions times;

  @Option(names = "--json", description = "Print JSON instead of tables.")
  private boolean json;

  @Override
  public Integer call() {
    if (maxRows < 0) {
      throw UserError.badInput("--max-rows takes a number of exits, not " + maxRows);
    }
    if (folded == null && GivenOptions.of(spec).any("--weight")) {
      throw UserError.badInput("--weight goes with --folded");
    }
    OutputFiles.check(html, perfetto, folded);
    OutputFiles.checkFolders(output, histograms);
    OutputFiles.checkSpared(trace, output, histograms, html, perfetto, folded);
    Budget limits = budget == null ? null : limits();
    List<Report> chosen = chosen(limits == null ? List.of() : limits.reports());
    ReadingProgress progress = new ReadingProgress(parent.err());
    TraceReader reader = new WatchedTrace(Traces.open(trace), progress::at);
    if (folded != null && !reader.header().notes().containsKey(RecordingHeader.STACKS)) {
      throw UserError.badInput(trace + " has no call stacks: record it with --stacks");
    }
    Results results;
    try (progress) {
      progress.begin("reading the trace");
      results =
          Analysis.of(reader)
              .reports(chosen)
              .symbols(hotspots.symbols(reader))
              .bucket(times.bucketNanos())
              .threads(Runtime.getRuntime().availableProcessors())
              .progress(progress::at)
              .run();
    }
    StandardOutput.untilClosed(() -> print(results));
    List<String> written = new ArrayList<>();
    try (progress) {
      write(results, reader, progress, written);
    } catch (IOException e) {
      throw UserError.unwritable(e.getMessage(), e);
    } finally {
      if (!json) {
        OutputFiles.print(spec.commandLine().getOut(), written);
      }
    }
    List<String> broken = limits == null ? List.of() : limits.broken(results);
    broken.forEach(line -> spec.commandLine().getErr().println("over budget: " + line));
    if (!results.isComplete()) {
      return ExitStatus.INCOMPLETE; // what is lost might have broken a limit too
    }
    return broken.isEmpty() ? ExitStatus.DONE : ExitStatus.OVER_BUDGET;
  }

  /** Writes every file that is asked for, and adds a line for each. */
  private void write(
      Results results, TraceReader reader, ReadingProgress progress, List<String> written)
      throws IOException {
    progress.begin("writing tables");
    boolean rows = results.info().exits() <= maxRows;
    writeTables(results, rows).forEach(file -> written.add(file.toString()));
    if (!rows) {
      String left = "no tables with a row an event: %,d exits are more than %,d (--max-rows)%n";
      parent.err().printf(Locale.ROOT, left, results.info().exits(), maxRows);
    }
    if (histograms != null) {
      int count = results.writeHistograms(histograms).size();
      written.add(histograms.resolve("*.hgrm") + " (" + count + ")");
    }
    if (html != null) {
      progress.begin("writing the page");
      results.writeHtml(html);
      written.add(html.toString());
    }
    if (folded != null) {
      progress.begin("adding up call stacks");
      written.add(folded + " (" + results.writeFolded(folded, weight).describe() + ")");
    }
    if (perfetto != null) {
      progress.begin("writing the Perfetto trace");
      PerfettoTrace.write(reader, perfetto);
      written.add(perfetto.toString());
    }
  }

  private List<Path> writeTables(Results results, boolean rows) throws IOException {
    if (output != null) {
      return results.write(output, format, rows);
    }
    try {
      return results.write(trace.resolve(DIRECTORY), format, rows);
    } catch (IOException e) {
      throw new IOException(e.getMessage() + "; -o names another folder", e);
    }
  }

  private Budget limits() {
    if (!Files.isReadable(budget) || Files.isDirectory(budget)) {
      throw UserError.badInput("cannot read a budget from " + budget);
    }
    try {
      return Budget.read(budget);
    } catch (IllegalArgumentException e) {
      throw UserError.badInput(budget + ": " + e.getMessage(), e);
    } catch (IOException e) {
      throw UserError.badInput("cannot read a budget from " + budget + ": " + e.getMessage(), e);
    }
  }

  private List<Report> chosen(List<String> needed) {
    List<Report> chosen = new ArrayList<>();
    for (String name : reports) {
      Report report = Reports.named(name);
      if (report == null) {
        throw UserError.badInput(
            "there is no report '"
                + name
                + "'; there are "
                + Reports.all().stream().map(Report::name).collect(Collectors.joining(", ")));
      }
      if (!chosen.contains(report)) {
        chosen.add(report);
      }
    }
    List<Report> shaped = times.reports();
    hotspots.report().ifPresent(shaped::add);
    if (chosen.isEmpty() && (shaped.isEmpty() || html != null)) {
      chosen.addAll(Reports.all());
    }
    for (Report own : shaped) {
      chosen.replaceAll(report -> report.name().equals(own.name()) ? own : report);
      if (!chosen.contains(own)) {
        chosen.add(own);
      }
    }
    if (histograms != null) {
      alsoMake(chosen, "exit_latency");
    }
    needed.forEach(name -> alsoMake(chosen, name));
    if (folded != null) {
      alsoMake(chosen, "hotspots"); // which symbols are found for, too
    }
    return chosen;
  }

  /** Adds a report unless it, or one of one's own by the same name, is chosen already. */
  private static void alsoMake(List<Report> chosen, String name) {
    if (chosen.stream().noneMatch(report -> report.name().equals(name))) {
      chosen.add(Reports.named(name));
    }
  }

  /** Tables come before files, so that nobody waits for a disk to see them. */
  private void print(Results results) {
    PrintWriter out = spec.commandLine().getOut();
    try {
      if (json) {
        results.writeJson(out);
      } else {
        results.writeText(out, Terminals.width());
      }
      out.flush();
    } catch (IOException e) {
      throw UserError.hostLacks("cannot write to standard output: " + e.getMessage(), e);
    }
  }
}
