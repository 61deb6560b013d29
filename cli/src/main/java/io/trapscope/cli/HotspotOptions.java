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
          "Hotspots: what makes a row, some of event, reason, device, register, target, direction,"
              + " size, function, offset, location, rip, space, vcpu, cpl, mode (default: device,"
              + "register,target,direction,size,location,vcpu).")
  private String by;

  @Option(
      names = "--where",
      paramLabel = "FILTER",
      description =
          "Hotspots: which exits count, such as event=PIO,port>=0x3f8,function~serial: columns of"
              + " --by and of exits.arrow, with = != < <= > >= or ~ for a regular expression.")
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
    List<HotspotKey> keys =
        by == null ? HotspotsReport.DEFAULT_KEYS : UserError.of("--by", () -> keys(by));
    HotspotFilter filter =
        where == null
            ? HotspotFilter.ALL
            : UserError.of("--where", () -> HotspotFilter.parse(where));
    String order = sort == null ? HotspotsReport.DEFAULT_SORT : sort;
    int rows = top == null ? HotspotsReport.DEFAULT_TOP : top;
    return Optional.of(UserError.of("--sort", () -> new HotspotsReport(keys, filter, order, rows)));
  }

  /**
   * The columns that a list names.
   *
   * @throws IllegalArgumentException with one line that names those there are
   */
  static List<HotspotKey> keys(String list) {
    return Arrays.stream(list.split(",")).map(String::strip).map(HotspotKey::named).toList();
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
