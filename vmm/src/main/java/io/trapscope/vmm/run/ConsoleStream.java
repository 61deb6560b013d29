package io.trapscope.vmm.run;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.vmm.device.ConsoleOutput;
import java.io.IOException;
import java.io.OutputStream;

/**
 * The guest's console output: each byte goes to the user at once, and into the trace a line (or a
 * full buffer, or what stood there when the guest idled) at a time. Used under the device lock.
 */
final class ConsoleStream implements ConsoleOutput {
  private static final int LINE = 512;

  /** Recording happens between exits, and one exit of string I/O writes up to a page. */
  private static final int CAPACITY = LINE + EventWriter.MAX_DATA;

  private final OutputStream out;
  private final byte[] until;
  private final Runnable untilMet;

  private final byte[] line = new byte[CAPACITY];
  private int length;
  private boolean recordNow;
  private long total;
  private IOException failure;

  /** The last bytes written, in a ring as long as {@link #until}. */
  private final byte[] recent;

  /**
   * Makes an empty stream.
   *
   * @param until bytes to look for, or null
   * @param untilMet called when they have appeared
   */
  ConsoleStream(OutputStream out, byte[] until, Runnable untilMet) {
    this.out = out;
    this.until = until;
    this.untilMet = untilMet;
    this.recent = new byte[until == null ? 0 : until.length];
  }

  @Override
  public void accept(int value) {
    line[length++] = (byte) value;
    total++;
    recordNow |= value == '\n' || length >= LINE;
    if (failure == null) {
      try {
        out.write(value);
        if (value == '\n') {
          out.flush();
        }
      } catch (IOException e) {
        failure = e;
      }
    }
    if (until != null) {
      match(value);
    }
  }

  private void match(int value) {
    recent[(int) ((total - 1) % recent.length)] = (byte) value;
    if (total < until.length) {
      return;
    }
    for (int i = 0; i < until.length; i++) {
      if (recent[(int) ((total + i) % recent.length)] != until[i]) {
        return;
      }
    }
    untilMet.run();
  }

  /** Whether a line is complete and waits for {@link #record}. */
  boolean wantsRecord() {
    return recordNow;
  }

  /** Shows the user what was written so far, also without a line end. */
  void flush() {
    if (failure == null) {
      try {
        out.flush();
      } catch (IOException e) {
        failure = e;
      }
    }
  }

  /**
   * Records what was written since the last call.
   *
   * @param instructions instructions retired by then, or -1
   * @return how many events that took
   */
  int record(ExitSink sink, long nanos, long instructions) {
    int events = 0;
    for (int from = 0; from < length; from += EventWriter.MAX_DATA) {
      EventWriter event = sink.claim(EventType.CONSOLE_OUTPUT);
      event.put(Field.TIME, nanos).put(Field.CHANNEL, 0);
      if (instructions >= 0) {
        event.put(Field.INSTRUCTIONS, instructions);
      }
      event.putBytes(Field.DATA, line, from, Math.min(length - from, EventWriter.MAX_DATA));
      sink.commit();
      events++;
    }
    length = 0;
    recordNow = false;
    return events;
  }

  /** Bytes the guest wrote. */
  long total() {
    return total;
  }

  /** Why output stopped reaching the user, or null. */
  IOException failure() {
    return failure;
  }
}
