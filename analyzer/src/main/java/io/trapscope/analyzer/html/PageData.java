package io.trapscope.analyzer.html;

import io.trapscope.analyzer.tally.Latency;
import io.trapscope.analyzer.tally.Stage;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceReader;
import java.nio.charset.StandardCharsets;

/**
 * What the page draws over time, collected in one pass over the events in the order of time. Its
 * size is bounded by {@link TimeScale#COLUMNS} and the rows below.
 */
final class PageData {
  /** What a vCPU's time goes to. */
  enum Share {
    GUEST,
    HANDLING,
    HALTED
  }

  /** What a fault's page was before: untouched, touched, or the trace does not tell. */
  enum Touch {
    FIRST,
    AGAIN,
    UNKNOWN
  }

  private static final Stage[] STAGES = Stage.values();

  /** Rows of a latency grid: two an octave, from 1 ns on. */
  static final int LATENCY_ROWS = 2 * 54;

  private static final int REASONS = 256;

  /** When the run begins, ns of the trace's clock. */
  final long origin;

  final TimeScale scale;
  final Grid exits;
  final Grid shares;
  final Grid interrupts;

  /** By {@link Stage}. */
  final Grid[] latency = new Grid[STAGES.length];

  /** By {@link Touch}. */
  final Grid[] faults = new Grid[Touch.values().length];

  /** Faults whose address the trace does not tell. */
  long faultsNowhere;

  /** Rows of {@link #faults}. */
  final SpaceScale space;

  final ConsoleText console;

  /** Until when each vCPU's time is told; last of those exits whose vCPU is not known. */
  private final long[] ends;

  private final byte[] data = new byte[EventWriter.MAX_DATA];
  private long last;

  private PageData(TraceHeader header, long origin, long ramEnd) {
    this.origin = origin;
    this.scale = new TimeScale(origin);
    this.exits = scale.grid(REASONS);
    this.shares = scale.grid(Share.values().length);
    this.interrupts = scale.grid(1);
    for (int i = 0; i < latency.length; i++) {
      latency[i] = scale.grid(LATENCY_ROWS);
    }
    this.space = new SpaceScale(ramEnd);
    for (int i = 0; i < faults.length; i++) {
      faults[i] = scale.grid(SpaceScale.ROWS + 1);
      space.add(faults[i]);
    }
    this.console = new ConsoleText();
    this.ends = new long[header.cpus() + 1];
  }

  /** Reads the whole trace, of a run that began then, of a machine whose RAM ends there. */
  static PageData of(TraceReader trace, long start, long ramEnd) {
    EventCursor cursor = trace.merged();
    PageData page = new PageData(trace.header(), start, ramEnd);
    while (cursor.next()) {
      EventReader event = cursor.event();
      page.last = Math.max(page.last, page.scale.since(event.time()));
      if (event.isExit()) {
        page.exit(event);
      } else {
        page.other(event);
      }
    }
    page.console.finish();
    return page;
  }

  private void exit(EventReader event) {
    int column = scale.column(event.time());
    exits.add(event.reasonCode(), column, 1);
    for (Stage stage : STAGES) {
      if (stage.isTold(event)) {
        latency[stage.ordinal()].add(latencyRow(stage.nanos(event)), column, 1);
      }
    }
    share(event);
    if (event.type() == EventType.EPT_FAULT) {
      fault(event, column);
    }
  }

  private void fault(EventReader event, int column) {
    if (event.has(Field.GPA)) {
      faults[touch(event).ordinal()].add(space.row(event.get(Field.GPA)), column, 1);
    } else {
      faultsNowhere++;
    }
  }

  private static Touch touch(EventReader fault) {
    if (!fault.has(Field.FIRST_TOUCH)) {
      return Touch.UNKNOWN;
    }
    return fault.get(Field.FIRST_TOUCH) != 0 ? Touch.FIRST : Touch.AGAIN;
  }

  /**
   * Where the vCPU's time went: in the guest before the exit, then in its handling, then halted.
   */
  private void share(EventReader event) {
    int vcpu = Math.min(event.vcpu(), ends.length - 1); // NO_VCPU is the largest
    long time = event.time();
    long entry = Math.max(ends[vcpu], time - Stage.GUEST.nanos(event));
    scale.spread(shares, Share.GUEST.ordinal(), entry, time);
    long end = time + Stage.handling(event);
    scale.spread(shares, Share.HANDLING.ordinal(), time, end);
    ends[vcpu] = end;
    long idle = event.get(Field.IDLE_TIME, 0);
    if (idle > 0 && idle < Latency.LIMIT) {
      scale.spread(shares, Share.HALTED.ordinal(), end, end + idle);
      ends[vcpu] = end + idle;
    }
  }

  private void other(EventReader event) {
    if (event.type() == EventType.INJECTION) {
      interrupts.add(0, scale.column(event.time()), 1);
    } else if (event.type() == EventType.CONSOLE_OUTPUT && event.get(Field.CHANNEL, 0) == 0) {
      console.write(scale.since(event.time()), data, event.getBytes(Field.DATA, data, 0));
    } else if (event.type() == EventType.MARK && event.has(Field.DATA)) {
      int length = event.getBytes(Field.DATA, data, 0);
      console.mark(scale.since(event.time()), new String(data, 0, length, StandardCharsets.UTF_8));
    }
  }

  /** The row of a duration: floor(2 log2), in whole numbers. */
  static int latencyRow(long nanos) {
    if (nanos < 2) {
      return 0;
    }
    int octave = 63 - Long.numberOfLeadingZeros(nanos);
    // Above the middle of an octave, 2^(n + 1/2), lies what is at least 1.41421356 times 2^n.
    boolean upper = nanos >= (1L << octave) * 1.4142135623730951;
    return 2 * octave + (upper ? 1 : 0);
  }

  /** ns from the origin to the last event. */
  long last() {
    return last;
  }
}
