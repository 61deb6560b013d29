package io.trapscope.cli;

import io.trapscope.analyzer.report.HotspotFilter;
import io.trapscope.analyzer.report.HotspotKey;
import io.trapscope.analyzer.report.HotspotsReport;
import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.symbols.SymbolTable;
import io.trapscope.recorder.trace.TraceReader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/** The options that shape the report {@code hotspots}; any of them but symbols asks for it. */
final class HotspotOptions {
  @Option(
      names = "--by",
      paramLabel = "COLUMNS",
      description =
          "Hotspots: what makes a row, such as target,direction,function (default:"
              + " device,register,target,direction,size,location,vcpu).")
  private String by;

  @Option(
      names = "--where",
      paramLabel = "FILTER",
      description = "Hotspots: which exits count, such as event=PIO,port>=0x3f8,cpl=0.")
  private String where;

  @Option(
      names = "--sort",
      paramLabel = "COLUMN",
      description =
          "Hotspots: the column that orders rows, numbers with the largest first, text from A to Z"
              + " (default: count).")
  private String sort;

  @Option(
      names = "--top",
      paramLabel = "N",
      description =
          "Hotspots: rows shown, 0 for all (default: "
              + HotspotsReport.DEFAULT_TOP
              + "); files hold all.")
  private Integer top;

  @Option(
      names = "--symbols",
      paramLabel = "FILE",
      description = {
        "What names guest addresses: vmlinux, vmlinuz, another ELF file, System.map or kallsyms"
            + " text, also compressed (default: the kernel that was recorded, where it is still"
            + " there)."
      })
  private Path symbols;

  /**
   * The report that the options ask for; empty where none of them is given.
   *
   * @throws UserError where one of them makes no sense
   */
  Optional<Report> report() {
    if (by == null && where == null && sort == null && top == null) {
      return Optional.empty();
    }
    if (top != null && top < 0) {
      throw UserError.badInput("--top takes a number of rows, 0 for all, not " + top);
    }
    try {
      List<HotspotKey> keys =
          by == null
              ? HotspotsReport.DEFAULT_KEYS
              : Arrays.stream(by.split(",")).map(String::strip).map(HotspotKey::named).toList();
      return Optional.of(
          new HotspotsReport(
              keys,
              where == null ? HotspotFilter.ALL : HotspotFilter.parse(where),
              sort == null ? HotspotsReport.DEFAULT_SORT : sort,
              top == null ? HotspotsReport.DEFAULT_TOP : top));
    } catch (IllegalArgumentException e) {
      throw UserError.badInput(e.getMessage(), e);
    }
  }

  /**
   * Names of guest addresses, once the trace has been read.
   *
   * @throws UserError where the file cannot be used
   */
  Supplier<SymbolTable> symbols(TraceReader trace) {
    return new GuestSymbols().of(symbols, trace);
  }
}
