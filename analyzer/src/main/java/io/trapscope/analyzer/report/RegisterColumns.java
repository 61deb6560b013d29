package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.RowSink;
import io.trapscope.analyzer.tally.Registers;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.List;
import java.util.Locale;

/** The columns that say which register it is about, and in front of all which one. */
final class RegisterColumns {
  static final Column TARGET =
      Column.text(
          "target",
          "port, MMIO address, MSR, CPUID leaf, hypercall, control register, vector, region");
  static final Column DEVICE =
      Column.text("device", "device that answers, or the kind of register: msr, cpuid and so on");
  static final Column REGISTER =
      Column.text("register", "the register's name, or its offset in its device");
  static final Column DIRECTION =
      Column.text("direction", "READ, WRITE, or FETCH of an instruction; RDMSR is a READ");
  static final Column LOCATION =
      Column.text("location", "guest RIP: function and offset, or the address without a symbol");

  /** The first columns of a table about registers. */
  static final List<Column> FIRST = List.of(DEVICE, REGISTER, TARGET, EventColumns.of(Field.SIZE));

  private RegisterColumns() {}

  /** Sets the first columns; the size is left out where it is 0. */
  static void set(
      RowSink row, EventType type, long number, long index, int size, TraceFacts facts) {
    String device = facts.platform().device(type, number);
    String register = facts.platform().register(type, number);
    String selected =
        index == Registers.NO_INDEX ? "" : String.format(Locale.ROOT, "[0x%x]", index);
    if (device != null) {
      row.text(0, device);
    }
    if (register != null) {
      row.text(1, register + selected);
    }
    row.text(2, target(type, number) + selected);
    if (size > 0) {
      row.number(3, size);
    }
  }

  /** The register in words: "port 0x3f8", "msr 0x10". */
  static String target(EventType type, long number) {
    String hex = "0x" + Long.toHexString(number);
    if (type == EventType.PIO) {
      return "port " + hex;
    }
    if (type == EventType.MMIO) {
      return "mmio " + hex;
    }
    if (type == EventType.MSR) {
      return "msr " + hex;
    }
    if (type == EventType.CPUID) {
      return String.format(Locale.ROOT, "cpuid 0x%x.%d", number >>> 32, number & 0xffff_ffffL);
    }
    if (type == EventType.HYPERCALL) {
      return "hypercall " + Long.toUnsignedString(number);
    }
    if (type == EventType.CR_ACCESS) {
      return "cr" + number;
    }
    return "vector " + number;
  }

  /** A guest address in words. */
  static String location(long rip, TraceFacts facts) {
    String described = facts.symbols().describe(rip);
    return described == null ? "0x" + Long.toHexString(rip) : described;
  }
}
