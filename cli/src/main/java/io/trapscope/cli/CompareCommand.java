package io.trapscope.cli;

import io.trapscope.analyzer.compare.Recordings;
import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.pipeline.TableFormat;
import io.trapscope.analyzer.report.HotspotFilter;
import io.trapscope.analyzer.report.HotspotKey;
import io.trapscope.analyzer.report.HotspotsReport;
import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Sets several recordings against several others. */
@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    customSynopsis = "trapscope compare [OPTIONS] A... -- B...",
    description = {
      "Compares the recordings A, before a change, with the recordings B, after it: exits and time by"
          + " reason, phase and hotspot, with a confidence interval where there are several a side.",
      "Exit status 4 says that one of them is incomplete; what is there is compared all the same."
    })
final class CompareCommand implements Callable<Integer> {
  private static final String SEPARATOR = "--";

  @ParentCommand private TrapscopeCommand parent;
  @Spec private CommandSpec spec;

  @Parameters(arity = "0..*", paramLabel = "A... -- B...", description = "The traces' directories.")
  private List<Path> traces = List.of();

  @Option(
      names = "--by",
      paramLabel = "COLUMNS",
      description = "What makes a hotspot, as in analyze (default: target,direction,size).")
  private String keys = "target,direction,size";

  @Option(
      names = "--symbols",
      paramLabel = "FILE",
      description = {
        "What names guest addresses, as in analyze; given twice, first for A, then for B (default:"
            + " the kernel that was recorded, where it is still there)."
      })
  private List<Path> symbols = List.of();

  @Option(names = "--json", description = "Print JSON instead of tables.")
  private boolean json;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      description = "Write the tables to files there.")
  private Path output;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      converter = OptionValues.Formats.class,
      completionCandidates = OptionValues.Formats.class,
      description = "Format of the files: ${COMPLETION-CANDIDATES} (default: arrow).")
  private TableFormat format = TableFormat.ARROW;

  @Option(names = "--html", paramLabel = "FILE", description = "Write a page too: one file.")
  private Path html;

  @Override
  public Integer call() {
    int separator = spec.commandLine().getParseResult().originalArgs().lastIndexOf(SEPARATOR);
    int second =
        separator < 0
            ? 0
            : spec.commandLine().getParseResult().originalArgs().size() - separator - 1;
    int first = traces.size() - second;
    if (first < 1 || second < 1) {
      throw UserError.badInput("name the traces of both sides, with -- between them: A... -- B...");
    }
    checkOrder();
    if (output == null && GivenOptions.of(spec).any("--format")) {
      throw UserError.badInput("--format goes with -o");
    }
    List<HotspotKey> by = UserError.of("--by", () -> HotspotOptions.keys(keys));
    List<Report> reports = reports(by);
    List<Results> results = new ArrayList<>();
    if (symbols.size() > 2) {
      throw UserError.badInput("--symbols: one file, or one for each side");
    }
    OutputFiles.check(html);
    OutputFiles.checkFolders(output);
    traces.forEach(trace -> OutputFiles.checkSpared(trace, output, html));
    GuestSymbols names = new GuestSymbols();
    try (ReadingProgress progress = new ReadingProgress(parent.err())) {
      for (int i = 0; i < traces.size(); i++) {
        progress.begin("reading trace " + (i + 1) + " of " + traces.size());
        TraceReader trace = Traces.open(traces.get(i));
        results.add(
            Analysis.of(trace)
                .reports(reports)
                .symbols(names.of(symbols(i < first), trace))
                .threads(Runtime.getRuntime().availableProcessors())
                .progress(progress::at)
                .run());
      }
    }
    Recordings recordings =
        new Recordings(
            results.subList(0, first), results.subList(first, results.size()), names(by));
    StandardOutput.untilClosed(() -> print(recordings));
    write(recordings);
    return recordings.isComplete() ? ExitStatus.DONE : ExitStatus.INCOMPLETE;
  }

  private Path symbols(boolean ofFirstSide) {
    return symbols.isEmpty() ? null : symbols.get(ofFirstSide ? 0 : symbols.size() - 1);
  }

  /** An option behind the separator would be taken for a trace. */
  private void checkOrder() {
    for (Path trace : traces) {
      if (trace.toString().startsWith("-") && !Files.exists(trace)) {
        throw UserError.badInput(
            trace + ": options come before the traces: compare [OPTIONS] A... -- B...");
      }
    }
  }

  private static List<String> names(List<HotspotKey> keys) {
    return keys.stream().map(HotspotKey::title).toList();
  }

  private static List<Report> reports(List<HotspotKey> keys) {
    return List.of(
        Reports.named("exit_histogram"),
        Reports.named("phases"),
        new HotspotsReport(keys, HotspotFilter.ALL, HotspotsReport.DEFAULT_SORT, 0));
  }

  private void print(Recordings recordings) {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      Json.print(out, recordings::writeJson);
      return;
    }
    try {
      recordings.writeText(out, Terminals.width());
    } catch (IOException e) {
      throw UserError.hostLacks("cannot write to standard output: " + e.getMessage(), e);
    }
  }

  /** Writes the files that are asked for, and prints which are there, whatever happens. */
  private void write(Recordings recordings) {
    List<Path> files = new ArrayList<>();
    try {
      if (output != null) {
        files.addAll(recordings.write(output, format));
      }
      if (html != null) {
        recordings.writeHtml(html);
        files.add(html);
      }
    } catch (IOException e) {
      throw UserError.unwritable(e.getMessage(), e);
    } finally {
      if (!json) {
        OutputFiles.print(spec.commandLine().getOut(), files);
      }
    }
  }
}
