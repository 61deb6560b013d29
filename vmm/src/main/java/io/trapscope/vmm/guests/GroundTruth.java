package io.trapscope.vmm.guests;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitQualification;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the guest {@code exits} must show: its table {@code exits.csv}, and the comparison of a
 * recording with it. Feed it every event of a trace, then ask for {@link #differences}.
 *
 * <p>A cell of the table is the exact number of exits, {@code any} where time decides, {@code -}
 * where this kind does not reach the recorder there, or {@code skip} where the guest must not even
 * try: then it leaves the row's whole section out.
 */
public final class GroundTruth {
  private static final String ANY = "any";
  private static final String UNSEEN = "-";
  private static final String SKIP = "skip";

  /** Columns of the table, in order. */
  private static final List<String> COLUMNS =
      List.of(
          "row",
          "section",
          "event",
          "direction",
          "size",
          "first",
          "last",
          "items",
          "soft",
          "kvm",
          "kvm_pvm",
          "about");

  /**
   * A row of the table.
   *
   * @param name what it counts
   * @param section number of the guest's section, 0 for what always runs
   * @param type event type
   * @param direction READ, WRITE or FETCH; empty for any
   * @param size bytes an item; 0 for any
   * @param first first port, address, MSR, vector, leaf or reason that belongs here
   * @param last the last one
   * @param items items moved by all its exits, or -1 where it is no matter of items
   * @param cells the cell of each column of {@link HostKind}
   * @param about in words
   */
  public record Row(
      String name,
      int section,
      EventType type,
      String direction,
      int size,
      long first,
      long last,
      long items,
      Map<HostKind, String> cells,
      String about) {}

  private static final class Count {
    long exits;
    long items;
  }

  private final List<Row> rows;
  private final List<Count> counts = new ArrayList<>();
  private final Map<String, Long> unexpected = new TreeMap<>();

  private GroundTruth(List<Row> rows) {
    this.rows = List.copyOf(rows);
    rows.forEach(row -> counts.add(new Count()));
  }

  /** The table as it is bundled, with nothing counted yet. */
  public static GroundTruth load() {
    return parse(new String(Guests.resource("exits.csv"), StandardCharsets.UTF_8));
  }

  static GroundTruth parse(String csv) {
    List<Row> rows = new ArrayList<>();
    List<String> lines = csv.lines().filter(line -> !line.startsWith("#")).toList();
    if (!lines.get(0).equals(String.join(",", COLUMNS))) {
      throw new IllegalStateException("exits.csv has other columns: " + lines.get(0));
    }
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",", COLUMNS.size());
      if (cells.length != COLUMNS.size()) {
        throw new IllegalStateException("exits.csv: " + line);
      }
      rows.add(row(cells));
    }
    return new GroundTruth(rows);
  }

  private static Row row(String[] cells) {
    Map<HostKind, String> hosts = new EnumMap<>(HostKind.class);
    for (HostKind host : HostKind.values()) {
      hosts.put(host, cells[COLUMNS.indexOf(host.column())]);
    }
    return new Row(
        cells[0],
        Integer.parseInt(cells[1]),
        EventType.valueOf(cells[2]),
        cells[3],
        cells[4].isEmpty() ? 0 : Integer.parseInt(cells[4]),
        cells[5].isEmpty() ? 0 : Long.decode(cells[5]),
        cells[6].isEmpty() ? Long.MAX_VALUE : Long.decode(cells[6]),
        cells[7].isEmpty() ? -1 : Long.parseLong(cells[7]),
        hosts,
        cells[11]);
  }

  /** The rows, in the table's order. */
  public List<Row> rows() {
    return rows;
  }

  /** The word that tells the guest which sections to run there: bit n is section n. */
  long selected(HostKind host) {
    long selected = -1;
    for (Row row : rows) {
      if (row.cells.get(host).equals(SKIP)) {
        selected &= ~(1L << row.section);
      }
    }
    return selected;
  }

  /** Counts one event of a trace; events that are neither exit nor injection are not counted. */
  public void accept(EventReader event) {
    if (event.reasonCode() < 0 && event.type() != EventType.INJECTION) {
      return;
    }
    for (int i = 0; i < rows.size(); i++) {
      if (matches(rows.get(i), event)) {
        Count count = counts.get(i);
        count.exits++;
        count.items += event.type() == EventType.PIO ? event.get(Field.COUNT, 1) : 1;
        return;
      }
    }
    unexpected.merge(
        event.type() + " " + direction(event) + " 0x" + Long.toHexString(key(event)),
        1L,
        Long::sum);
  }

  private static boolean matches(Row row, EventReader event) {
    long key = key(event);
    return row.type == event.type()
        && key >= row.first
        && key <= row.last
        && (row.direction.isEmpty() || row.direction.equals(direction(event)))
        && (row.size == 0 || row.size == event.get(Field.SIZE, 0));
  }

  /** The number that tells exits of one type apart. */
  private static long key(EventReader event) {
    return switch (event.type()) {
      case PIO -> event.get(Field.PORT, 0);
      case MMIO, EPT_FAULT -> event.get(Field.GPA, 0);
      case CPUID -> event.get(Field.LEAF, 0);
      case MSR -> event.get(Field.MSR, 0);
      case HYPERCALL -> event.get(Field.HYPERCALL, 0);
      case CR_ACCESS -> event.get(Field.CONTROL_REGISTER, 0);
      case EXCEPTION, INJECTION -> event.get(Field.VECTOR, 0);
      case EXIT -> event.get(Field.REASON, 0);
      case HLT,
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
          TRACEPOINT,
          STACK ->
          0;
    };
  }

  private static String direction(EventReader event) {
    return switch (event.type()) {
      case PIO, MMIO, MSR -> event.get(Field.DIRECTION, 0) == 0 ? "READ" : "WRITE";
      case EPT_FAULT -> access(event.get(Field.QUALIFICATION, 0));
      // Access type, bits 5:4 of the qualification: 0 is MOV to a control register.
      case CR_ACCESS -> (event.get(Field.QUALIFICATION, 0) >>> 4 & 3) == 1 ? "READ" : "WRITE";
      case CPUID,
          HYPERCALL,
          HLT,
          EXCEPTION,
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
          TRACEPOINT,
          STACK ->
          "";
    };
  }

  private static String access(long qualification) {
    if ((qualification & ExitQualification.EPT_FETCH) != 0) {
      return "FETCH";
    }
    return (qualification & ExitQualification.EPT_WRITE) != 0 ? "WRITE" : "READ";
  }

  /** Where the events counted differ from the table, a line each; empty where all is equal. */
  public List<String> differences(HostKind host) {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      Row row = rows.get(i);
      Count count = counts.get(i);
      String cell = row.cells.get(host);
      if (cell.equals(ANY)) {
        continue;
      }
      boolean covered = isCovered(cell);
      long exits = covered ? Long.parseLong(cell) : 0;
      if (count.exits != exits) {
        lines.add(row.name + ": " + count.exits + " exits, not " + exits);
      } else if (covered && row.items >= 0 && count.items != row.items) {
        lines.add(row.name + ": " + count.items + " items, not " + row.items);
      }
    }
    unexpected.forEach(
        (what, times) -> lines.add("not in the table: " + what + ", " + times + " times"));
    return lines;
  }

  /**
   * How many exits of each reason the table adds up to on this host; a reason whose number time
   * decides is not among them.
   */
  public Map<ExitReason, Long> totals(HostKind host) {
    Map<ExitReason, Long> totals = new EnumMap<>(ExitReason.class);
    for (Row row : rows) {
      String cell = row.cells.get(host);
      if (row.type != EventType.INJECTION && isCovered(cell) && !cell.equals(ANY)) {
        totals.merge(reason(row, host), Long.parseLong(cell), Long::sum);
      }
    }
    totals.values().removeIf(count -> count == 0);
    return totals;
  }

  private static ExitReason reason(Row row, HostKind host) {
    return switch (row.type) {
      case PIO -> ExitReason.IO_INSTRUCTION;
      case MMIO -> host == HostKind.SOFT ? ExitReason.EPT_MISCONFIGURATION : ExitReason.MMIO;
      case CPUID -> ExitReason.CPUID;
      case MSR -> row.direction.equals("READ") ? ExitReason.RDMSR : ExitReason.WRMSR;
      case HYPERCALL -> ExitReason.VMCALL;
      case HLT -> ExitReason.HLT;
      case EPT_FAULT -> ExitReason.EPT_VIOLATION;
      case CR_ACCESS -> ExitReason.CR_ACCESS;
      case EXCEPTION -> ExitReason.EXCEPTION_OR_NMI;
      case EXIT -> ExitReason.of((int) row.first);
      case INJECTION,
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
          TRACEPOINT,
          STACK ->
          throw new IllegalArgumentException(row.name + " is no exit");
    };
  }

  /** Rows that this host does not cover, with the reason; the rest was compared. */
  public List<String> notCovered(HostKind host) {
    List<String> lines = new ArrayList<>();
    for (Row row : rows) {
      String cell = row.cells.get(host);
      if (cell.equals(UNSEEN)) {
        lines.add(row.name + ": does not exit, or does not reach the recorder");
      } else if (cell.equals(SKIP)) {
        lines.add(row.name + ": the guest cannot do it on this host");
      }
    }
    return lines;
  }

  private static boolean isCovered(String cell) {
    return !cell.equals(UNSEEN) && !cell.equals(SKIP);
  }
}
