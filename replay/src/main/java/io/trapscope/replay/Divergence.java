package io.trapscope.replay;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.trace.TraceFormat;
import java.util.Arrays;

/**
 * The first difference between a replay and its trace.
 *
 * @param stream the vCPU whose stream it is in, or {@link EventReader#NO_VCPU}
 * @param sequence number of the event in its stream
 * @param what which part differs: a field's name, {@code type} or {@code end}
 * @param expected what the trace has
 * @param came what the replay did
 * @param where the guest's place in words: RIP and instructions, as far as the trace has them
 */
public record Divergence(
    int stream, long sequence, String what, String expected, String came, String where) {

  /** One line for the user. */
  public String describe() {
    return event(stream, sequence)
        + ": "
        + what
        + ": expected "
        + expected
        + ", came "
        + came
        + where;
  }

  /** An event's name for the user. */
  static String event(int stream, long sequence) {
    return "event " + sequence + " of " + TraceFormat.streamName(stream);
  }

  /** The first difference between two events of the same place, or null where there is none. */
  static Divergence between(EventReader expected, EventReader came) {
    if (expected.type() != came.type()) {
      return of(expected, "type", summary(expected), summary(came));
    }
    for (Field field : EventType.COMMON) {
      if (differs(field, expected, came)) {
        return of(expected, name(field), render(field, expected), render(field, came));
      }
    }
    for (Field field : expected.type().details()) {
      if (differs(field, expected, came)) {
        return of(expected, name(field), render(field, expected), render(field, came));
      }
    }
    return null;
  }

  /** The replay goes on where the trace has ended. */
  static Divergence surplus(EventReader came, int stream, long sequence) {
    return new Divergence(
        stream, sequence, "end", "the end of the trace", summary(came), place(came));
  }

  /** The replay has ended where the trace goes on. */
  static Divergence shortfall(EventReader expected, String ending) {
    return of(expected, "end", summary(expected), "the end of the run (" + ending + ")");
  }

  private static Divergence of(EventReader at, String what, String expected, String came) {
    return new Divergence(at.vcpu(), at.sequence(), what, expected, came, place(at));
  }

  private static String name(Field field) {
    return field.column();
  }

  private static String summary(EventReader event) {
    return event.has(Field.REASON)
        ? event.type() + " (" + render(Field.REASON, event) + ")"
        : event.type().toString();
  }

  private static String place(EventReader event) {
    String place = "";
    if (event.has(Field.RIP)) {
      place += ", at RIP " + render(Field.RIP, event);
    }
    if (event.has(Field.INSTRUCTIONS)) {
      place += ", after " + render(Field.INSTRUCTIONS, event) + " instructions";
    }
    return place;
  }

  private static boolean differs(Field field, EventReader expected, EventReader came) {
    if (isHostTime(field) || field == Field.SEQUENCE || field == Field.VCPU) {
      return false;
    }
    if (expected.has(field) != came.has(field)) {
      return true;
    }
    if (!expected.has(field)) {
      return false;
    }
    return isBytes(field)
        ? !Arrays.equals(expected.getBytes(field), came.getBytes(field))
        : expected.get(field) != came.get(field);
  }

  /** Whether a field is time on the host's clock, which no two runs share. */
  public static boolean isHostTime(Field field) {
    return switch (field.kind()) {
      case TIMESTAMP, DURATION -> true;
      case COUNT, INSTRUCTIONS, SIZE, ADDRESS, BITS, INDEX, FLAG, CODE, DATA -> false;
    };
  }

  private static boolean isBytes(Field field) {
    return switch (field.wire()) {
      case BYTES -> true;
      case U64, U32, U16, U8, NIBBLE, SINCE_BASE, DERIVED -> false;
    };
  }

  private static String render(Field field, EventReader event) {
    if (!event.has(field)) {
      return "not captured";
    }
    return isBytes(field) ? bytes(event.getBytes(field)) : field.render(event.get(field));
  }

  private static String bytes(byte[] bytes) {
    int shown = Math.min(bytes.length, 16);
    StringBuilder text = new StringBuilder(bytes.length + " bytes");
    for (int i = 0; i < shown; i++) {
      text.append(i == 0 ? " " : "").append(String.format("%02x", bytes[i]));
    }
    return text.append(shown < bytes.length ? ".." : "").toString();
  }
}
