package io.trapscope.analyzer.report;

import io.trapscope.analyzer.symbols.SymbolTable;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.RowSink;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
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
  DIRECTION(EventColumns.of(Field.DIRECTION)),
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

  /** Puts what this event has into two numbers from {@code at} on. */
  void read(EventReader event, SymbolTable symbols, long[] into, int at) {
    switch (this) {
      case EVENT -> into[at] = event.type().ordinal();
      case REASON -> into[at] = event.reasonCode();
      case TARGET -> {
        Field field = target(event.type());
        into[at] = field == null || !event.has(field) ? NONE : event.type().ordinal();
        into[at + 1] = into[at] == NONE ? 0 : number(event, field);
      }
      case DIRECTION -> field(event, Field.DIRECTION, into, at);
      case SIZE -> field(event, Field.SIZE, into, at);
      case FUNCTION ->
          into[at] = event.has(Field.RIP) ? symbols.indexOf(event.get(Field.RIP)) : NONE;
      case LOCATION -> field(event, Field.RIP, into, at);
      case VCPU -> field(event, Field.VCPU, into, at);
      case CPL -> field(event, Field.CPL, into, at);
      case MODE -> field(event, Field.MODE, into, at);
    }
  }

  private static void field(EventReader event, Field field, long[] into, int at) {
    boolean captured = event.has(field);
    into[at] = captured ? 0 : NONE;
    into[at + 1] = captured ? event.get(field) : 0;
  }

  /** The field that names what an event of this type accessed; null where nothing does. */
  private static Field target(EventType type) {
    return switch (type) {
      case PIO -> Field.PORT;
      case MMIO -> Field.GPA;
      case CPUID -> Field.LEAF;
      case MSR -> Field.MSR;
      case HYPERCALL -> Field.HYPERCALL;
      case EPT_FAULT -> Field.REGION;
      case CR_ACCESS -> Field.CONTROL_REGISTER;
      case EXCEPTION -> Field.VECTOR;
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
          null;
    };
  }

  private static long number(EventReader event, Field field) {
    long value = event.get(field);
    return field == Field.LEAF ? value << 32 | event.get(Field.SUBLEAF, 0) : value;
  }

  /** Sets the cell that these two numbers stand for, or none. */
  void write(long[] values, int at, TraceFacts facts, SymbolTable symbols, RowSink row, int cell) {
    long first = values[at];
    long second = values[at + 1];
    if (first == NONE) {
      return;
    }
    switch (this) {
      case EVENT -> row.text(cell, EventType.values()[(int) first].name());
      case REASON -> row.text(cell, ExitReason.of((int) first).name());
      case TARGET -> row.text(cell, target(EventType.values()[(int) first], second, facts));
      case DIRECTION -> row.number(cell, EventColumns.wordIndexes(Field.DIRECTION)[(int) second]);
      case MODE -> row.number(cell, EventColumns.wordIndexes(Field.MODE)[(int) second]);
      case SIZE, VCPU, CPL -> row.number(cell, second);
      case FUNCTION -> row.text(cell, symbols.name((int) first));
      case LOCATION -> {
        String location = symbols.describe(second);
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
