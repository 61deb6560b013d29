package io.trapscope.analyzer.perfetto;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** One console's track: an instant for each line, at the time of its first byte. */
final class ConsoleTrack {
  private static final int LONGEST_LINE = 240;

  private final PacketWriter out;
  private final long track;
  private final byte[] line = new byte[LONGEST_LINE];
  private int length;
  private long begun;

  ConsoleTrack(PacketWriter out, long track) {
    this.out = out;
    this.track = track;
  }

  void write(long time, byte[] bytes, int count) throws IOException {
    for (int i = 0; i < count; i++) {
      if (bytes[i] == '\n') {
        endLine();
      } else if (bytes[i] != '\r') {
        if (length == 0) {
          begun = time;
        }
        if (length < LONGEST_LINE) {
          line[length++] = bytes[i];
        }
      }
    }
  }

  /** Ends the line, if there is one. */
  void endLine() throws IOException {
    if (length > 0) {
      String text = new String(line, 0, length, StandardCharsets.UTF_8);
      out.endEvent(out.beginEvent(Proto.INSTANT, track, begun, "console", text));
      length = 0;
    }
  }
}
