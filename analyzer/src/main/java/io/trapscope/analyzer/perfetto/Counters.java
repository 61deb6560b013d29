package io.trapscope.analyzer.perfetto;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.io.IOException;

/** Numbers over time, a value a millisecond in which something happened. */
final class Counters {
  private static final long BUCKET_NANOS = 1_000_000;
  private static final long SMALL_PAGE = 12;

  private final PacketWriter out;
  private final long exitsTrack;
  private final long interruptsTrack;
  private final long touchedTrack;
  private long bucket = Long.MIN_VALUE;
  private long exits;
  private long interrupts;
  private long touched;
  private long touchedShown;

  Counters(PacketWriter out, long group) throws IOException {
    this.out = out;
    this.exitsTrack = out.counter(group, "exits a millisecond", Proto.COUNTER_UNIT_COUNT);
    this.interruptsTrack = out.counter(group, "interrupts a millisecond", Proto.COUNTER_UNIT_COUNT);
    this.touchedTrack = out.counter(group, "guest memory touched", Proto.COUNTER_UNIT_BYTES);
  }

  /** Time has come this far; what was counted before belongs to the buckets before. */
  void advance(long time) throws IOException {
    long now = Math.floorDiv(time, BUCKET_NANOS);
    if (now <= bucket) {
      return;
    }
    if (bucket != Long.MIN_VALUE) {
      show();
      if (now > bucket + 1) {
        out.count(exitsTrack, (bucket + 1) * BUCKET_NANOS, 0);
        out.count(interruptsTrack, (bucket + 1) * BUCKET_NANOS, 0);
      }
    }
    bucket = now;
  }

  private void show() throws IOException {
    long time = bucket * BUCKET_NANOS;
    out.count(exitsTrack, time, exits);
    out.count(interruptsTrack, time, interrupts);
    if (touched != touchedShown) {
      out.count(touchedTrack, time, touched);
      touchedShown = touched;
    }
    exits = 0;
    interrupts = 0;
  }

  void exit(EventReader event) {
    exits++;
    if (event.type() == EventType.EPT_FAULT && event.get(Field.FIRST_TOUCH, 0) != 0) {
      touched += 1L << Math.min(event.get(Field.EPT_PAGE, SMALL_PAGE), Integer.SIZE - 1);
    }
  }

  void interrupt() {
    interrupts++;
  }

  void finish() throws IOException {
    if (bucket != Long.MIN_VALUE) {
      show();
    }
  }
}
