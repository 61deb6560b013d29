package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

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
      Pattern.compile("\\s*(\\w+)\\s*(!=|<=|>=|=|<|>)\\s*(\\w+)\\s*");

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
    throw new IllegalArgumentException("there is no event " + name);
  }

  private static Field field(String name) {
    for (Field field : Field.values()) {
      if (field.column().equals(name) && field.kind() != Kind.DATA) {
        return field;
      }
    }
    String known =
        Arrays.stream(Field.values())
            .filter(field -> field.kind() != Kind.DATA)
            .map(Field::column)
            .collect(Collectors.joining(", "));
    throw new IllegalArgumentException(
        "events have no number called " + name + "; there are " + known);
  }

  private static long value(Field field, String text) {
    if (field.kind() == Kind.CODE) {
      for (int code = 0; code < 256; code++) {
        if (text.equalsIgnoreCase(field.label(code))) {
          return code;
        }
      }
    }
    return number(EventColumns.of(field), text);
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
