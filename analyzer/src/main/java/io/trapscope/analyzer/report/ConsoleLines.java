package io.trapscope.analyzer.report;

import io.trapscope.analyzer.tally.Messages;
import io.trapscope.recorder.event.EventType;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Puts the lines of a console together, which may come in pieces. */
final class ConsoleLines {
  /** Sequences that move a cursor or set a colour. */
  private static final Pattern ESCAPES =
      Pattern.compile("\u001b(\\[[0-9;?]*[A-Za-z]|[()][A-Z0-9])");

  /**
   * A line.
   *
   * @param begin when its first byte was written, on the trace's clock
   * @param end when its last one was
   * @param text without escape sequences and line end
   */
  record Line(long begin, long end, String text) {}

  private ConsoleLines() {}

  /**
   * The lines of one console in one direction, in the order of time.
   *
   * @param type CONSOLE_OUTPUT or CONSOLE_INPUT
   */
  static List<Line> of(Messages messages, EventType type, int channel) {
    List<Line> lines = new ArrayList<>();
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    long begin = 0;
    long end = 0;
    for (Messages.Message message : messages.list()) {
      if (message.type() != type || message.channel() != channel) {
        continue;
      }
      for (byte written : message.text()) {
        begin = line.size() == 0 ? message.time() : begin;
        end = message.time();
        if (written != '\n') {
          line.write(written);
        } else {
          add(lines, begin, end, line);
        }
      }
    }
    if (line.size() > 0) {
      add(lines, begin, end, line);
    }
    return lines;
  }

  private static void add(List<Line> lines, long begin, long end, ByteArrayOutputStream line) {
    String text = line.toString(StandardCharsets.UTF_8).replace("\r", "");
    lines.add(new Line(begin, end, ESCAPES.matcher(text).replaceAll("")));
    line.reset();
  }
}
