package io.trapscope.analyzer.pipeline;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.trapscope.analyzer.folded.FoldedStacks;
import io.trapscope.analyzer.html.HtmlPage;
import io.trapscope.analyzer.html.ReportPage;
import io.trapscope.analyzer.report.EventFilter;
import io.trapscope.analyzer.report.Findings;
import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.report.TraceFacts;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableDirectory;
import io.trapscope.analyzer.table.TableJson;
import io.trapscope.analyzer.table.TableText;
import io.trapscope.analyzer.tally.SpanReader;
import io.trapscope.analyzer.tally.Tally;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.HdrHistogram.Histogram;

/** What an analysis found: the tables of its reports, and how complete the trace is. */
public final class Results {
  /** Version of the JSON document's shape; grows when a member changes or goes. */
  public static final int JSON_VERSION = 1;

  private final TraceReader trace;

  /** What each report looks at. */
  private final Map<Report, Findings> found = new LinkedHashMap<>();

  // Made when they are first asked for: who reads a table need not wait for the others.
  private final Map<Report, List<Table>> tables = new HashMap<>();
  private final Map<Report, List<Table>> summaries = new HashMap<>();

  private final TraceInfo info;
  private final TraceFacts facts;
  private final Progress progress;

  Results(
      TraceReader trace,
      List<Report> reports,
      TraceInfo info,
      TraceFacts facts,
      Map<EventFilter, Tally> tallies,
      Progress progress) {
    this.trace = trace;
    this.progress = progress;
    this.info = info;
    this.facts = facts;
    SpanReader spans = new SpanReader(trace);
    for (Report report : reports) {
      found.put(report, new Findings(tallies.get(report.where()), facts, spans, tallies));
    }
  }

  /** Where the events come from and how complete they are. */
  public TraceInfo info() {
    return info;
  }

  /** The bounded tables, in the order of their reports; what files and JSON hold. */
  public List<Table> tables() {
    return found.keySet().stream().map(this::tables).flatMap(List::stream).toList();
  }

  private List<Table> tables(Report report) {
    return tables.computeIfAbsent(report, made -> made.tables(found.get(made)));
  }

  /** The table with this name; empty where no report has made it. */
  public Optional<Table> table(String name) {
    return tables().stream().filter(table -> table.schema().name().equals(name)).findFirst();
  }

  /** Whether somebody could type to the guest while it ran, at any moment he liked. */
  public boolean takesInput() {
    return Boolean.parseBoolean(trace.header().notes().get("console-input"));
  }

  /** The tables for people: vCPUs added up. */
  public List<Table> summary() {
    return found.keySet().stream().map(this::summary).flatMap(List::stream).toList();
  }

  private List<Table> summary(Report report) {
    return summaries.computeIfAbsent(report, made -> forPeople(made).summary(found.get(made)));
  }

  private Report forPeople(Report report) {
    return report.forPeople(facts.vcpus());
  }

  /** Whether every event is there that the recorder saw: none lost, none damaged, a clean end. */
  public boolean isComplete() {
    return info.complete();
  }

  /** Writes every table, those with a row an event too. */
  public List<Path> write(Path directory, TableFormat format) throws IOException {
    return write(directory, format, true);
  }

  /**
   * Writes every table to {@code directory}, a file each; makes the directory where it is absent.
   * All of them get their names when all are complete.
   *
   * @param rows whether to write tables with a row an event, which may be longer than the trace
   * @return the files
   * @throws IOException with one line that names the file, where one cannot be written; then the
   *     directory is as it was
   */
  public List<Path> write(Path directory, TableFormat format, boolean rows) throws IOException {
    try (TableDirectory out =
        new TableDirectory(directory, format.opener(), FileMetadata.of(info))) {
      for (Table table : tables()) {
        out.write(table);
      }
      if (rows) {
        RowPass.run(
            trace, List.copyOf(found.keySet()), facts, out, progress, Math.max(1, info.events()));
      }
      return out.commit();
    } catch (IOException e) {
      throw TableDirectory.unchanged(directory, e);
    }
  }

  /**
   * Writes each distribution that the reports keep to {@code directory/NAME.hgrm}, as
   * HdrHistogram's percentile text, values in ns; makes the directory where it is absent.
   *
   * @return the files
   * @throws IOException with one line that names the file, where one cannot be written
   */
  public List<Path> writeHistograms(Path directory) throws IOException {
    Map<String, Histogram> histograms = new TreeMap<>();
    found.forEach((report, findings) -> histograms.putAll(report.histograms(findings)));
    return HistogramFiles.write(directory, histograms);
  }

  /**
   * Writes the call stacks of the trace folded, for flame graphs.
   *
   * @throws IOException with one line that names the file, where it cannot be written
   */
  public FoldedStacks.Written writeFolded(Path file, FoldedStacks.Weight weight)
      throws IOException {
    return FoldedStacks.write(trace, facts.symbols(), weight, file);
  }

  /**
   * Prints the summary as text: completeness first, then each table, flushed report by report.
   *
   * @param width characters a line, 0 for no limit
   */
  public void writeText(Writer out, int width) throws IOException {
    for (String line : info.coverage()) {
      out.write(line + "\n");
    }
    for (String line : info.warnings()) {
      out.write("warning: " + line + "\n");
    }
    TableText text = new TableText(width, 0);
    for (Report report : found.keySet()) {
      for (Table table : summary(report)) {
        out.write("\n" + text.render(table));
      }
      out.flush();
    }
  }

  /**
   * Writes one JSON document; see {@link TableJson} for the shape of a table:
   *
   * <pre>
   * {"format": "trapscope-analysis", "version": 1,
   *  "trace": {"format_version": "1", ...},
   *  "events": 8120, "exits": 8112, "lost": 0, "complete": true,
   *  "coverage": ["..."], "warnings": ["..."],
   *  "tables": {"exit_histogram": {...}, ...}}
   * </pre>
   */
  public void writeJson(Writer out) throws IOException {
    try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
      json.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
      json.useDefaultPrettyPrinter();
      json.writeStartObject();
      json.writeStringField("format", "trapscope-analysis");
      json.writeNumberField("version", JSON_VERSION);
      writeInfo(json);
      json.writeObjectFieldStart("tables");
      for (Table table : tables()) {
        json.writeFieldName(table.schema().name());
        TableJson.write(table, json);
      }
      json.writeEndObject();
      json.writeEndObject();
    }
    out.write("\n");
    out.flush();
  }

  /** The members that say where the events come from and how complete they are. */
  private void writeInfo(JsonGenerator json) throws IOException {
    json.writeObjectFieldStart("trace");
    for (Map.Entry<String, String> property : info.properties().entrySet()) {
      json.writeStringField(property.getKey(), property.getValue());
    }
    json.writeEndObject();
    json.writeNumberField("events", info.events());
    json.writeNumberField("exits", info.exits());
    json.writeNumberField("lost", info.lost());
    json.writeBooleanField("complete", isComplete());
    writeLines(json, "coverage", info.coverage());
    writeLines(json, "warnings", info.warnings());
  }

  /**
   * Writes the page of this trace: one file with all it needs.
   *
   * @throws IOException with one line that names the file, where it cannot be written
   */
  public void writeHtml(Path file) throws IOException {
    List<Table> shown = new ArrayList<>(summary());
    for (Report report : found.keySet()) {
      Report people = forPeople(report);
      List<Table> all = people == report ? tables(report) : people.tables(found.get(report));
      for (Table table : all) {
        shown.replaceAll(brief -> isAll(table, brief) ? table : brief);
      }
    }
    ReportPage page = new ReportPage(trace, facts, shown);
    HtmlPage.write(
        file,
        page.title() + " - Trapscope",
        "report.js",
        json -> {
          json.writeStartObject();
          json.writeStringField("kind", "report");
          json.writeStringField("title", page.title());
          writeInfo(json);
          page.writeMembers(json);
          json.writeEndObject();
        });
  }

  /** Whether a table has all rows of the one for people, which does not add up vCPUs instead. */
  private static boolean isAll(Table table, Table brief) {
    List<String> names = brief.schema().columns().stream().map(Column::name).toList();
    int vcpu = names.indexOf(Field.VCPU.column());
    boolean addsUp =
        vcpu >= 0 && IntStream.range(0, brief.rows()).allMatch(row -> brief.isNull(row, vcpu));
    return !addsUp && table.schema().name().equals(brief.schema().name());
  }

  private static void writeLines(JsonGenerator json, String name, List<String> lines)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (String line : lines) {
      json.writeString(line);
    }
    json.writeEndArray();
  }
}
