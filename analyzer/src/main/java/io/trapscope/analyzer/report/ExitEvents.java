package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.RowSink;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Which events are exits, and the columns that name one. */
final class ExitEvents {
  /**
   * The types of exits. An event of such a type is an exit if its reason was captured, which is
   * always so unless the trace is damaged.
   */
  static final Set<EventType> TYPES =
      Collections.unmodifiableSet(
          EnumSet.of(
              EventType.PIO,
              EventType.MMIO,
              EventType.CPUID,
              EventType.MSR,
              EventType.HYPERCALL,
              EventType.HLT,
              EventType.EPT_FAULT,
              EventType.CR_ACCESS,
              EventType.EXCEPTION,
              EventType.EXIT));

  /** Exit reasons are one byte. */
  static final int REASONS = 256;

  /** The stages that come after the exit: together they are its handling. */
  static final List<Field> HANDLING =
      List.of(Field.LOOP_TIME, Field.DISPATCH_TIME, Field.DEVICE_TIME);

  static final Column REASON = Column.text("reason", "exit reason");
  static final Column SDM_REASON =
      Column.of(
          "sdm_reason",
          ColumnType.UINT8,
          Unit.NONE,
          "basic exit reason of the Intel SDM; null for an exit that only KVM has");
  static final Column VCPU =
      Column.of("vcpu", ColumnType.UINT16, Unit.NONE, "virtual CPU; null where all are added up");

  private ExitEvents() {}

  /** The duration in this field, in ns; -1 where it was not captured or is none. */
  static long duration(EventReader event, Field field) {
    long nanos = event.get(field, -1);
    return Latency.isPlausible(nanos) ? nanos : -1;
  }

  /** Sets the cells of {@link #REASON} and {@link #SDM_REASON}, the first columns of a table. */
  static void setReason(RowSink row, int code) {
    row.text(0, name(code));
    if (ExitReason.of(code).isArchitectural()) {
      row.number(1, code);
    }
  }

  /** Name of a reason; the code as text where this version has no name for it. */
  static String name(int code) {
    ExitReason reason = ExitReason.of(code);
    return reason.code() == code ? reason.name() : Integer.toString(code);
  }
}
