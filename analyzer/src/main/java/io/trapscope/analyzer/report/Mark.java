package io.trapscope.analyzer.report;

import io.trapscope.analyzer.tally.Site;
import io.trapscope.analyzer.tally.Sites;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A point in a run from which on a phase has a name: the first time that something happens.
 *
 * @param name of the phase that begins
 * @param what in words, for the table
 * @param text console text that has to appear in a line; null where it is not text
 * @param where exits one of which has to come; null where it is none of the trace's fields
 * @param site sites one of which has to exit; null where it is not that
 */
public record Mark(
    String name, String what, Pattern text, EventFilter where, BiPredicate<Site, TraceFacts> site) {

  /**
   * Reads a mark: {@code NAME=text:REGEX}, {@code NAME=port:PORT[=VALUE]}, {@code
   * NAME=hypercall:NUMBER}, {@code NAME=symbol:FUNCTION}, or {@code NAME=where:FILTER}.
   *
   * @throws IllegalArgumentException with one line that says what is wrong
   */
  public static Mark parse(String definition) {
    int equals = definition.indexOf('=');
    int colon = definition.indexOf(':', equals);
    if (equals < 1 || colon < 0) {
      throw new IllegalArgumentException(
          "'"
              + definition
              + "' is no mark; one is NAME=text:..., port:..., hypercall:..., symbol:... or"
              + " where:...");
    }
    String name = definition.substring(0, equals);
    String kind = definition.substring(equals + 1, colon);
    String value = definition.substring(colon + 1);
    if (value.isEmpty()) {
      throw new IllegalArgumentException("the mark " + name + " is without its " + kind);
    }
    String what = kind + " " + value;
    switch (kind) {
      case "text":
        return text(name, what, value);
      case "port":
        return where(name, what, "event=PIO,port=" + value.replace("=", ",value="));
      case "hypercall":
        return where(name, what, "event=HYPERCALL,hypercall=" + value);
      case "where":
        return where(name, what, value);
      case "symbol":
        return new Mark(name, what, null, null, (at, facts) -> isIn(value, at, facts));
      default:
        throw new IllegalArgumentException(
            "'" + kind + "' is no kind of mark; there are text, port, hypercall, symbol, where");
    }
  }

  static Mark text(String name, String what, String regex) {
    try {
      return new Mark(name, what, Pattern.compile(regex), null, null);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "'" + regex + "' is no regular expression: " + e.getDescription(), e);
    }
  }

  private static Mark where(String name, String what, String filter) {
    return new Mark(name, what, null, EventFilter.parse(filter), null);
  }

  static Mark site(String name, String what, Predicate<Site> site) {
    return new Mark(name, what, null, null, (at, facts) -> site.test(at));
  }

  /** The first time it happens, on the trace's clock; empty where it never does. */
  OptionalLong first(Findings found, List<ConsoleLines.Line> console) {
    if (text != null) {
      return console.stream()
          .filter(line -> text.matcher(line.text()).find())
          .mapToLong(ConsoleLines.Line::end)
          .min();
    }
    if (where != null) {
      return first(found.where(where).sites(), every -> true);
    }
    return first(found.tally().sites(), at -> site.test(at, found.facts()));
  }

  private static boolean isIn(String function, Site at, TraceFacts facts) {
    int index = at.hasRip() ? facts.symbols().indexOf(at.rip(), at.isUser()) : -1;
    return index >= 0 && facts.symbols().name(index).equals(function);
  }

  private static OptionalLong first(Sites sites, Predicate<Site> which) {
    return sites.sites().stream().filter(which).mapToLong(at -> at.sums().first()).min();
  }
}
