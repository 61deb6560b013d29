package io.trapscope.analyzer.compare;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.table.CellText;
import io.trapscope.recorder.event.ExitReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The most exits and time that a run may have, for the CI of a guest kernel or a VMM. The file is
 * JSON, in which comments are allowed:
 *
 * <pre>
 * {"budget": [
 *   {"max_exits": 60000},                                      // all exits together
 *   {"reason": "IO_INSTRUCTION", "max_exits": 40000},
 *   {"reason": "EPT_VIOLATION", "max_exits": 20000, "max_handling_ns": 500000000},
 *   {"phase": "drivers", "max_exits": 25000}                   // may have a reason besides
 * ]}
 * </pre>
 *
 * <p>A line without a phase is about the whole run, one without a reason about all of them. {@code
 * max_handling_ns} bounds the time of handling the exits, {@code max_guest_ns} the guest time
 * before them. A reason that a run does not have counts as 0; a run that never comes to a phase
 * breaks the limits on it, and one whose trace does not tell the time that is bounded breaks that
 * limit.
 */
public final class Budget {
  /** One limit: at least one of the maxima is there; those that are not are null. */
  record Line(String phase, ExitReason reason, Long maxExits, Long maxGuest, Long maxHandling) {

    /** The most that it allows; null where it does not bound that. */
    Long most(Measure measure) {
      return switch (measure) {
        case COUNT -> maxExits;
        case GUEST -> maxGuest;
        case HANDLING -> maxHandling;
      };
    }

    /** Of what it bounds. */
    String subject() {
      return (phase == null ? "" : phase + ": ") + (reason == null ? "all exits" : reason.name());
    }
  }

  private final List<Line> lines;

  private Budget(List<Line> lines) {
    this.lines = List.copyOf(lines);
  }

  /**
   * Reads a budget.
   *
   * @throws IllegalArgumentException with one line that says what is wrong and where
   * @throws IOException where the file cannot be read
   */
  public static Budget read(Path file) throws IOException {
    JsonFactory factory = new JsonFactory();
    factory.enable(JsonParser.Feature.ALLOW_COMMENTS);
    factory.enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
    try (JsonParser json = factory.createParser(Files.readString(file))) {
      expect(json, json.nextToken(), JsonToken.START_OBJECT, "an object");
      expect(json, json.nextToken(), JsonToken.FIELD_NAME, "\"budget\"");
      if (!json.currentName().equals("budget")) {
        throw wrong(json, "the only member is \"budget\"");
      }
      expect(json, json.nextToken(), JsonToken.START_ARRAY, "a list");
      List<Line> lines = new ArrayList<>();
      while (json.nextToken() == JsonToken.START_OBJECT) {
        lines.add(line(json));
      }
      expect(json, json.currentToken(), JsonToken.END_ARRAY, "an object or the end of the list");
      expect(
          json, json.nextToken(), JsonToken.END_OBJECT, "the end: the only member is \"budget\"");
      if (lines.isEmpty()) {
        throw wrong(json, "the budget is empty");
      }
      return new Budget(lines);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "not JSON at line " + e.getLocation().getLineNr() + ": " + e.getOriginalMessage(), e);
    }
  }

  private static Line line(JsonParser json) throws IOException {
    String phase = null;
    ExitReason reason = null;
    Long exits = null;
    Long guest = null;
    Long handling = null;
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      json.nextToken();
      switch (name) {
        case "phase" -> phase = json.getText();
        case "reason" -> reason = reason(json);
        case "max_exits" -> exits = maximum(json);
        case "max_guest_ns" -> guest = maximum(json);
        case "max_handling_ns" -> handling = maximum(json);
        default ->
            throw wrong(
                json,
                "there is no \""
                    + name
                    + "\"; there are phase, reason, max_exits, max_guest_ns and max_handling_ns");
      }
    }
    if (exits == null && guest == null && handling == null) {
      throw wrong(json, "a line needs max_exits, max_guest_ns or max_handling_ns");
    }
    return new Line(phase, reason, exits, guest, handling);
  }

  private static ExitReason reason(JsonParser json) throws IOException {
    String name = json.getText();
    return Arrays.stream(ExitReason.values())
        .filter(reason -> reason.name().equals(name.toUpperCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(() -> wrong(json, "there is no exit reason \"" + name + "\""));
  }

  private static Long maximum(JsonParser json) throws IOException {
    if (json.currentToken() != JsonToken.VALUE_NUMBER_INT || json.getLongValue() < 0) {
      throw wrong(json, "a maximum is a whole number from 0 on");
    }
    return json.getLongValue();
  }

  private static void expect(JsonParser json, JsonToken found, JsonToken wanted, String what) {
    if (found != wanted) {
      throw wrong(json, "expected " + what);
    }
  }

  private static IllegalArgumentException wrong(JsonParser json, String what) {
    return new IllegalArgumentException(
        what + ", at line " + json.currentTokenLocation().getLineNr());
  }

  /** Names of the reports that {@link #broken} needs. */
  public List<String> reports() {
    boolean phases = lines.stream().anyMatch(line -> line.phase() != null);
    return phases ? List.of("exit_histogram", "phases") : List.of("exit_histogram");
  }

  /**
   * Which limits a run breaks, a sentence each; empty where it keeps to all of them.
   *
   * @param results of the {@link #reports}, among others
   */
  public List<String> broken(Results results) {
    return lines.stream().flatMap(line -> broken(line, results).stream()).toList();
  }

  private static List<String> broken(Line line, Results results) {
    if (line.phase() != null && !sums(results, "phases", "phase").has(List.of(line.phase()))) {
      return List.of(line.phase() + ": the run has no such phase");
    }
    return Arrays.stream(Measure.values())
        .filter(measure -> line.most(measure) != null)
        .map(measure -> broken(line, measure, results))
        .filter(sentence -> !sentence.isEmpty())
        .toList();
  }

  private static double found(Line line, Measure measure, Results results) {
    if (line.phase() == null) {
      Sums sums = sums(results, "exit_histogram", "reason");
      return line.reason() == null
          ? sums.total(measure)
          : sums.get(List.of(line.reason().name()), measure);
    }
    if (line.reason() == null) {
      return sums(results, "phases", "phase").get(List.of(line.phase()), measure);
    }
    return sums(results, "phase_exits", "phase", "reason")
        .get(List.of(line.phase(), line.reason().name()), measure);
  }

  private static Sums sums(Results results, String table, String... keys) {
    return Sums.of(results.table(table).orElseThrow(), List.of(keys));
  }

  private static String broken(Line line, Measure measure, Results results) {
    double found = found(line, measure, results);
    if (Double.isNaN(found)) {
      String time = measure == Measure.GUEST ? "guest time" : "handling times";
      return line.subject() + ": the trace does not tell " + time;
    }
    long most = line.most(measure);
    if (found <= most) {
      return "";
    }
    return switch (measure) {
      case COUNT ->
          String.format(
              Locale.ROOT, "%s: %,d exits, %,d allowed", line.subject(), (long) found, most);
      case GUEST, HANDLING ->
          String.format(
              Locale.ROOT,
              "%s: %s of %s, %s allowed",
              line.subject(),
              CellText.duration((long) found),
              measure == Measure.GUEST ? "guest time" : "handling",
              CellText.duration(most));
    };
  }

  /** Number of limits. */
  public int size() {
    return lines.size();
  }
}
