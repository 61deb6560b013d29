package io.trapscope.analyzer.report;

import io.trapscope.analyzer.tally.Site;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which exits count for hotspots: conditions on fields of the events, which {@link EventFilter}
 * reads, and on what is only known when all have been counted: {@code function=io_serial_out},
 * {@code function~serial} (a regular expression that is found), {@code offset<0x40}, {@code
 * space=user}, {@code target=port 0x3f8}. All have to hold.
 */
public final class HotspotFilter {
  /** Every exit passes. */
  public static final HotspotFilter ALL = new HotspotFilter(EventFilter.ALL, List.of());

  private static final Pattern CONDITION =
      Pattern.compile("\\s*(\\w+)\\s*(!=|<=|>=|=|<|>|~)\\s*(.*?)\\s*");

  private record Condition(HotspotKey key, Predicate<String> text, String operator, long number) {
    boolean holds(Site site, TraceFacts facts) {
      long[] values = new long[2];
      key.read(site, facts.symbols(), values, 0);
      if (text != null) {
        String found = key.text(values, 0, facts);
        return found != null && text.test(found);
      }
      return key.isPresent(values, 0)
          && EventFilter.compares(operator, key.number(values, 0), number);
    }
  }

  private final EventFilter events;
  private final List<Condition> conditions;

  private HotspotFilter(EventFilter events, List<Condition> conditions) {
    this.events = events;
    this.conditions = List.copyOf(conditions);
  }

  /**
   * Reads a filter.
   *
   * @throws IllegalArgumentException with one line that says what is wrong
   */
  public static HotspotFilter parse(String text) {
    List<String> events = new ArrayList<>();
    List<Condition> conditions = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      Matcher matcher = CONDITION.matcher(part);
      HotspotKey key = matcher.matches() ? keyOf(matcher.group(1)) : null;
      if (matcher.matches() && key == null && !EventFilter.knows(matcher.group(1))) {
        Set<String> known = new LinkedHashSet<>();
        Arrays.stream(HotspotKey.values()).forEach(each -> known.add(each.column().name()));
        known.addAll(EventFilter.known());
        throw EventFilter.unknown(matcher.group(1), known);
      }
      if (key == null) {
        events.add(part);
      } else {
        conditions.add(condition(key, matcher.group(2), matcher.group(3)));
      }
    }
    EventFilter filter =
        events.isEmpty() ? EventFilter.ALL : EventFilter.parse(String.join(",", events));
    return new HotspotFilter(filter, conditions);
  }

  /** The key with this name, where no field of events has it. */
  private static HotspotKey keyOf(String name) {
    for (HotspotKey key : HotspotKey.values()) {
      if (key.column().name().equals(name) && !EventFilter.knows(name)) {
        return key;
      }
    }
    return null;
  }

  private static Condition condition(HotspotKey key, String operator, String value) {
    if (!key.isText()) {
      return new Condition(key, null, operator, EventFilter.number(key.column(), value));
    }
    Predicate<String> test = EventFilter.onText(key.column().name(), operator, value);
    return new Condition(key, test, operator, 0);
  }

  /** The part that events are asked for, while they are counted. */
  EventFilter events() {
    return events;
  }

  /** The other part: whether exits counted together pass. */
  boolean passes(Site site, TraceFacts facts) {
    for (Condition condition : conditions) {
      if (!condition.holds(site, facts)) {
        return false;
      }
    }
    return true;
  }
}
