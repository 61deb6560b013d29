package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.tally.Tally;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Which events count: conditions on fields of the schema, joined by commas, all of which have to
 * hold: {@code event=PIO,port>=0x3f8,port<=0x3ff,cpl=0}. A condition is a column's name, one of =
 * != < <= > >=, and a number (0x for hexadecimal) or the name of a code. An event that has no such
 * field, or did not capture it, does not pass.
 */
public final class EventFilter {
  /** Every event passes. */
  public static final EventFilter ALL = new EventFilter(List.of());

  private static final Pattern CONDITION =
      Pattern.compile("\\s*(\\w+)\\s*(!=|<=|>=|=|<|>)\\s*(\\S(?:.*\\S)?)\\s*");

  /** Names of codes that a message lists. */
  private static final int MOST_NAMED = 60;

  private interface Condition {
    boolean holds(EventReader event);
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
            "not a condition: '" + part.trim() + "'; one is NAME=VALUE, also with != < <= > >=");
      }
      conditions.add(condition(matcher.group(1), matcher.group(2), matcher.group(3)));
    }
    return new EventFilter(List.copyOf(conditions));
  }

  /** Whether every condition holds. */
  public boolean passes(EventReader event) {
    for (Condition condition : conditions) {
      if (!condition.holds(event)) {
        return false;
      }
    }
    return true;
  }

  private static Condition condition(String name, String operator, String value) {
    if (name.equals("event")) {
      EventType type = eventType(value);
      return event -> compares(operator, event.type().id(), type.id());
    }
    Field field = field(name);
    long wanted = value(field, value);
    return event -> event.has(field) && compares(operator, event.get(field), wanted);
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
    return number(EventColumns.of(field), text);
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
