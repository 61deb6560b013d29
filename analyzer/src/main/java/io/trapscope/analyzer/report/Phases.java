package io.trapscope.analyzer.report;

import io.trapscope.analyzer.tally.Messages;
import io.trapscope.recorder.event.EventType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;

/** Finds the phases of a run: those of a Linux boot, those that the trace marks, and one's own. */
final class Phases {
  /** The first phase of a boot, and the only one of a run in which nothing else is found. */
  private static final String LOADER = "loader";

  private static final String RUN = "run";

  /** The header's note of a kernel that is started at its decompressor, by whom it runs. */
  private static final Pattern COMPRESSED = Pattern.compile("bzImage, (32|64)-bit entry");

  /** Marks of the trace that begin a phase each, at most. */
  private static final int MOST_MARKS = 64;

  private static final String DECOMPRESSION = "decompression";
  private static final int USER_MODE = 3;

  /** A kernel's half of the address space in long mode. */
  private static final long KERNEL_HALF = 0xffff_8000_0000_0000L;

  /** In the order in which they come; what has not come is left out. */
  private static final List<Mark> LINUX =
      List.of(
          Mark.text(DECOMPRESSION, "text 'Decompressing Linux'", "Decompressing Linux"),
          Mark.site(
              "early kernel",
              "first exit at a kernel address",
              site -> site.hasRip() && Long.compareUnsigned(site.rip(), KERNEL_HALF) >= 0),
          Mark.text(
              "drivers",
              "text of the first driver",
              "devtmpfs: initialized|NET: Registered|clocksource: Switched|Serial: 8250"),
          Mark.text("init", "text 'Run ... as init process'", "Run \\S+ as init process"),
          Mark.text("shell", "text of a prompt", "^(\\S*[#$%>] |.*\\blogin: ?)"),
          Mark.text(
              "end",
              "text of the last moments",
              "reboot: |System halted|Power down|Restarting system|Requesting system "));

  /** The same where the kernel says nothing of its init. */
  private static final Mark USER =
      Mark.site("init", "first exit in user mode", site -> site.cpl() == USER_MODE);

  /**
   * A phase.
   *
   * @param begin on the trace's clock
   * @param end where the next one begins, or the run ends
   * @param mark what began it
   */
  record Phase(String name, String mark, long begin, long end) {
    boolean isBegunBy(Mark one) {
      return name.equals(one.name()) && mark.equals(one.what());
    }
  }

  private record Begin(long time, String name, String what) {}

  private Phases() {}

  /**
   * The phases in their order; they follow one another without a gap.
   *
   * @param own marks that begin a phase besides; one replaces the phase of a boot that is called so
   */
  static List<Phase> of(Findings found, List<Mark> own) {
    List<ConsoleLines.Line> console =
        ConsoleLines.of(found.tally().messages(), EventType.CONSOLE_OUTPUT, 0);
    List<Begin> begins = new ArrayList<>();
    linux(found, console, begins);
    String opening = begins.isEmpty() ? RUN : LOADER;
    begins.removeIf(begin -> own.stream().anyMatch(mark -> mark.name().equals(begin.name)));
    long start = found.facts().start();
    if (begins.isEmpty() || begins.get(0).time > start) {
      begins.add(0, new Begin(start, opening, "the run begins"));
    }
    trace(found, begins);
    for (Mark mark : own) {
      mark.first(found, console)
          .ifPresent(time -> begins.add(new Begin(time, mark.name(), mark.what())));
    }
    // A stable sort: of those at one time the order stays.
    begins.sort(Comparator.comparingLong(Begin::time));
    List<Phase> phases = new ArrayList<>();
    long end = end(found);
    for (int i = 0; i < begins.size(); i++) {
      Begin begin = begins.get(i);
      long from = i == 0 ? start : Math.max(start, begin.time);
      long next = i + 1 < begins.size() ? Math.max(from, begins.get(i + 1).time) : end;
      phases.add(new Phase(begin.name, begin.what, from, Math.max(from, next)));
    }
    return phases;
  }

  /** A boot's phases come in one order: text that comes too early is about something else. */
  private static void linux(Findings found, List<ConsoleLines.Line> console, List<Begin> begins) {
    long last = found.facts().start();
    boolean unpacks = COMPRESSED.matcher(found.facts().protocol()).matches();
    if (unpacks) {
      begins.add(new Begin(last, DECOMPRESSION, "started as " + found.facts().protocol()));
    }
    for (Mark mark : LINUX.subList(unpacks ? 1 : 0, LINUX.size())) {
      Mark used = mark;
      OptionalLong time = after(mark, found, console, last);
      if (time.isEmpty() && mark.name().equals(USER.name()) && !begins.isEmpty()) {
        used = USER;
        time = USER.first(found, console);
      }
      if (time.isPresent() && time.getAsLong() >= last) {
        last = time.getAsLong();
        begins.add(new Begin(last, used.name(), used.what()));
      }
    }
  }

  private static OptionalLong after(
      Mark mark, Findings found, List<ConsoleLines.Line> console, long time) {
    return mark.first(found, console.stream().filter(line -> line.end() >= time).toList());
  }

  /** The first MARK event of each name. */
  private static void trace(Findings found, List<Begin> begins) {
    Set<String> names = new HashSet<>();
    // Several vCPUs, and so several streams, may have marks.
    List<Messages.Message> marks =
        found.tally().messages().list().stream()
            .filter(message -> message.type() == EventType.MARK)
            .sorted(Comparator.comparingLong(Messages.Message::time))
            .toList();
    for (Messages.Message mark : marks) {
      String name = new String(mark.text(), StandardCharsets.UTF_8);
      if (names.size() < MOST_MARKS && names.add(name)) {
        begins.add(new Begin(mark.time(), name, "mark of the trace"));
      }
    }
  }

  /** When the run ended: the trace says so, or its last exit does. */
  private static long end(Findings found) {
    long last =
        found.tally().sites().sites().stream()
            .mapToLong(site -> site.sums().last())
            .max()
            .orElse(found.facts().start());
    return found.tally().messages().list().stream()
        .filter(message -> message.type() == EventType.END)
        .mapToLong(Messages.Message::time)
        .reduce(last, Math::max);
  }
}
