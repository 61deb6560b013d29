package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.analyzer.tally.Bucket;
import io.trapscope.analyzer.tally.Part;
import io.trapscope.analyzer.tally.Timeline;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * {@code phases}: the run cut where something happens for the first time, each phase with its exits
 * and times; {@code phase_exits}, the exits of each by reason.
 */
public final class PhasesReport implements Report {
  private static final Column PHASE = Column.text("phase", "name of the phase");

  private static final TableSchema PHASES =
      new TableSchema(
          "phases",
          "Phases",
          "a phase of the run",
          List.of(
              PHASE,
              Column.of("time", ColumnType.TIMESTAMP, Unit.NANOSECONDS, "when it began"),
              Column.duration("since_start", "from the run's beginning to the phase's"),
              Column.duration("duration", "how long it took"),
              Column.count("count", "number of exits"),
              Column.duration("guest_ns", "guest time that passed in the phase"),
              Column.duration(
                  "handling_ns", "time of handling its exits: all stages but the guest's"),
              Column.duration("idle_ns", "time that vCPUs were halted in the phase"),
              Column.count("ept_faults", "EPT faults"),
              Column.count("first_touches", "EPT faults on pages that nothing had touched before"),
              Column.text("mark", "what happened for the first time when it began")));

  private static final TableSchema EXITS =
      new TableSchema(
          "phase_exits",
          "Exits by phase and reason",
          "the exits of one reason in a phase of the run",
          List.of(
              ExitEvents.REASON,
              ExitEvents.SDM_REASON,
              PHASE,
              Column.count("count", "number of exits"),
              Column.duration("guest_ns", "guest time before these exits that passed in the phase"),
              Column.duration("handling_ns", "time of handling these exits")));

  private final List<Mark> marks;

  /** With the phases of a Linux boot, and those that the trace marks. */
  public PhasesReport() {
    this(List.of());
  }

  /**
   * With phases of one's own.
   *
   * @param marks what begins them
   */
  public PhasesReport(List<Mark> marks) {
    this.marks = List.copyOf(marks);
  }

  @Override
  public String name() {
    return "phases";
  }

  @Override
  public String meaning() {
    return "loader, kernel, drivers, init, shell, end: exits, time and EPT faults of each";
  }

  @Override
  public Set<Part> needs() {
    return EnumSet.of(Part.SITES, Part.TIMELINE, Part.MESSAGES);
  }

  @Override
  public Set<EventFilter> firstOf() {
    Set<EventFilter> filters = new LinkedHashSet<>();
    marks.stream().map(Mark::where).filter(where -> where != null).forEach(filters::add);
    return filters;
  }

  @Override
  public List<Table> tables(Findings found) {
    Table.Builder table = Table.builder(PHASES);
    Table.Builder exits = Table.builder(EXITS);
    List<Phases.Phase> phases = Phases.of(found, marks);
    Timeline timeline = found.tally().timeline();
    // What comes after the end, such as idle time, belongs to the last phase.
    List<Long> begins = phases.stream().skip(1).map(Phases.Phase::begin).toList();
    List<Bucket> spans = found.spans().cut(timeline, begins);
    for (int i = 0; i < phases.size(); i++) {
      appendPhase(table, phases.get(i), spans.get(i), found);
      appendExits(exits, phases.get(i), spans.get(i), timeline);
    }
    for (Mark mark : marks) {
      if (phases.stream().noneMatch(phase -> phase.isBegunBy(mark))) {
        table.note(mark.name() + ": " + mark.what() + " did not come");
      }
    }
    return List.of(table.build(), exits.build());
  }

  @Override
  public List<Table> summary(Findings found) {
    return tables(found).subList(0, 1);
  }

  private static void appendPhase(
      Table.Builder table, Phases.Phase phase, Bucket sums, Findings found) {
    TraceFacts facts = found.facts();
    Timeline timeline = found.tally().timeline();
    table.text(0, phase.name());
    table.number(1, phase.begin() + facts.wallClockOffset());
    table.number(2, phase.begin() - facts.start());
    table.number(3, phase.end() - phase.begin());
    table.number(4, sums.count());
    if (timeline.tellsGuest()) {
      table.number(5, sums.guest());
    }
    if (timeline.tellsHandling()) {
      table.number(6, sums.handling());
    }
    table.number(7, sums.idle());
    table.number(8, sums.faults());
    if (timeline.tellsTouches()) {
      table.number(9, sums.touches());
    }
    table.text(10, phase.mark());
    table.endRow();
  }

  private static void appendExits(
      Table.Builder table, Phases.Phase phase, Bucket sums, Timeline timeline) {
    List<Integer> reasons = timeline.reasons();
    List<Integer> places = new ArrayList<>();
    for (int i = 0; i < reasons.size(); i++) {
      if (sums.count(i) > 0 || sums.guest(i) > 0) {
        places.add(i);
      }
    }
    places.sort(Comparator.comparing(reasons::get));
    for (int place : places) {
      ExitEvents.setReason(table, reasons.get(place));
      table.text(2, phase.name());
      table.number(3, sums.count(place));
      TimelineReport.appendTimes(table, sums, place, timeline);
      table.endRow();
    }
  }
}
