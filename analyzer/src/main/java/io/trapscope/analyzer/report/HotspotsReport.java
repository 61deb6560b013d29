package io.trapscope.analyzer.report;

import io.trapscope.analyzer.symbols.SymbolTable;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * {@code hotspots}: exits by what they were about and where the guest caused them, with their
 * number and the time of each stage. What makes a row is chosen: see {@link HotspotKey}.
 */
public final class HotspotsReport implements Report {
  /** Rows kept; exits of further ones are counted and named in a note. */
  static final int MOST_ROWS = 1 << 20;

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

  private static final List<Field> STAGES =
      List.of(Field.GUEST_TIME, Field.LOOP_TIME, Field.DISPATCH_TIME, Field.DEVICE_TIME);

  /** What the rows can be sorted by, in the order of {@link Sums#order}. */
  private static final List<String> SORTS =
      List.of("count", "guest_ns", "loop_ns", "dispatch_ns", "device_ns");

  private final List<HotspotKey> keys;
  private final EventFilter where;
  private final int sort;
  private final int top;
  private final SymbolTable symbols;

  /** By target, direction, size and location, most frequent first, without symbols. */
  public HotspotsReport() {
    this(DEFAULT_KEYS, EventFilter.ALL, DEFAULT_SORT, DEFAULT_TOP, SymbolTable.EMPTY);
  }

  /**
   * A report of one's own.
   *
   * @param by what makes a row, at least one
   * @param where which exits count
   * @param sort the column whose largest values come first: count, guest_ns, loop_ns, dispatch_ns
   *     or device_ns
   * @param top rows shown to people, 0 for all; files hold them all
   * @param symbols names for guest RIPs
   * @throws IllegalArgumentException with one line that says what is wrong
   */
  public HotspotsReport(
      List<HotspotKey> by, EventFilter where, String sort, int top, SymbolTable symbols) {
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
    this.symbols = symbols;
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
  public Set<EventType> needs() {
    return ExitEvents.TYPES;
  }

  @Override
  public Optional<Accumulator> accumulator(TraceFacts facts) {
    return Optional.of(new Hotspots(facts));
  }

  @Override
  public Optional<EventRows> rows(TraceFacts facts) {
    return Optional.empty();
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

  private static final class Sums {
    long count;
    final long[] stages = new long[STAGES.size()];
    final long[] captured = new long[STAGES.size()];
    long firstTime = Long.MAX_VALUE;
    long lastTime = Long.MIN_VALUE;

    void merge(Sums other) {
      count += other.count;
      for (int i = 0; i < stages.length; i++) {
        stages[i] += other.stages[i];
        captured[i] += other.captured[i];
      }
      firstTime = Math.min(firstTime, other.firstTime);
      lastTime = Math.max(lastTime, other.lastTime);
    }

    long order(int sort) {
      return sort == 0 ? count : stages[sort - 1];
    }
  }

  private final class Hotspots implements Accumulator {
    private final TraceFacts facts;
    private final Map<Place, Sums> places = new HashMap<>();
    private long exits;
    private long overflow;

    Hotspots(TraceFacts facts) {
      this.facts = facts;
    }

    @Override
    public void accept(EventReader event) {
      if (event.reasonCode() < 0 || !where.passes(event)) {
        return;
      }
      exits++;
      long[] values = new long[2 * keys.size()];
      for (int i = 0; i < keys.size(); i++) {
        keys.get(i).read(event, symbols, values, 2 * i);
      }
      Sums sums = at(new Place(values), 1);
      if (sums == null) {
        return;
      }
      sums.count++;
      for (int i = 0; i < STAGES.size(); i++) {
        long nanos = ExitEvents.duration(event, STAGES.get(i));
        if (nanos >= 0) {
          sums.stages[i] += nanos;
          sums.captured[i]++;
        }
      }
      sums.firstTime = Math.min(sums.firstTime, event.time());
      sums.lastTime = Math.max(sums.lastTime, event.time());
    }

    /** The sums of a place; null where there is no room for it, which is counted. */
    private Sums at(Place place, long count) {
      Sums sums = places.get(place);
      if (sums == null) {
        if (places.size() >= MOST_ROWS) {
          overflow += count;
          return null;
        }
        sums = new Sums();
        places.put(place, sums);
      }
      return sums;
    }

    @Override
    public void merge(Accumulator other) {
      Hotspots from = (Hotspots) other;
      exits += from.exits;
      overflow += from.overflow;
      from.places.forEach(
          (place, sums) -> {
            Sums into = at(place, sums.count);
            if (into != null) {
              into.merge(sums);
            }
          });
    }

    @Override
    public List<Table> tables() {
      return List.of(table(Integer.MAX_VALUE));
    }

    @Override
    public List<Table> summary() {
      return List.of(table(top));
    }

    private Table table(int most) {
      List<Map.Entry<Place, Sums>> rows = new ArrayList<>(places.entrySet());
      rows.sort(
          Comparator.comparingLong((Map.Entry<Place, Sums> row) -> -row.getValue().order(sort))
              .thenComparing(row -> row.getKey().values(), Arrays::compare));
      Table.Builder table = Table.builder(schema());
      int shown = Math.min(rows.size(), most);
      for (Map.Entry<Place, Sums> row : rows.subList(0, shown)) {
        for (int i = 0; i < keys.size(); i++) {
          keys.get(i).write(row.getKey().values(), 2 * i, facts, symbols, table, i);
        }
        appendSums(table, row.getValue());
      }
      if (shown < rows.size()) {
        long rest =
            rows.subList(shown, rows.size()).stream().mapToLong(row -> row.getValue().count).sum();
        table.note(
            String.format(Locale.ROOT, "%,d exits more in %,d rows", rest, rows.size() - shown));
      }
      if (overflow > 0) {
        table.note(overflow + " exits left out: more than " + MOST_ROWS + " rows");
      }
      return table.build();
    }

    private void appendSums(Table.Builder table, Sums sums) {
      int column = keys.size();
      table.number(column++, sums.count);
      table.real(column++, (double) sums.count / exits);
      for (int i = 0; i < STAGES.size(); i++, column++) {
        if (sums.captured[i] > 0) {
          table.number(column, sums.stages[i]);
        }
      }
      table.number(column++, sums.firstTime + facts.wallClockOffset());
      table.number(column, sums.lastTime + facts.wallClockOffset());
      table.endRow();
    }
  }
}
