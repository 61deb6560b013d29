package io.trapscope.analyzer.report;

import java.util.List;
import java.util.stream.Stream;

/** Every report there is. */
public final class Reports {
  private static final List<Report> ALL =
      List.of(
          new CoverageReport(),
          new ExitHistogramReport(),
          new ExitLatencyReport(),
          new MemoryTranslationReport(),
          new ExitsReport());

  /** Made only when asked for by name. */
  private static final List<Report> FURTHER = List.of(new HotspotsReport());

  private Reports() {}

  /** Those that are made unless others are named, in the order in which their tables are shown. */
  public static List<Report> all() {
    return ALL;
  }

  /** Every report that has a name. */
  public static List<Report> known() {
    return Stream.concat(ALL.stream(), FURTHER.stream()).toList();
  }

  /** The report with this name, or null. */
  public static Report named(String name) {
    for (Report report : known()) {
      if (report.name().equals(name)) {
        return report;
      }
    }
    return null;
  }
}
