package io.trapscope.analyzer.report;

import io.trapscope.analyzer.tally.Messages;
import io.trapscope.recorder.event.EventType;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/** Puts the lines of a console together, which may come in pieces. */
public final class ConsoleLines {
  /** Bytes of a line that are kept: more than {@link Messages} has of all lines. */
  private static final int MOST_BYTES = 2 * Messages.MOST_BYTES;

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
  public record Line(long begin, long end, String text) {}

  private final Consumer<Line> found;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private long begin;
  private long end;

  /** Hands each line to {@code found} when it ends. */
  public ConsoleLines(Consumer<Line> found) {
    this.found = found;
  }

  /** Takes what was written at a time. */
  public void write(long time, byte[] bytes, int count) {
    for (int i = 0; i < count; i++) {
      begin = line.size() == 0 ? time : begin;
      end = time;
      if (bytes[i] == '\n') {
        endLine();
      } else if (line.size() < MOST_BYTES) {
        line.write(bytes[i]);
      }
    }
  }

  /** Ends the last line, where there is one without an end. */
  public void finish() {
    if (line.size() > 0) {
      endLine();
    }
  }

  private void endLine() {
    String text = line.toString(StandardCharsets.UTF_8).replace("\r", "");
    line.reset();
    found.accept(new Line(begin, end, ESCAPES.matcher(text).replaceAll("")));
  }

  /**
   * The lines of one console in one direction, in the order of time.
   *
   * @param type CONSOLE_OUTPUT or CONSOLE_INPUT
   */
  static List<Line> of(Messages messages, EventType type, int channel) {
    List<Line> lines = new ArrayList<>();
    ConsoleLines console = new ConsoleLines(lines::add);
    // Pieces of a line may be in the streams of several vCPUs.
    messages.list().stream()
        .filter(message -> message.type() == type && message.channel() == channel)
        .sorted(Comparator.comparingLong(Messages.Message::time))
        .forEach(message -> console.write(message.time(), message.text(), message.text().length));
    console.finish();
    return lines;
  }
}
