package io.trapscope.replay;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.InputSource;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.recorder.trace.Anomalies;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.TraceReader;
import io.trapscope.vmm.run.Machine;
import io.trapscope.vmm.run.MachineConfig;
import io.trapscope.vmm.run.RunResult;
import io.trapscope.vmm.run.Sinks;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs a recorded guest again and compares every event with its trace. Made for one replay.
 *
 * <p>Only recordings of the {@code soft} back end replay exactly: their time is made of retired
 * instructions. What somebody outside did to the run (a signal, a time limit) is where a comparison
 * ends, and so is the first event that the trace lacks because it was cut off, lost some or is
 * damaged.
 */
public final class ReplaySession {

  /**
   * What a replay found.
   *
   * @param verified events that are equal
   * @param divergence the first difference, or null where there is none
   * @param lacking the event, in words, with which the comparison ended because the trace does not
   *     hold it; null where it holds all
   * @param result how the replayed run went
   * @param anomalies what is wrong with the trace itself
   */
  public record Outcome(
      long verified,
      Divergence divergence,
      String lacking,
      RunResult result,
      Anomalies anomalies) {}

  private final TraceReader trace;
  private final MachineConfig.Builder config;
  private final List<VerifyingStream> vcpus = new ArrayList<>();
  private VerifyingStream other;
  private RecordedConsole console;
  private boolean hadInput;
  private boolean everyEvent;
  private boolean endsByItself;
  private Divergence first;
  private String lacking;
  private Machine machine;

  /**
   * @param trace the recording
   * @param config the machine as it was recorded, without its console input
   */
  public ReplaySession(TraceReader trace, MachineConfig.Builder config) {
    this.trace = trace;
    this.config = config;
  }

  /**
   * Replays the whole trace, or up to the first difference.
   *
   * @param hadInput whether the recorded machine had console input, used or not
   * @param everyEvent whether events of every type were recorded
   */
  public Outcome verify(boolean hadInput, boolean everyEvent) {
    this.hadInput = hadInput;
    this.everyEvent = everyEvent;
    endsByItself =
        trace.end().map(end -> end.how() != null && endsByItself(end.how())).orElse(false);
    long tail = everyEvent || endsByItself ? Long.MAX_VALUE : firstOfTheEnd();
    for (int stream : trace.streams()) {
      if (stream == EventReader.NO_VCPU) {
        other = stream(stream, tail);
      } else {
        vcpus.add(stream(stream, Long.MAX_VALUE));
      }
    }
    takeWallClock();
    console = RecordedConsole.of(trace);
    console.follow(vcpus.get(0)::verified);
    if (hadInput) {
      config.consoleInput(console);
    }
    try (Machine made = new Machine(config.build())) {
      machine = made;
      stopAtTheEnd();
      RunResult result = made.run(Sinks.of(vcpus::get, other));
      return outcome(result);
    }
  }

  /** The machine's clocks start where the recorded ones did: the trace's first events say it. */
  private void takeWallClock() {
    EventCursor cursor = trace.stream(EventReader.NO_VCPU);
    while (cursor.next()) {
      EventReader event = cursor.event();
      if (event.type() == EventType.INPUT
          && event.get(Field.SOURCE, 0) == InputSource.WALL_CLOCK.code()) {
        config.wallClock(Instant.ofEpochSecond(0, event.get(Field.VALUE, 0)));
        return;
      }
    }
  }

  /**
   * Sequence number of the first of the events that the run's end has left, with the end's own
   * number of vCPU 0's instructions; the greatest number where the recording was cut off. A line of
   * the console that is complete was recorded with its exit.
   */
  private long firstOfTheEnd() {
    EventCursor cursor = trace.stream(EventReader.NO_VCPU);
    long first = 0;
    long instructions = -1;
    while (cursor.next()) {
      EventReader event = cursor.event();
      if (event.get(Field.INSTRUCTIONS, -1) != instructions) {
        instructions = event.get(Field.INSTRUCTIONS, -1);
        first = event.sequence();
      }
      if (event.type() == EventType.CONSOLE_OUTPUT && hasLineEnd(event.getBytes(Field.DATA))) {
        first = event.sequence() + 1;
      }
      if (event.type() == EventType.END) {
        return first;
      }
    }
    return Long.MAX_VALUE;
  }

  private static boolean hasLineEnd(byte[] text) {
    for (byte each : text) {
      if (each == '\n') {
        return true;
      }
    }
    return false;
  }

  private VerifyingStream stream(int number, long tail) {
    boolean cutOff = trace.end().isEmpty();
    EventCursor recorded = trace.stream(number);
    return new VerifyingStream(
        number, recorded, cutOff, tail, this::differs, this::lacks, this::stopAtTheEnd);
  }

  private synchronized void differs(Divergence divergence) {
    if (first == null && lacking == null) {
      first = divergence;
    }
    machine.stop();
  }

  private synchronized void lacks(VerifyingStream stream) {
    if (first == null && lacking == null) {
      lacking = stream.nextInWords();
    }
    machine.stop();
  }

  /**
   * A run that did not end by itself is over with the last event of its vCPUs and the last input.
   * Where only some types were recorded, exits may have come since that nobody knows of; then it is
   * over with the last event of all. Where input is lost nothing behind it can be compared.
   */
  private void stopAtTheEnd() {
    if (hadInput && other.isShort()) {
      lacks(other);
    }
    if (!endsByItself
        && vcpus.stream().noneMatch(VerifyingStream::isLeft)
        && (everyEvent ? !console.isOpen() : !other.isLeft())) {
      if (trace.end().isEmpty()) {
        lacks(vcpus.get(0));
      }
      machine.stop();
    }
  }

  /** Whether the replay ends as the recording did, without being told when. */
  private boolean endsByItself(RunEnd how) {
    return switch (how) {
      case HALTED, RESET, TRIPLE_FAULT, POWER_OFF, DEBUG_EXIT -> true;
      case UNTIL -> !everyEvent; // it may lie after the last event
      case TIMEOUT, ERROR, INTERRUPTED, DETACHED, VMM_ENDED -> false;
    };
  }

  private Outcome outcome(RunResult result) {
    long verified = 0;
    Anomalies anomalies = new Anomalies();
    anomalies.addAll(trace.anomalies());
    List<VerifyingStream> streams = new ArrayList<>(vcpus);
    streams.add(other);
    for (VerifyingStream stream : streams) {
      verified += stream.verified();
      anomalies.addAll(stream.anomalies());
      if (first == null && lacking == null && stream.isShort()) {
        lacking = stream.nextInWords();
      } else if (first == null && lacking == null && stream.isLeft()) {
        first = Divergence.shortfall(stream.next(), result.text());
      }
    }
    return new Outcome(verified, first, lacking, result, anomalies);
  }
}
