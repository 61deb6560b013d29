package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.RowSink;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.ExitReason;

/** The columns that name an exit. */
final class ExitEvents {
  static final Column REASON = Column.text("reason", "exit reason");
  static final Column SDM_REASON =
      Column.of(
          "sdm_reason",
          ColumnType.UINT8,
          Unit.NONE,
          "basic exit reason of the Intel SDM; null for an exit that only KVM has");
  static final Column VCPU =
      Column.of(
          "vcpu",
          ColumnType.UINT16,
          Unit.NONE,
          "virtual CPU; null where the trace does not tell which");

  private ExitEvents() {}

  /** Sets the cells of {@link #REASON} and {@link #SDM_REASON}, the first columns of a table. */
  static void setReason(RowSink row, int code) {
    row.text(0, name(code));
    if (ExitReason.of(code).isArchitectural()) {
      row.number(1, code);
    }
  }

  /** Sets the cell of {@link #VCPU}, the column behind them, unless the stream is no vCPU's. */
  static void setVcpu(RowSink row, int vcpu) {
    if (vcpu != EventReader.NO_VCPU) {
      row.number(2, vcpu);
    }
  }

  /** Name of a reason; the code as text where this version has no name for it. */
  static String name(int code) {
    ExitReason reason = ExitReason.of(code);
    return reason.code() == code ? reason.name() : Integer.toString(code);
  }
}
