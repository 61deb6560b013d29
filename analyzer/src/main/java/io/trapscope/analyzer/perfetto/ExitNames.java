package io.trapscope.analyzer.perfetto;

import io.trapscope.analyzer.report.TraceFacts;
import io.trapscope.analyzer.tally.Tally;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.util.HashMap;
import java.util.Map;

/** What an exit's slice is called: instruction and register, as few words as tell them apart. */
final class ExitNames {
  private static final int MOST = 1 << 16;

  private record Key(EventType type, long direction, long number) {}

  private final TraceFacts facts;
  private final Map<Key, String> known = new HashMap<>();

  ExitNames(TraceFacts facts) {
    this.facts = facts;
  }

  String of(EventReader event) {
    Field field = Tally.NAMED_BY.getOrDefault(event.type(), Field.REASON);
    Key key =
        new Key(event.type(), event.get(Field.DIRECTION, 0), event.get(field, event.reasonCode()));
    String name = known.get(key);
    if (name == null) {
      name = event.has(field) ? name(key) : ExitReason.of(event.reasonCode()).name();
      if (known.size() < MOST) {
        known.put(key, name);
      }
    }
    return name;
  }

  private String name(Key key) {
    String hex = "0x" + Long.toHexString(key.number());
    boolean write = key.direction() != 0;
    return switch (key.type()) {
      case PIO -> (write ? "out " : "in ") + hex;
      case MMIO -> (write ? "write " : "read ") + hex;
      case CPUID -> "cpuid " + hex;
      case MSR -> (write ? "wrmsr " : "rdmsr ") + hex;
      case HYPERCALL -> "vmcall " + Long.toUnsignedString(key.number());
      case EPT_FAULT -> "EPT fault in " + facts.region((int) key.number());
      case CR_ACCESS -> "cr" + key.number();
      case EXCEPTION -> "vector " + key.number();
      case HLT -> "hlt";
      case EXIT,
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
          ExitReason.of((int) key.number()).name();
    };
  }
}
