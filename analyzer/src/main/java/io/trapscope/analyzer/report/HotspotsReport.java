package io.trapscope.analyzer.report;

import io.trapscope.analyzer.symbols.SymbolTable;
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
      List.of(
          HotspotKey.DEVICE,
          HotspotKey.REGISTER,
          HotspotKey.TARGET,
          HotspotKey.DIRECTION,
          HotspotKey.SIZE,
          HotspotKey.LOCATION,
          HotspotKey.VCPU);

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
          Column.duration("kernel_ns", "time in the host's kernel, added up"),
          Column.duration("loop_ns", "time until the loop had them, added up"),
          Column.duration("dispatch_ns", "time in dispatch, added up"),
          Column.duration("device_ns", "time in the device model, added up"),
          Column.duration("user_ns", "time in a VMM that tells no more of it, added up"),
          Column.of("first_time", ColumnType.TIMESTAMP, Unit.NANOSECONDS, "time of the first one"),
          Column.of("last_time", ColumnType.TIMESTAMP, Unit.NANOSECONDS, "time of the last one"));

  /** Keys that are made of symbols. */
  private static final Set<HotspotKey> NAMED =
      EnumSet.of(HotspotKey.FUNCTION, HotspotKey.OFFSET, HotspotKey.LOCATION);

  private static final Stage[] STAGES = Stage.values();

  /** Nobody has chosen the keys. */
  private final boolean byDefault;

  private final List<HotspotKey> keys;
  private final HotspotFilter where;
  private final TableSchema schema;
  private final int sort;
  private final int top;

  /** By target, direction, size and location, most frequent first. */
  public HotspotsReport() {
    this(DEFAULT_KEYS, HotspotFilter.ALL, DEFAULT_SORT, DEFAULT_TOP);
  }

  /**
   * A report of one's own.
   *
   * @param by what makes a row, at least one
   * @param where which exits count
   * @param sort a column: of numbers the largest come first, text goes from A to Z
   * @param top rows shown to people, 0 for all; files hold them all
   * @throws IllegalArgumentException with one line that says what is wrong
   */
  public HotspotsReport(List<HotspotKey> by, HotspotFilter where, String sort, int top) {
    if (by.isEmpty()) {
      throw new IllegalArgumentException("hotspots by nothing: name at least one column");
    }
    this.byDefault = by == DEFAULT_KEYS;
    this.keys = by.stream().distinct().collect(Collectors.toList());
    List<Column> columns = new ArrayList<>();
    keys.forEach(key -> columns.add(key.column()));
    columns.addAll(SUMS);
    List<String> names = columns.stream().map(Column::name).toList();
    if (!names.contains(sort)) {
      throw new IllegalArgumentException(
          "hotspots cannot be sorted by '" + sort + "'; there are " + String.join(", ", names));
    }
    this.schema =
        new TableSchema("hotspots", "Hotspots", "the exits that are alike in the keys", columns);
    this.where = where;
    this.sort = names.indexOf(sort);
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

  /** Of many vCPUs each has the same hotspots: told apart they would fill the table. */
  @Override
  public Report forPeople(int vcpus) {
    String order = schema.columns().get(sort).name();
    if (!byDefault || vcpus == 1 || order.equals(HotspotKey.VCPU.title())) {
      return this;
    }
    List<HotspotKey> fewer = keys.stream().filter(key -> key != HotspotKey.VCPU).toList();
    return new HotspotsReport(fewer, where, order, top);
  }

  @Override
  public EventFilter where() {
    return where.events();
  }

  @Override
  public List<Table> tables(Findings found) {
    return List.of(table(found));
  }

  @Override
  public List<Table> summary(Findings found) {
    Table all = table(found);
    long rest = 0;
    for (int row = top; row < all.rows(); row++) {
      rest += all.number(row, keys.size());
    }
    int rows = all.rows() - top;
    return List.of(
        all.head(top, String.format(Locale.ROOT, "%,d exits more in %,d rows", rest, rows)));
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

  private Table table(Findings found) {
    Map<Place, Sums> places = new HashMap<>();
    Sites sites = found.tally().sites();
    boolean exact = sites.coarseness().isEmpty();
    // An address that stands for many is in none of the functions it lies in.
    TraceFacts facts = exact ? found.facts() : found.facts().withSymbols(SymbolTable.EMPTY);
    List<Site> chosen = sites.sites().stream().filter(site -> where.passes(site, facts)).toList();
    List<RegisterNames> names = keys.stream().map(key -> names(key, chosen, facts)).toList();
    long exits = 0;
    for (Site site : chosen) {
      long[] values = new long[2 * keys.size()];
      for (int i = 0; i < keys.size(); i++) {
        keys.get(i).read(site, facts.symbols(), values, 2 * i);
        if (names.get(i) != null) {
          names.get(i).replace(values, 2 * i);
        }
      }
      places.merge(new Place(values), site.sums(), Sums::plus);
      exits += site.sums().count();
    }
    List<Map.Entry<Place, Sums>> rows = new ArrayList<>(places.entrySet());
    rows.sort(
        Comparator.comparingLong((Map.Entry<Place, Sums> row) -> -row.getValue().count())
            .thenComparing(row -> row.getKey().values(), Arrays::compare));
    Table.Builder table = Table.builder(schema);
    for (Map.Entry<Place, Sums> row : rows) {
      for (int i = 0; i < keys.size(); i++) {
        keys.get(i).write(row.getKey().values(), 2 * i, facts, table, i);
      }
      appendSums(table, row.getValue(), exits, facts);
    }
    if (exact && keys.stream().anyMatch(NAMED::contains)) {
      table.note(facts.symbols().note());
    }
    if (!exact) {
      table.note("too many sites: " + sites.coarseness() + ", and no function is named");
    }
    return table.build().sortedBy(sort);
  }

  /** What is called alike in a column; null where what is called alike is the same. */
  private RegisterNames names(HotspotKey key, List<Site> sites, TraceFacts facts) {
    boolean named = key == HotspotKey.DEVICE || key == HotspotKey.REGISTER;
    return named && !keys.contains(HotspotKey.TARGET) ? RegisterNames.of(key, sites, facts) : null;
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
