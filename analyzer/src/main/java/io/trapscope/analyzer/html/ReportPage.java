package io.trapscope.analyzer.html;

import com.fasterxml.jackson.core.JsonGenerator;
import io.trapscope.analyzer.report.TraceFacts;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableJson;
import io.trapscope.analyzer.tally.Stage;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The page of one trace, as data: the facts of its header, the reports' tables, and what {@link
 * PageData} has collected. Grids are written as they are, a row an array, rows without anything as
 * null; the two-dimensional ones as triples of column, row and count.
 */
public final class ReportPage {
  /** Rows of a table that go into the page; the files hold all. */
  public static final int MOST_ROWS = 500;

  private final TraceReader trace;
  private final TraceFacts facts;
  private final List<Table> tables;

  /**
   * A page.
   *
   * @param facts when the run began, and where RAM ends
   * @param tables for people: vCPUs added up
   */
  public ReportPage(TraceReader trace, TraceFacts facts, List<Table> tables) {
    this.trace = trace;
    this.facts = facts;
    this.tables = List.copyOf(tables);
  }

  /** The guest's name. */
  public String title() {
    String guest = trace.header().notes().getOrDefault("guest", "guest");
    return guest.substring(guest.lastIndexOf('/') + 1);
  }

  /** Writes the members of the page's object that come from the trace. */
  public void writeMembers(JsonGenerator json) throws IOException {
    PageData page = PageData.of(trace, facts.start(), facts.ramEnd());
    json.writeNumberField("duration_ns", page.last());
    // As text: a number of JavaScript has 53 bits.
    long epoch = trace.header().clocks().epochNanos(page.origin);
    json.writeStringField("epoch_ns", Long.toString(epoch));
    writePlatform(json, trace.header());
    json.writeObjectFieldStart("tables");
    for (Table table : tables) {
      json.writeFieldName(table.schema().name());
      TableJson.write(table.head(MOST_ROWS), json);
    }
    json.writeEndObject();
    writeTimeline(json, page);
    writeLatency(json, page, facts.notes());
    writeFaults(json, page);
    writeConsole(json, page.console);
  }

  private static void writePlatform(JsonGenerator json, TraceHeader header) throws IOException {
    json.writeObjectFieldStart("platform");
    json.writeNumberField("memory_bytes", header.memoryBytes());
    json.writeArrayFieldStart("regions");
    for (TraceHeader.Region region : header.regions()) {
      json.writeStartObject();
      json.writeStringField("name", region.name());
      json.writeStringField("kind", region.kind());
      json.writeNumberField("gpa", region.gpa());
      json.writeNumberField("bytes", region.bytes());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeArrayFieldStart("images");
    for (TraceHeader.Image image : header.images()) {
      json.writeStartObject();
      json.writeStringField("role", image.role());
      json.writeStringField("path", image.path());
      json.writeStringField("sha256", image.sha256());
      json.writeNumberField("bytes", image.bytes());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeObjectFieldStart("notes");
    for (Map.Entry<String, String> note : header.notes().entrySet()) {
      json.writeStringField(note.getKey(), note.getValue());
    }
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void writeTimeline(JsonGenerator json, PageData page) throws IOException {
    int columns = page.scale.used();
    json.writeObjectFieldStart("timeline");
    json.writeNumberField("column_ns", page.scale.nanos());
    json.writeNumberField("columns", columns);
    json.writeObjectFieldStart("exits");
    for (int reason = 0; reason < page.exits.rows(); reason++) {
      if (page.exits.row(reason) != null) {
        writeCells(json, ExitReason.of(reason).name(), page.exits.row(reason), columns);
      }
    }
    json.writeEndObject();
    json.writeObjectFieldStart("shares");
    for (PageData.Share share : PageData.Share.values()) {
      String name = share.name().toLowerCase(Locale.ROOT);
      writeCells(json, name, page.shares.row(share.ordinal()), columns);
    }
    json.writeEndObject();
    writeCells(json, "interrupts", page.interrupts.row(0), columns);
    json.writeEndObject();
  }

  private static void writeCells(JsonGenerator json, String name, long[] cells, int columns)
      throws IOException {
    json.writeFieldName(name);
    if (cells == null) {
      json.writeNull();
    } else {
      json.writeArray(cells, 0, columns);
    }
  }

  private static void writeLatency(JsonGenerator json, PageData page, Map<String, String> notes)
      throws IOException {
    json.writeObjectFieldStart("latency");
    for (Stage stage : Stage.values()) {
      json.writeObjectFieldStart(stage.title());
      json.writeStringField("window", stage.window(notes));
      writeTriples(json, "cells", page.latency[stage.ordinal()], page.scale.used());
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  private static void writeFaults(JsonGenerator json, PageData page) throws IOException {
    json.writeObjectFieldStart("faults");
    json.writeNumberField("row_bytes", page.space.rowBytes());
    json.writeNumberField("rows", SpaceScale.ROWS);
    json.writeNumberField("above", page.space.end()); // row number `rows` is from here on
    json.writeNumberField("nowhere", page.faultsNowhere);
    for (PageData.Touch touch : PageData.Touch.values()) {
      String name = touch.name().toLowerCase(Locale.ROOT);
      writeTriples(json, name, page.faults[touch.ordinal()], page.scale.used());
    }
    json.writeEndObject();
  }

  private static void writeTriples(JsonGenerator json, String name, Grid grid, int columns)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (int row = 0; row < grid.rows(); row++) {
      long[] cells = grid.row(row);
      for (int column = 0; cells != null && column < columns; column++) {
        if (cells[column] != 0) {
          json.writeNumber(column);
          json.writeNumber(row);
          json.writeNumber(cells[column]);
        }
      }
    }
    json.writeEndArray();
  }

  private static void writeConsole(JsonGenerator json, ConsoleText console) throws IOException {
    json.writeNumberField("console_left", console.left());
    json.writeArrayFieldStart("console");
    for (ConsoleText.Line line : console.lines()) {
      json.writeStartArray();
      json.writeNumber(line.since());
      json.writeString(line.text());
      json.writeNumber(line.mark() ? 1 : 0);
      json.writeEndArray();
    }
    json.writeEndArray();
  }
}
