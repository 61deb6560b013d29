package io.trapscope.analyzer.report;

import io.trapscope.analyzer.symbols.SymbolTable;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.RowSink;
import io.trapscope.analyzer.tally.Site;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What exits of one row of {@code hotspots} have in common. */
public enum HotspotKey {
  EVENT(Column.text("event", "type of the event")),
  REASON(Column.text("reason", "exit reason")),
  /** What was accessed: see {@link #target}. */
  TARGET(
      Column.text(
          "target",
          "port, MMIO address, MSR, CPUID leaf, hypercall, control register, vector, region")),
  DIRECTION(Column.text("direction", "READ, WRITE, or FETCH of an instruction; RDMSR is a READ")),
  SIZE(EventColumns.of(Field.SIZE)),
  FUNCTION(Column.text("function", "guest function that holds the RIP; null where no symbol does")),
  LOCATION(
      Column.text("location", "guest RIP: function and offset, or the address without a symbol")),
  VCPU(EventColumns.of(Field.VCPU)),
  CPL(EventColumns.of(Field.CPL)),
  MODE(EventColumns.of(Field.MODE));

  /** First of a key's two numbers where the event has no such thing. */
  private static final long NONE = -1;

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
        "hotspots have no column "
            + name
            + "; there are "
            + Arrays.stream(values())
                .map(key -> key.column.name())
                .collect(Collectors.joining(", ")));
  }

  Column column() {
    return column;
  }

  /** Puts what this site has into two numbers from {@code at} on. */
  void read(Site site, SymbolTable symbols, long[] into, int at) {
    switch (this) {
      case EVENT -> into[at] = site.type().ordinal();
      case REASON -> into[at] = site.reason();
      case TARGET -> {
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
      case FUNCTION -> into[at] = site.hasRip() ? symbols.indexOf(site.rip()) : NONE;
      case LOCATION -> {
        into[at] = site.hasRip() ? 0 : NONE;
        into[at + 1] = site.rip();
      }
      case VCPU -> into[at] = site.vcpu();
      case CPL -> into[at] = site.cpl();
      case MODE -> into[at] = site.mode();
    }
  }

  /** Sets the cell that these two numbers stand for, or none. */
  void write(long[] values, int at, TraceFacts facts, RowSink row, int cell) {
    long first = values[at];
    long second = values[at + 1];
    if (first == NONE) {
      return;
    }
    switch (this) {
      case EVENT -> row.text(cell, EventType.values()[(int) first].name());
      case REASON -> row.text(cell, ExitEvents.name((int) first));
      case TARGET -> row.text(cell, target(EventType.values()[(int) first], second, facts));
      case DIRECTION -> row.text(cell, Field.ACCESS.render(first));
      case MODE -> row.number(cell, EventColumns.wordIndexes(Field.MODE)[(int) first]);
      case SIZE, VCPU, CPL -> row.number(cell, first);
      case FUNCTION -> row.text(cell, facts.symbols().name((int) first));
      case LOCATION -> {
        String location = facts.symbols().describe(second);
        row.text(cell, location == null ? "0x" + Long.toHexString(second) : location);
      }
    }
  }

  private static String target(EventType type, long number, TraceFacts facts) {
    String hex = "0x" + Long.toHexString(number);
    return switch (type) {
      case PIO -> "port " + hex;
      case MMIO -> "mmio " + hex;
      case CPUID ->
          String.format(Locale.ROOT, "cpuid 0x%x.%d", number >>> 32, number & 0xffff_ffffL);
      case MSR -> "msr " + hex;
      case HYPERCALL -> "hypercall " + Long.toUnsignedString(number);
      case EPT_FAULT -> "page of " + facts.region((int) number);
      case CR_ACCESS -> "cr" + number;
      case EXCEPTION -> "vector " + number;
      case HLT,
          EXIT,
          INJECTION,
          END,
          CONSOLE_OUTPUT,
          CONSOLE_INPUT,
          INPUT,
          MARK,
          GAP,
          TRANSLATION,
          IRQ_LINE,
          EOI,
          APIC_ACCESS,
          HALT_POLL,
          WAKEUP,
          MMU,
          EMULATION,
          DIRTY,
          TRACEPOINT ->
          throw new AssertionError(type);
    };
  }
}
