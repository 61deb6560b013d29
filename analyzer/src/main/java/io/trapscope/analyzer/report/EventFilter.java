package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.tally.Tally;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.Kind;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Which events count: conditions on fields of the schema, joined by commas, all of which have to
 * hold: {@code event=PIO,port>=0x3f8,port<=0x3ff,cpl=0}. A condition is a column's name, one of =
 * != < <= > >=, and a value as the files have it: a number (0x for hexadecimal), true or false, the
 * name of a code or a memory region, a time as text or ns since 1970; or, of names, ~ and a regular
 * expression that is found in them. An event that has no such field, or did not capture it, does
 * not pass.
 */
public final class EventFilter {
  /** Every event passes. */
  public static final EventFilter ALL = new EventFilter(List.of());

  private static final Pattern CONDITION =
      Pattern.compile("\\s*(\\w+)\\s*(!=|<=|>=|=|<|>|~)\\s*(\\S(?:.*\\S)?)\\s*");

  /** Names of codes that a message lists. */
  private static final int MOST_NAMED = 60;

  /** Words for 0 and 1. */
  private static final List<String> FLAGS = List.of("false", "true");

  private interface Condition {
    boolean holds(EventReader event, TraceFacts facts);
  }

  private final List<Condition> conditions;

  private EventFilter(List<Condition> conditions) {
    this.conditions = conditions;
  }

  /**
   * Reads a filter.
   *
   * @throws IllegalArgumentException with one line that says what is wrong
   */
  public static EventFilter parse(String text) {
    List<Condition> conditions = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      Matcher matcher = CONDITION.matcher(part);
      if (!matcher.matches()) {
        throw new IllegalArgumentException(
            "not a condition: '" + part.trim() + "'; one is NAME=VALUE, also with != < <= > >= ~");
      }
      conditions.add(condition(matcher.group(1), matcher.group(2), matcher.group(3)));
    }
    return new EventFilter(List.copyOf(conditions));
  }

  /**
   * Whether every condition holds.
   *
   * @param facts of the event's trace
   */
  public boolean passes(EventReader event, TraceFacts facts) {
    for (Condition condition : conditions) {
      if (!condition.holds(event, facts)) {
        return false;
      }
    }
    return true;
  }

  private static Condition condition(String name, String operator, String value) {
    if (name.equals("event")) {
      return onType(operator, value);
    }
    Field field = field(name);
    if (field == Field.REGION && (operator.equals("~") || !Character.isDigit(value.charAt(0)))) {
      Predicate<String> test = onText(name, operator, value);
      return (event, facts) -> event.has(field) && test.test(facts.region((int) event.get(field)));
    }
    if (operator.equals("~")) {
      return onWord(field, value);
    }
    long wanted = value(field, value);
    return field == Field.TIME
        ? (event, facts) -> compares(operator, event.time() + facts.wallClockOffset(), wanted)
        : (event, facts) -> event.has(field) && compares(operator, event.get(field), wanted);
  }

  private static Condition onType(String operator, String value) {
    if (operator.equals("~")) {
      Predicate<String> test = onText("event", operator, value);
      return (event, facts) -> test.test(event.type().name());
    }
    EventType type = eventType(value);
    return (event, facts) -> compares(operator, event.type().id(), type.id());
  }

  /** A regular expression on the name of a code, or on its number where it has none. */
  private static Condition onWord(Field field, String regex) {
    if (field.kind() != Kind.CODE) {
      throw new IllegalArgumentException(
          field.column() + " is no text: it takes = != < <= > >=, not ~");
    }
    Predicate<String> test = onText(field.column(), "~", regex);
    List<String> words = EventColumns.of(field).words();
    int[] indexes = EventColumns.wordIndexes(field);
    BitSet passing = new BitSet();
    for (int code = 0; code < indexes.length; code++) {
      passing.set(code, test.test(words.get(indexes[code])));
    }
    return (event, facts) -> event.has(field) && passing.get((int) event.get(field));
  }

  /**
   * What text has to be.
   *
   * @throws IllegalArgumentException with one line where the operator is none of text's
   */
  static Predicate<String> onText(String name, String operator, String value) {
    return switch (operator) {
      case "=" -> value::equalsIgnoreCase;
      case "!=" -> found -> !value.equalsIgnoreCase(found);
      case "~" -> pattern(value).asPredicate();
      default ->
          throw new IllegalArgumentException(
              name + " is text: it takes = != or ~, not " + operator);
    };
  }

  private static Pattern pattern(String text) {
    try {
      return Pattern.compile(text);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "'" + text + "' is no regular expression: " + e.getDescription(), e);
    }
  }

  /** Whether events can be asked for something with this name. */
  static boolean knows(String name) {
    return name.equals("event")
        || Arrays.stream(Field.values())
            .anyMatch(field -> field.column().equals(name) && field.kind() != Kind.DATA);
  }

  static boolean compares(String operator, long found, long wanted) {
    int order = Long.compareUnsigned(found, wanted);
    return switch (operator) {
      case "=" -> order == 0;
      case "!=" -> order != 0;
      case "<" -> order < 0;
      case "<=" -> order <= 0;
      case ">" -> order > 0;
      default -> order >= 0;
    };
  }

  private static EventType eventType(String name) {
    for (EventType type : EventType.values()) {
      if (type.name().equals(name.toUpperCase(Locale.ROOT))) {
        return type;
      }
    }
    String known = Tally.EXITS.stream().map(EventType::name).collect(Collectors.joining(", "));
    throw new IllegalArgumentException("there is no event " + name + "; exits are " + known);
  }

  private static Field field(String name) {
    for (Field field : Field.values()) {
      if (field.column().equals(name) && field.kind() != Kind.DATA) {
        return field;
      }
    }
    throw unknown(name, known());
  }

  static IllegalArgumentException unknown(String name, Set<String> known) {
    return new IllegalArgumentException(
        "exits have no " + name + "; there are " + String.join(", ", known));
  }

  /** What exits can be asked for. */
  static Set<String> known() {
    Set<String> known = new LinkedHashSet<>();
    known.add("event");
    for (EventType type : Tally.EXITS) {
      Stream.concat(EventType.COMMON.stream(), type.details().stream())
          .filter(field -> field.kind() != Kind.DATA)
          .forEach(field -> known.add(field.column()));
    }
    return known;
  }

  private static long value(Field field, String text) {
    if (field.kind() == Kind.CODE) {
      for (int code = 0; code < 256; code++) {
        if (text.equalsIgnoreCase(field.label(code))) {
          return code;
        }
      }
      if (!text.isEmpty() && !Character.isDigit(text.charAt(0))) {
        throw new IllegalArgumentException(
            "there is no " + field.column() + " " + text + "; there are " + labels(field));
      }
    }
    if (field.kind() == Kind.FLAG && FLAGS.contains(text.toLowerCase(Locale.ROOT))) {
      return FLAGS.indexOf(text.toLowerCase(Locale.ROOT));
    }
    if (field.kind() == Kind.TIMESTAMP && text.contains("T")) {
      return time(text);
    }
    return number(EventColumns.of(field), text);
  }

  /** A time as files and JSON have it, in ns since 1970. */
  private static long time(String text) {
    try {
      Instant instant = Instant.parse(text);
      return Math.addExact(
          Math.multiplyExact(instant.getEpochSecond(), TimeUnit.SECONDS.toNanos(1)),
          instant.getNano());
    } catch (DateTimeException | ArithmeticException e) {
      throw new IllegalArgumentException(
          "'" + text + "' is no time; one is 2026-01-02T03:04:05.678Z, or ns since 1970", e);
    }
  }

  /** Names of a field's codes, the first of them where there are many. */
  private static String labels(Field field) {
    List<String> labels =
        IntStream.range(0, 256).mapToObj(field::label).filter(Objects::nonNull).distinct().toList();
    boolean all = labels.size() <= MOST_NAMED;
    return String.join(", ", all ? labels : labels.subList(0, MOST_NAMED)) + (all ? "" : " ...");
  }

  /**
   * Reads a number, with 0x for hexadecimal.
   *
   * @param column what it is compared with
   * @throws IllegalArgumentException with one line where it is none
   */
  static long number(Column column, String text) {
    try {
      return text.startsWith("0x")
          ? Long.parseUnsignedLong(text.substring(2), 16)
          : Long.parseUnsignedLong(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "'" + text + "' is no value of " + column.name() + ": " + column.meaning(), e);
    }
  }
}
