package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.analyzer.tally.Part;
import io.trapscope.analyzer.tally.Site;
import io.trapscope.analyzer.tally.Sites;
import io.trapscope.analyzer.tally.Stage;
import io.trapscope.analyzer.tally.Sums;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * {@code hotspots}: exits by what they were about and where the guest caused them, with their
 * number and the time of each stage. What makes a row is chosen: see {@link HotspotKey}.
 */
public final class HotspotsReport implements Report {
  public static final List<HotspotKey> DEFAULT_KEYS =
      List.of(HotspotKey.TARGET, HotspotKey.DIRECTION, HotspotKey.SIZE, HotspotKey.LOCATION);

  /** Default number of rows for people. */
  public static final int DEFAULT_TOP = 20;

  /** Default order. */
  public static final String DEFAULT_SORT = "count";

  private static final List<Column> SUMS =
      List.of(
          Column.count("count", "number of exits"),
          Column.of(
              "share", ColumnType.FLOAT64, Unit.RATIO, "part of all exits that passed the filter"),
          Column.duration("guest_ns", "guest time before these exits, added up"),
          Column.duration("loop_ns", "time until the loop had them, added up"),
          Column.duration("dispatch_ns", "time in dispatch, added up"),
          Column.duration("device_ns", "time in the device model, added up"),
          Column.of("first_time", ColumnType.TIMESTAMP, Unit.NANOSECONDS, "time of the first one"),
          Column.of("last_time", ColumnType.TIMESTAMP, Unit.NANOSECONDS, "time of the last one"));

  private static final Stage[] STAGES = Stage.values();

  /** What the rows can be sorted by, in the order of {@link #order}. */
  private static final List<String> SORTS =
      List.of("count", "guest_ns", "loop_ns", "dispatch_ns", "device_ns");

  private final List<HotspotKey> keys;
  private final EventFilter where;
  private final int sort;
  private final int top;

  /** By target, direction, size and location, most frequent first. */
  public HotspotsReport() {
    this(DEFAULT_KEYS, EventFilter.ALL, DEFAULT_SORT, DEFAULT_TOP);
  }

  /**
   * A report of one's own.
   *
   * @param by what makes a row, at least one
   * @param where which exits count
   * @param sort the column whose largest values come first: count, guest_ns, loop_ns, dispatch_ns
   *     or device_ns
   * @param top rows shown to people, 0 for all; files hold them all
   * @throws IllegalArgumentException with one line that says what is wrong
   */
  public HotspotsReport(List<HotspotKey> by, EventFilter where, String sort, int top) {
    if (by.isEmpty()) {
      throw new IllegalArgumentException("hotspots by nothing: name at least one column");
    }
    if (!SORTS.contains(sort)) {
      throw new IllegalArgumentException(
          "hotspots cannot be sorted by " + sort + "; there are " + String.join(", ", SORTS));
    }
    this.keys = by.stream().distinct().collect(Collectors.toList());
    this.where = where;
    this.sort = SORTS.indexOf(sort);
    this.top = top <= 0 ? Integer.MAX_VALUE : top;
  }

  @Override
  public String name() {
    return "hotspots";
  }

  @Override
  public String meaning() {
    return "exits by device register, direction, size and guest location";
  }

  @Override
  public Set<Part> needs() {
    return EnumSet.of(Part.SITES);
  }

  @Override
  public EventFilter where() {
    return where;
  }

  @Override
  public List<Table> tables(Findings found) {
    return List.of(table(found, Integer.MAX_VALUE));
  }

  @Override
  public List<Table> summary(Findings found) {
    return List.of(table(found, top));
  }

  private TableSchema schema() {
    List<Column> columns = new ArrayList<>();
    keys.forEach(key -> columns.add(key.column()));
    columns.addAll(SUMS);
    return new TableSchema("hotspots", "Hotspots", "the exits that are alike in the keys", columns);
  }

  /** What a row stands for: two numbers a key, whose sense only the key knows. */
  private record Place(long[] values) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Place place && Arrays.equals(values, place.values);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(values);
    }
  }

  private long order(Sums sums) {
    return sort == 0 ? sums.count() : sums.time(STAGES[sort - 1]).orElse(0);
  }

  private Table table(Findings found, int most) {
    Map<Place, Sums> places = new HashMap<>();
    Sites sites = found.tally().sites();
    long exits = 0;
    for (Site site : sites.sites()) {
      long[] values = new long[2 * keys.size()];
      for (int i = 0; i < keys.size(); i++) {
        keys.get(i).read(site, found.facts().symbols(), values, 2 * i);
      }
      places.merge(new Place(values), site.sums(), Sums::plus);
      exits += site.sums().count();
    }
    List<Map.Entry<Place, Sums>> rows = new ArrayList<>(places.entrySet());
    rows.sort(
        Comparator.comparingLong((Map.Entry<Place, Sums> row) -> -order(row.getValue()))
            .thenComparing(row -> row.getKey().values(), Arrays::compare));
    Table.Builder table = Table.builder(schema());
    int shown = Math.min(rows.size(), most);
    for (Map.Entry<Place, Sums> row : rows.subList(0, shown)) {
      for (int i = 0; i < keys.size(); i++) {
        keys.get(i).write(row.getKey().values(), 2 * i, found.facts(), table, i);
      }
      appendSums(table, row.getValue(), exits, found.facts());
    }
    if (shown < rows.size()) {
      long rest =
          rows.subList(shown, rows.size()).stream().mapToLong(row -> row.getValue().count()).sum();
      table.note(
          String.format(Locale.ROOT, "%,d exits more in %,d rows", rest, rows.size() - shown));
    }
    if (!sites.coarseness().isEmpty()) {
      table.note("too many sites: " + sites.coarseness());
    }
    return table.build();
  }

  private void appendSums(Table.Builder table, Sums sums, long exits, TraceFacts facts) {
    int column = keys.size();
    table.number(column++, sums.count());
    table.real(column++, (double) sums.count() / exits);
    for (Stage stage : STAGES) {
      int cell = column++;
      sums.time(stage).ifPresent(nanos -> table.number(cell, nanos));
    }
    table.number(column++, sums.first() + facts.wallClockOffset());
    table.number(column, sums.last() + facts.wallClockOffset());
    table.endRow();
  }
}
