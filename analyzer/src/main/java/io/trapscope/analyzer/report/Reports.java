package io.trapscope.analyzer.report;

import java.util.List;

/** Every report there is. */
public final class Reports {
  private static final List<Report> ALL =
      List.of(
          new CoverageReport(),
          new ExitHistogramReport(),
          new ExitLatencyReport(),
          new HotspotsReport(),
          new RegisterUseReport(),
          new PhasesReport(),
          new TimelineReport(),
          new ConsoleReport(),
          new MemoryTranslationReport(),
          new ExitsReport());

  private Reports() {}

  /** All, in the order in which their tables are shown. */
  public static List<Report> all() {
    return ALL;
  }

  /** The report with this name, or null. */
  public static Report named(String name) {
    for (Report report : ALL) {
      if (report.name().equals(name)) {
        return report;
      }
    }
    return null;
  }
}
