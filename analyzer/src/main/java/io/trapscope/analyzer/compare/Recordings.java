package io.trapscope.analyzer.compare;

import com.fasterxml.jackson.core.JsonGenerator;
import io.trapscope.analyzer.html.HtmlPage;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.pipeline.TableFormat;
import io.trapscope.analyzer.pipeline.TraceInfo;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableDirectory;
import io.trapscope.analyzer.table.TableJson;
import io.trapscope.analyzer.table.TableText;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The recordings of one side set against those of the other: by reason, by phase where the traces
 * have phases, and by hotspot.
 */
public final class Recordings {
  /** Version of the JSON document's shape; grows when a member changes or goes. */
  public static final int JSON_VERSION = 2;

  private static final int SUMMARY_ROWS = 25;

  private final List<Results> before;
  private final List<Results> after;
  private final List<Comparison> comparisons = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();

  /**
   * A comparison.
   *
   * @param before analyses of the first side, at least one, made with the same reports as the other
   * @param after analyses of the second side, at least one
   * @param hotspotKeys the columns that hotspots are made by
   */
  public Recordings(List<Results> before, List<Results> after, List<String> hotspotKeys) {
    this.before = List.copyOf(before);
    this.after = List.copyOf(after);
    boolean deterministic =
        all().allMatch(Recordings::repeats) && areAlike(before) && areAlike(after);
    add("reasons", "Exits by reason", "exit_histogram", List.of("reason"), deterministic);
    add("phases", "Phases", "phases", List.of("phase"), deterministic);
    add("hotspots", "Hotspots", "hotspots", hotspotKeys, deterministic);
    explain(deterministic);
  }

  /** Whether a run can only come out like this: on soft, where nobody types. */
  private static boolean repeats(Results results) {
    Map<String, String> properties = results.info().properties();
    return properties.get("back_end").equals("soft") && !results.takesInput();
  }

  /**
   * Whether the recordings of a side, which can only be alike, are: nobody has mixed two guests.
   */
  private static boolean areAlike(List<Results> side) {
    return side.stream().mapToLong(results -> results.info().exits()).distinct().count() == 1;
  }

  private void add(
      String name, String title, String table, List<String> keys, boolean deterministic) {
    List<Table> first = tables(before, table);
    List<Table> second = tables(after, table);
    if (first.size() == before.size() && second.size() == after.size()) {
      comparisons.add(new Comparison(name, title, keys, first, second, deterministic));
    }
  }

  private static List<Table> tables(List<Results> side, String name) {
    return side.stream().map(results -> results.table(name)).flatMap(Optional::stream).toList();
  }

  private void explain(boolean deterministic) {
    if (deterministic) {
      notes.add("counts are exact: on soft without typed input each run of a guest is the same");
    }
    if (before.size() < 2 || after.size() < 2) {
      notes.add(
          "one recording a side: "
              + (deterministic ? "times have" : "counts and times have")
              + " no interval; record each side several times for one");
    } else {
      notes.add(
          "a change is called more or less where Welch's t-test gives p < 0.05 after Holm's"
              + " adjustment over all rows of the table; intervals are 95 % each");
      notes.add(
          "times depend on the host's load: record the two sides in turn, a b a b, or a busy minute"
              + " looks like a change");
    }
  }

  /** Whether every event of every recording is there. */
  public boolean isComplete() {
    return all().allMatch(Results::isComplete);
  }

  private Stream<Results> all() {
    return Stream.concat(before.stream(), after.stream());
  }

  private List<String> warnings() {
    Set<String> warnings = new LinkedHashSet<>();
    all().forEach(results -> warnings.addAll(results.info().warnings()));
    Set<String> backEnds = new LinkedHashSet<>();
    all().forEach(results -> backEnds.add(results.info().properties().get("back_end")));
    if (backEnds.size() > 1) {
      warnings.add("recorded on " + String.join(" and ", backEnds) + ", which see different exits");
    }
    return List.copyOf(warnings);
  }

  private List<Table> summaries() {
    return comparisons.stream().map(comparison -> comparison.summary(SUMMARY_ROWS)).toList();
  }

  /** The tables with all their rows and columns, as files have them. */
  public List<Table> tables() {
    return comparisons.stream().map(Comparison::table).toList();
  }

  /**
   * Prints the comparison for people.
   *
   * @param width characters a line, 0 for no limit
   */
  public void writeText(Writer out, int width) throws IOException {
    out.write(
        String.format(
            Locale.ROOT, "a: %d recordings, b: %d recordings%n", before.size(), after.size()));
    for (String line : warnings()) {
      out.write("warning: " + line + "\n");
    }
    TableText text = new TableText(width, 0);
    for (Table table : summaries()) {
      out.write("\n" + text.render(table));
    }
    out.write("\n");
    for (String note : notes) {
      out.write(note + "\n");
    }
    out.flush();
  }

  /** Writes one JSON document: both sides' traces, notes, and the tables. */
  public void writeJson(JsonGenerator json) throws IOException {
    json.writeStartObject();
    writeMembers(json);
    json.writeEndObject();
  }

  private void writeMembers(JsonGenerator json) throws IOException {
    json.writeStringField("format", "trapscope-comparison");
    json.writeNumberField("version", JSON_VERSION);
    writeSide(json, "a", before);
    writeSide(json, "b", after);
    json.writeBooleanField("complete", isComplete());
    writeLines(json, "warnings", warnings());
    writeLines(json, "notes", notes);
    json.writeObjectFieldStart("tables");
    for (Table table : tables()) {
      json.writeFieldName(table.schema().name());
      TableJson.write(table, json);
    }
    json.writeEndObject();
  }

  private static void writeSide(JsonGenerator json, String name, List<Results> side)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (Results results : side) {
      TraceInfo info = results.info();
      json.writeStartObject();
      json.writeStringField("command_line", info.properties().get("command_line"));
      json.writeStringField("back_end", info.properties().get("back_end"));
      json.writeStringField("product", info.properties().get("product"));
      json.writeStringField("end", info.properties().get("end"));
      json.writeNumberField("exits", info.exits());
      json.writeNumberField("lost", info.lost());
      json.writeBooleanField("complete", info.complete());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void writeLines(JsonGenerator json, String name, List<String> lines)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (String line : lines) {
      json.writeString(line);
    }
    json.writeEndArray();
  }

  /** Writes every table to a file in {@code directory}; where one cannot be, none is. */
  public List<Path> write(Path directory, TableFormat format) throws IOException {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("trapscope.a", commands(before));
    metadata.put("trapscope.b", commands(after));
    metadata.put("trapscope.complete", Boolean.toString(isComplete()));
    metadata.put("trapscope.notes", String.join("\n", notes));
    metadata.put("trapscope.warnings", String.join("\n", warnings()));
    try (TableDirectory out = new TableDirectory(directory, format.opener(), metadata)) {
      for (Table table : tables()) {
        out.write(table);
      }
      return out.commit();
    } catch (IOException e) {
      throw TableDirectory.unchanged(directory, e);
    }
  }

  private static String commands(List<Results> side) {
    return String.join(
        "\n", side.stream().map(one -> one.info().properties().get("command_line")).toList());
  }

  /** Writes the comparison as one page. */
  public void writeHtml(Path file) throws IOException {
    HtmlPage.write(
        file,
        "Comparison - Trapscope",
        "compare.js",
        json -> {
          json.writeStartObject();
          writeMembers(json);
          json.writeEndObject();
        });
  }
}
