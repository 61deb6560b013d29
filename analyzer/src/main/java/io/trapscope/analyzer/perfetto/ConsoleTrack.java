package io.trapscope.analyzer.perfetto;

import io.trapscope.analyzer.report.ConsoleLines;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** One console's track: an instant for each line, at the time of its first byte. */
final class ConsoleTrack {
  /** Characters of a line that are kept. */
  private static final int LONGEST_LINE = 240;

  private final PacketWriter out;
  private final long track;
  private final List<ConsoleLines.Line> ended = new ArrayList<>();
  private final ConsoleLines lines = new ConsoleLines(ended::add);

  ConsoleTrack(PacketWriter out, long track) {
    this.out = out;
    this.track = track;
  }

  void write(long time, byte[] bytes, int count) throws IOException {
    lines.write(time, bytes, count);
    putLines();
  }

  /** Ends the line, if there is one. */
  void endLine() throws IOException {
    lines.finish();
    putLines();
  }

  private void putLines() throws IOException {
    for (ConsoleLines.Line line : ended) {
      String text = line.text().substring(0, Math.min(line.text().length(), LONGEST_LINE));
      if (!text.isEmpty()) {
        out.endEvent(out.beginEvent(Proto.INSTANT, track, line.begin(), "console", text));
      }
    }
    ended.clear();
  }
}
