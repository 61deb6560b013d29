package io.trapscope.cli;

import io.trapscope.analyzer.report.EventFilter;
import io.trapscope.analyzer.report.HotspotKey;
import io.trapscope.analyzer.report.HotspotsReport;
import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.symbols.SymbolTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that shape the report {@code hotspots}; any of them asks for it. */
final class HotspotOptions {
  @Option(
      names = "--by",
      paramLabel = "COLUMNS",
      description =
          "Hotspots: what makes a row, such as target,direction,function (default:"
              + " target,direction,size,location).")
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
          "Hotspots: count, guest_ns, loop_ns, dispatch_ns or device_ns, largest first"
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
      description = "Hotspots: vmlinux, System.map or kallsyms text that names guest addresses.")
  private Path symbols;

  /**
   * The report that the options ask for; empty where none of them is given.
   *
   * @throws UserError where one of them makes no sense
   */
  Optional<Report> report() {
    if (by == null && where == null && sort == null && top == null && symbols == null) {
      return Optional.empty();
    }
    try {
      List<HotspotKey> keys =
          by == null
              ? HotspotsReport.DEFAULT_KEYS
              : Arrays.stream(by.split(",")).map(String::strip).map(HotspotKey::named).toList();
      return Optional.of(
          new HotspotsReport(
              keys,
              where == null ? EventFilter.ALL : EventFilter.parse(where),
              sort == null ? HotspotsReport.DEFAULT_SORT : sort,
              top == null ? HotspotsReport.DEFAULT_TOP : top));
    } catch (IllegalArgumentException e) {
      throw UserError.badInput(e.getMessage(), e);
    }
  }

  /**
   * Names of guest addresses; none where no file is named.
   *
   * @throws UserError where the file cannot be used
   */
  SymbolTable symbols() {
    if (symbols == null) {
      return SymbolTable.EMPTY;
    }
    if (!Files.isReadable(symbols) || Files.isDirectory(symbols)) {
      throw UserError.badInput("cannot read symbols from " + symbols);
    }
    try {
      return SymbolTable.read(symbols);
    } catch (IOException e) {
      throw UserError.badInput(e.getMessage(), e);
    }
  }
}
