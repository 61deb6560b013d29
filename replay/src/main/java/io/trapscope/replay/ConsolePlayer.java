package io.trapscope.replay;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.trace.Anomalies;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;

/** Plays what a recorded guest wrote to its console, at the pace at which it came. */
public final class ConsolePlayer {

  /** Waits; a test gives one that only adds up. */
  @FunctionalInterface
  public interface Pause {
    void sleep(long nanos) throws InterruptedException;
  }

  private final double speed;
  private final long maxIdleNanos;
  private final Pause pause;
  private Anomalies anomalies = new Anomalies();

  /**
   * @param speed 2 plays twice as fast; infinity does not wait at all
   * @param maxIdle longest wait between two pieces of output, after {@code speed}
   */
  public ConsolePlayer(double speed, Duration maxIdle, Pause pause) {
    this.speed = speed;
    this.maxIdleNanos = maxIdle.toNanos();
    this.pause = pause;
  }

  /**
   * Plays the whole console.
   *
   * @return bytes written
   */
  public long play(TraceReader trace, OutputStream out) throws IOException, InterruptedException {
    EventCursor cursor = trace.stream(EventReader.NO_VCPU);
    long last = trace.header().clocks().monotonicNanos();
    long bytes = 0;
    while (cursor.next()) {
      EventReader event = cursor.event();
      if (event.type() != EventType.CONSOLE_OUTPUT) {
        continue;
      }
      long wait = Math.min((long) ((event.time() - last) / speed), maxIdleNanos);
      if (wait > 0) {
        pause.sleep(wait);
      }
      last = event.time();
      byte[] text = event.getBytes(Field.DATA);
      out.write(text);
      out.flush();
      bytes += text.length;
    }
    anomalies = cursor.anomalies();
    return bytes;
  }

  /** What was wrong with the stream that was played, as far as it was. */
  public Anomalies anomalies() {
    return anomalies;
  }
}
