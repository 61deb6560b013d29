package io.trapscope.analyzer.report;

import io.trapscope.analyzer.symbols.SymbolTable;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.RowSink;
import io.trapscope.analyzer.tally.Site;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.Arrays;
import java.util.stream.Collectors;

/** What exits of one row of {@code hotspots} have in common. */
public enum HotspotKey {
  EVENT(Column.text("event", "type of the event")),
  REASON(Column.text("reason", "exit reason")),
  TARGET(RegisterColumns.TARGET),
  DEVICE(RegisterColumns.DEVICE),
  REGISTER(RegisterColumns.REGISTER),
  DIRECTION(RegisterColumns.DIRECTION),
  SIZE(EventColumns.of(Field.SIZE)),
  FUNCTION(
      Column.text(
          "function",
          "guest function that holds the RIP, several of one name apart; null where no symbol does")),
  OFFSET(
      Column.address(
          "offset", "how far the RIP is behind the function's start; null where no symbol does")),
  LOCATION(RegisterColumns.LOCATION),
  RIP(EventColumns.of(Field.RIP)),
  SPACE(
      Column.text(
          "space",
          "KERNEL or USER: by CPL, where it was not captured by the RIP's half of the addresses")),
  VCPU(EventColumns.of(Field.VCPU)),
  CPL(EventColumns.of(Field.CPL)),
  MODE(EventColumns.of(Field.MODE));

  /** First of a key's two numbers where the event has no such thing. */
  static final long NONE = -1;

  private final Column column;

  HotspotKey(Column column) {
    this.column = column;
  }

  /**
   * The key with this name.
   *
   * @throws IllegalArgumentException with one line that names those there are
   */
  public static HotspotKey named(String name) {
    for (HotspotKey key : values()) {
      if (key.column.name().equals(name)) {
        return key;
      }
    }
    throw new IllegalArgumentException(
        "hotspots have no column '"
            + name
            + "'; there are "
            + Arrays.stream(values())
                .map(key -> key.column.name())
                .collect(Collectors.joining(", ")));
  }

  /** Name of the column. */
  public String title() {
    return column.name();
  }

  Column column() {
    return column;
  }

  /** Puts what this site has into two numbers from {@code at} on. */
  void read(Site site, SymbolTable symbols, long[] into, int at) {
    switch (this) {
      case EVENT -> into[at] = site.type().ordinal();
      case REASON -> into[at] = site.reason();
      case TARGET, DEVICE, REGISTER -> {
        boolean named = site.hasRegister();
        long number = site.register();
        if (site.type() == EventType.EPT_FAULT) {
          named = site.region() != Site.NONE;
          number = site.region();
        }
        into[at] = named ? site.type().ordinal() : NONE;
        into[at + 1] = named ? number : 0;
      }
      case DIRECTION -> into[at] = site.direction() == 0 ? NONE : site.direction();
      case SIZE -> into[at] = site.size();
      case FUNCTION -> into[at] = function(site, symbols);
      case OFFSET -> {
        int function = function(site, symbols);
        into[at] = function < 0 ? NONE : 0;
        into[at + 1] = offset(function, site, symbols);
      }
      case LOCATION -> {
        // A function and the offset in it; without one the number behind the last, and the RIP.
        int function = function(site, symbols);
        into[at] = !site.hasRip() ? NONE : function < 0 ? symbols.size() : function;
        into[at + 1] = function < 0 ? site.rip() : offset(function, site, symbols);
      }
      case RIP -> {
        into[at] = site.hasRip() ? 0 : NONE;
        into[at + 1] = site.rip();
      }
      case SPACE ->
          into[at] = !site.hasRip() && site.cpl() == Site.NONE ? NONE : site.isUser() ? 1 : 0;
      case VCPU -> into[at] = site.vcpu() == EventReader.NO_VCPU ? NONE : site.vcpu();
      case CPL -> into[at] = site.cpl();
      case MODE -> into[at] = site.mode();
    }
  }

  private static int function(Site site, SymbolTable symbols) {
    return site.hasRip() ? symbols.indexOf(site.rip(), site.isUser()) : (int) NONE;
  }

  private static long offset(int function, Site site, SymbolTable symbols) {
    return function < 0 ? 0 : symbols.offset(function, site.rip(), site.isUser());
  }

  /** Sets the cell that these two numbers stand for, or none. */
  void write(long[] values, int at, TraceFacts facts, RowSink row, int cell) {
    if (isText()) {
      String text = text(values, at, facts);
      if (text != null) {
        row.text(cell, text);
      }
    } else if (isPresent(values, at)) {
      row.number(cell, number(values, at));
    }
  }

  /** Whether these two numbers stand for anything. */
  boolean isPresent(long[] values, int at) {
    return values[at] != NONE;
  }

  /** Whether {@link #text} says what these two numbers stand for, and not {@link #number}. */
  boolean isText() {
    return column.type() == ColumnType.TEXT && column.words().isEmpty();
  }

  /** What these two numbers stand for, where it is text; null where it is nothing. */
  String text(long[] values, int at, TraceFacts facts) {
    int first = (int) values[at];
    if (first == NONE) {
      return null;
    }
    return switch (this) {
      case EVENT -> EventType.values()[first].name();
      case REASON -> ExitEvents.name(first);
      case TARGET, DEVICE, REGISTER -> name(EventType.values()[first], values[at + 1], facts);
      case DIRECTION -> Field.ACCESS.render(first);
      case FUNCTION -> facts.symbols().name(first);
      case LOCATION ->
          first < facts.symbols().size()
              ? facts.symbols().describe(first, values[at + 1])
              : "0x" + Long.toHexString(values[at + 1]);
      case SPACE -> first == 0 ? "KERNEL" : "USER";
      case SIZE, OFFSET, RIP, VCPU, CPL, MODE -> throw new IllegalStateException(name());
    };
  }

  /** The number that these two stand for, where it is one. */
  long number(long[] values, int at) {
    return switch (this) {
      case SIZE, VCPU, CPL -> values[at];
      case OFFSET, RIP -> values[at + 1];
      case MODE -> EventColumns.wordIndexes(Field.MODE)[(int) values[at]];
      case EVENT, REASON, TARGET, DEVICE, REGISTER, DIRECTION, FUNCTION, LOCATION, SPACE ->
          throw new IllegalStateException(name());
    };
  }

  /** Of what was accessed the device, the register's name, or the address, as this key wants it. */
  private String name(EventType type, long number, TraceFacts facts) {
    boolean fault = type == EventType.EPT_FAULT;
    if (this == TARGET) {
      return fault ? "page of " + facts.region((int) number) : RegisterColumns.target(type, number);
    }
    if (this == DEVICE) {
      return fault ? facts.region((int) number) : facts.platform().device(type, number);
    }
    return fault ? null : facts.platform().register(type, number);
  }
}
