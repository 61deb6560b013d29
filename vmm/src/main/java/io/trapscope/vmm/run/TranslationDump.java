package io.trapscope.vmm.run;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.vmm.hypervisor.NestedWalk;
import io.trapscope.vmm.hypervisor.NestedWalk.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * An address translated on request of the guest, from GVA where it gave one, to the value found at
 * the end.
 *
 * @param guest the guest's own walk, or null where it did not ask for one
 * @param nested from GPA to host
 * @param value the 64 bits at the end; valid where {@code found}
 * @param found whether RAM lies at the GPA
 */
record TranslationDump(GuestWalk guest, NestedWalk nested, long value, boolean found) {
  private static final String[] GUEST_TABLES = {"", "PT", "PD", "PDPT", "PML4"};
  private static final String[] EPT_TABLES = {"", "EPT PT", "EPT PD", "EPT PDPT", "EPT PML4"};

  /** The dump for people, a line a step. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    if (guest != null) {
      lines.add(String.format(Locale.ROOT, "GVA 0x%x", guest.gva()));
      for (Step step : guest.steps()) {
        lines.add(line(GUEST_TABLES[step.level()], step, guestFlags(step)));
      }
    }
    lines.add(
        String.format(Locale.ROOT, "GPA 0x%x%s", nested.gpa(), page(guest == null ? 0 : shift())));
    for (Step step : nested.steps()) {
      lines.add(line(EPT_TABLES[step.level()], step, eptFlags(step)));
    }
    String hpa = nested.hpa() == -1 ? "" : String.format(Locale.ROOT, " HPA 0x%x", nested.hpa());
    String hva = nested.hva() == -1 ? "" : String.format(Locale.ROOT, " HVA 0x%x", nested.hva());
    lines.add(nested.means() + hpa + hva + page(nested.pageShift()));
    lines.add(found ? "value " + value : "no RAM at this GPA");
    return lines;
  }

  private int shift() {
    return guest.pageShift();
  }

  private static String page(int shift) {
    return switch (shift) {
      case 12 -> ", 4 KiB page";
      case 21 -> ", 2 MiB page";
      case 30 -> ", 1 GiB page";
      default -> "";
    };
  }

  private static String line(String table, Step step, String flags) {
    return String.format(
        Locale.ROOT,
        "  %-8s [%3d] at 0x%x = 0x%016x %s",
        table,
        step.index(),
        step.entryAddress(),
        step.entry(),
        flags);
  }

  /** Bits of a paging-structure entry, Intel SDM volume 3, tables 4-15 to 4-20. */
  private static String guestFlags(Step step) {
    long e = step.entry();
    StringBuilder out = new StringBuilder();
    flag(out, e, 0, "P", "-");
    flag(out, e, 1, " RW", " RO");
    flag(out, e, 2, " U", " S");
    flag(out, e, 5, " A", "");
    if (step.level() == 1 || step.level() < 4 && (e >>> 7 & 1) != 0) {
      flag(out, e, 6, " D", "");
      flag(out, e, 8, " G", "");
    }
    if (step.level() == 2 || step.level() == 3) {
      flag(out, e, 7, " PS", "");
    }
    flag(out, e, 63, " NX", "");
    return out.toString();
  }

  /** Bits of an EPT entry, Intel SDM volume 3, tables 29-1 to 29-6. */
  private static String eptFlags(Step step) {
    long e = step.entry();
    StringBuilder out = new StringBuilder();
    flag(out, e, 0, "R", "-");
    flag(out, e, 1, "W", "-");
    flag(out, e, 2, "X", "-");
    flag(out, e, 8, " A", "");
    boolean leaf = step.level() == 1 || step.level() < 4 && (e >>> 7 & 1) != 0;
    if (leaf) {
      flag(out, e, 9, " D", "");
      out.append(" memory type ").append(e >>> 3 & 7);
    }
    if (step.level() == 2 || step.level() == 3) {
      flag(out, e, 7, " large", "");
    }
    return out.toString();
  }

  private static void flag(StringBuilder out, long entry, int bit, String set, String clear) {
    out.append((entry >>> bit & 1) != 0 ? set : clear);
  }

  /** Writes the dump as one event, which the caller stamps with a time. */
  void record(ExitSink sink, long nanos) {
    List<Step> steps = new ArrayList<>();
    if (guest != null) {
      steps.addAll(guest.steps());
    }
    steps.addAll(nested.steps());
    byte[] data = new byte[16 * steps.size()];
    for (int i = 0; i < steps.size(); i++) {
      for (int b = 0; b < 8; b++) {
        data[16 * i + b] = (byte) (steps.get(i).entryAddress() >>> 8 * b);
        data[16 * i + 8 + b] = (byte) (steps.get(i).entry() >>> 8 * b);
      }
    }
    EventWriter event = sink.claim(EventType.TRANSLATION);
    event.put(Field.TIME, nanos);
    event.put(Field.GUEST_LEVELS, guest == null ? 0 : guest.steps().size());
    event.put(Field.EPT_LEVELS, nested.steps().size());
    if (guest != null) {
      event.put(Field.GVA, guest.gva());
      if (guest.pageShift() != 0) {
        event.put(Field.GUEST_PAGE, guest.pageShift());
      }
    }
    if (nested.pageShift() != 0) {
      event.put(Field.EPT_PAGE, nested.pageShift());
    }
    event.put(Field.GPA, nested.gpa());
    if (nested.hpa() != -1) {
      event.put(Field.HPA, nested.hpa());
    }
    if (nested.hva() != -1) {
      event.put(Field.HVA, nested.hva());
    }
    if (found) {
      event.put(Field.VALUE, value);
    }
    event.putBytes(Field.DATA, data, 0, data.length);
    sink.commit();
  }
}
