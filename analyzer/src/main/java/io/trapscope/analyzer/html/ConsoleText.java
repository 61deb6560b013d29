package io.trapscope.analyzer.html;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * The console's lines, each with the time of its first byte: the first and the last {@link #KEPT}.
 */
final class ConsoleText {
  /** Lines kept from either end. */
  static final int KEPT = 1000;

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
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private long begun;
  private long left;

  void write(long since, byte[] bytes, int count) {
    for (int i = 0; i < count; i++) {
      if (bytes[i] == '\n') {
        finish();
      } else if (bytes[i] != '\r') {
        if (line.size() == 0) {
          begun = since;
        }
        if (line.size() < LONGEST_LINE) {
          line.write(bytes[i]);
        }
      }
    }
  }

  void mark(long since, String name) {
    add(new Line(since, name, true));
  }

  /** Ends the line, if there is one. */
  void finish() {
    if (line.size() > 0) {
      // Escape sequences move a cursor that a page has not.
      String text =
          line.toString(StandardCharsets.UTF_8).replaceAll("\u001b\\[[0-9;?]*[A-Za-z]", "");
      add(new Line(begun, text, false));
      line.reset();
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
