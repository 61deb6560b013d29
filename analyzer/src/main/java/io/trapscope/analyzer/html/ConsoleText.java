package io.trapscope.analyzer.html;

import io.trapscope.analyzer.report.ConsoleLines;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * The console's lines, each with the time of its first byte: the first and the last {@link #KEPT}.
 */
final class ConsoleText {
  /** Lines kept from either end. Empty ones are left out. */
  static final int KEPT = 1000;

  /** Characters of a line that are shown. */
  private static final int LONGEST_LINE = 200;

  /**
   * A line.
   *
   * @param since ns since the run's beginning
   * @param mark whether this is a mark and not something the guest printed
   */
  record Line(long since, String text, boolean mark) {}

  private final List<Line> first = new ArrayList<>();
  private final ArrayDeque<Line> last = new ArrayDeque<>();
  private final ConsoleLines console = new ConsoleLines(this::addText);
  private long left;

  void write(long since, byte[] bytes, int count) {
    console.write(since, bytes, count);
  }

  void mark(long since, String name) {
    add(new Line(since, name, true));
  }

  /** Ends the line, if there is one. */
  void finish() {
    console.finish();
  }

  private void addText(ConsoleLines.Line line) {
    String text = line.text();
    if (!text.isEmpty()) {
      String shown = text.substring(0, Math.min(text.length(), LONGEST_LINE));
      add(new Line(line.begin(), shown, false));
    }
  }

  private void add(Line added) {
    if (first.size() < KEPT) {
      first.add(added);
      return;
    }
    last.addLast(added);
    if (last.size() > KEPT) {
      last.removeFirst();
      left++;
    }
  }

  /** Lines in the order of time; {@link #left} are missing after the first {@link #KEPT}. */
  List<Line> lines() {
    List<Line> lines = new ArrayList<>(first);
    lines.addAll(last);
    return lines;
  }

  /** Lines that were left out. */
  long left() {
    return left;
  }
}
