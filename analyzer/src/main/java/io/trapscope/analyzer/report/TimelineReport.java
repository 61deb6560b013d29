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
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What happened when: {@code timeline} a row a bucket of time, {@code timeline_exits} a row a
 * bucket and reason, {@code ept_fault_map} a row a bucket and block of guest-physical memory.
 */
public final class TimelineReport implements Report {
  /** Buckets of a table where nobody has asked for a width, and of the one for people. */
  private static final int MOST_ROWS = 200;

  private static final int MOST_SHOWN = 20;

  private static final Column TIME =
      Column.of("time", ColumnType.TIMESTAMP, Unit.NANOSECONDS, "where the bucket begins");

  private static final TableSchema TIMELINE =
      new TableSchema(
          "timeline",
          "Over time",
          "a bucket of time",
          List.of(
              TIME,
              Column.duration("since_start", "from the run's beginning to the bucket's"),
              Column.duration("bucket_ns", "how long the bucket is"),
              Column.count("count", "number of exits"),
              Column.duration("guest_ns", "guest time that passed in the bucket"),
              Column.duration(
                  "handling_ns", "time of handling its exits: all stages but the guest's"),
              Column.duration("idle_ns", "time that vCPUs were halted in the bucket"),
              Column.of(
                  "guest_share",
                  ColumnType.FLOAT64,
                  Unit.RATIO,
                  "guest time divided by the bucket's length times the number of vCPUs"),
              Column.duration(
                  "p50",
                  "50th percentile of the handling times, at most 3.2 % above the exact one"),
              Column.duration("p90", "90th percentile of the handling times"),
              Column.duration("p99", "99th percentile of the handling times"),
              Column.duration("max", "the longest handling time"),
              Column.count("ept_faults", "EPT faults"),
              Column.count(
                  "first_touches", "EPT faults on pages that nothing had touched before")));

  private static final TableSchema EXITS =
      new TableSchema(
          "timeline_exits",
          "Exits by reason over time",
          "the exits of one reason in a bucket of time",
          List.of(
              ExitEvents.REASON,
              ExitEvents.SDM_REASON,
              TIME,
              Column.count("count", "number of exits"),
              Column.duration(
                  "guest_ns", "guest time before these exits that passed in the bucket"),
              Column.duration("handling_ns", "time of handling these exits")));

  private static final TableSchema FAULTS =
      new TableSchema(
          "ept_fault_map",
          "EPT faults over memory and time",
          "the EPT faults in one block of guest-physical memory in a bucket of time",
          List.of(
              TIME,
              Column.address("gpa", "guest-physical address of the block"),
              Column.of("bytes", ColumnType.UINT64, Unit.BYTES, "length of the block"),
              Column.count("count", "number of faults"),
              Column.count("first_touches", "those on a page that nothing had touched before")));

  @Override
  public String name() {
    return "timeline";
  }

  @Override
  public String meaning() {
    return "exits, guest share, latency percentiles and EPT faults by bucket of time";
  }

  @Override
  public Set<Part> needs() {
    return EnumSet.of(Part.TIMELINE);
  }

  @Override
  public List<Table> tables(Findings found) {
    Timeline timeline = found.tally().timeline();
    int each = timeline.isAsked() ? 1 : factor(timeline, MOST_ROWS);
    List<Bucket> buckets = join(timeline, each);
    return List.of(
        timelineTable(found, buckets, each),
        exitsTable(found, buckets, each),
        faultsTable(found, buckets, each));
  }

  @Override
  public List<Table> summary(Findings found) {
    Timeline timeline = found.tally().timeline();
    int each = factor(timeline, MOST_SHOWN);
    return List.of(timelineTable(found, join(timeline, each), each));
  }

  /** How many buckets of the timeline make one of the table: 1, 2, 5, 10 and so on. */
  private static int factor(Timeline timeline, int most) {
    int size = timeline.buckets().size();
    int factor = 1;
    for (int i = 0; size > (long) most * factor; i++) {
      factor = i % 3 == 1 ? factor / 2 * 5 : factor * 2;
    }
    return factor;
  }

  private static List<Bucket> join(Timeline timeline, int each) {
    List<Bucket> fine = timeline.buckets();
    List<Bucket> joined = new ArrayList<>();
    for (int i = 0; i < fine.size(); i += each) {
      Bucket sum = new Bucket();
      for (Bucket bucket : fine.subList(i, Math.min(fine.size(), i + each))) {
        sum = sum.plus(bucket);
      }
      joined.add(sum);
    }
    return joined;
  }

  private static Table timelineTable(Findings found, List<Bucket> buckets, int each) {
    Timeline timeline = found.tally().timeline();
    long width = timeline.width() * each;
    Table.Builder table = Table.builder(TIMELINE);
    for (int i = 0; i < buckets.size(); i++) {
      Bucket bucket = buckets.get(i);
      table.number(0, timeline.origin() + i * width + found.facts().wallClockOffset());
      table.number(1, i * width);
      table.number(2, width);
      table.number(3, bucket.count());
      if (timeline.tellsGuest()) {
        table.number(4, bucket.guest());
        table.real(7, bucket.guest() / ((double) width * found.facts().vcpus()));
      }
      if (timeline.tellsHandling()) {
        table.number(5, bucket.handling());
      }
      table.number(6, bucket.idle());
      if (bucket.isHandlingTold()) {
        table.number(8, bucket.percentile(50));
        table.number(9, bucket.percentile(90));
        table.number(10, bucket.percentile(99));
        table.number(11, bucket.longest());
      }
      table.number(12, bucket.faults());
      if (timeline.tellsTouches()) {
        table.number(13, bucket.touches());
      }
      table.endRow();
    }
    if (timeline.width() > timeline.wantedWidth() && timeline.isAsked()) {
      table.note(
          String.format(
              Locale.ROOT,
              "buckets are %,d times as long as asked: the trace is too long for shorter ones",
              timeline.width() / timeline.wantedWidth()));
    }
    return table.build();
  }

  private static Table exitsTable(Findings found, List<Bucket> buckets, int each) {
    Timeline timeline = found.tally().timeline();
    List<Integer> reasons = timeline.reasons();
    List<Integer> places = new ArrayList<>();
    for (int i = 0; i < reasons.size(); i++) {
      places.add(i);
    }
    places.sort(Comparator.comparing(reasons::get));
    Table.Builder table = Table.builder(EXITS);
    for (int i = 0; i < buckets.size(); i++) {
      Bucket bucket = buckets.get(i);
      long time = timeline.origin() + i * timeline.width() * each;
      for (int place : places) {
        if (bucket.count(place) > 0 || bucket.guest(place) > 0) {
          ExitEvents.setReason(table, reasons.get(place));
          table.number(2, time + found.facts().wallClockOffset());
          table.number(3, bucket.count(place));
          appendTimes(table, bucket, place, timeline);
          table.endRow();
        }
      }
    }
    return table.build();
  }

  /** Guest and handling time of the exits of a reason, in columns 4 and 5. */
  static void appendTimes(Table.Builder table, Bucket sums, int place, Timeline timeline) {
    if (timeline.tellsGuest()) {
      table.number(4, sums.guest(place));
    }
    if (timeline.tellsHandling()) {
      table.number(5, sums.handling(place));
    }
  }

  private static Table faultsTable(Findings found, List<Bucket> buckets, int each) {
    Timeline timeline = found.tally().timeline();
    Table.Builder table = Table.builder(FAULTS);
    for (int i = 0; i < buckets.size(); i++) {
      Bucket bucket = buckets.get(i);
      long time = timeline.origin() + i * timeline.width() * each;
      for (int block = 0; block < Bucket.BLOCKS; block++) {
        if (bucket.faults(block) > 0) {
          table.number(0, time + found.facts().wallClockOffset());
          table.number(1, (long) block << timeline.blockShift());
          table.number(2, 1L << timeline.blockShift());
          table.number(3, bucket.faults(block));
          if (timeline.tellsTouches()) {
            table.number(4, bucket.touches(block));
          }
          table.endRow();
        }
      }
    }
    return table.build();
  }
}
