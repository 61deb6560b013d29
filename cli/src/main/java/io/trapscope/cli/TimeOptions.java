package io.trapscope.cli;

import io.trapscope.analyzer.report.Mark;
import io.trapscope.analyzer.report.PhasesReport;
import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.report.Reports;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/**
 * The options that shape the reports {@code phases} and {@code timeline}; each asks for its own.
 */
final class TimeOptions {
  @Option(
      names = "--mark",
      paramLabel = "NAME=WHAT",
      description = {
        "Phases: one begins where this comes first: NAME=text:REGEX on the console,"
            + " NAME=port:PORT[=VALUE], NAME=hypercall:NUMBER, NAME=symbol:FUNCTION, or"
            + " NAME=where:FILTER. May be repeated."
      })
  private List<String> marks = List.of();

  @Option(
      names = "--bucket",
      paramLabel = "DURATION",
      converter = Quantities.DurationConverter.class,
      description = "Timeline: length of its buckets, such as 10ms (default: up to 200 of them).")
  private Duration bucket;

  /**
   * The reports that the options ask for.
   *
   * @throws UserError where one of them makes no sense
   */
  List<Report> reports() {
    List<Report> reports = new ArrayList<>();
    if (!marks.isEmpty()) {
      List<Mark> parsed = UserError.of("--mark", () -> marks.stream().map(Mark::parse).toList());
      reports.add(new PhasesReport(parsed));
    }
    if (bucket != null) {
      reports.add(Reports.named("timeline"));
    }
    return reports;
  }

  /** Length of a bucket in ns; 0 where nobody has asked for one. */
  long bucketNanos() {
    return bucket == null ? 0 : bucket.toNanos();
  }
}
