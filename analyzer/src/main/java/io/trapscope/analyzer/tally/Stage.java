package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.Field;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The stages of an exit in the order in which they pass. Each one's window is its field's; none
 * overlaps another.
 */
public enum Stage {
  GUEST(Field.GUEST_TIME, Exit.GUEST),
  KERNEL(Field.KERNEL_TIME, Exit.KERNEL),
  LOOP(Field.LOOP_TIME, Exit.LOOP),
  DISPATCH(Field.DISPATCH_TIME, Exit.DISPATCH),
  DEVICE(Field.DEVICE_TIME, Exit.DEVICE),
  USER(Field.USER_TIME, Exit.USER);

  /** What comes after the exit: its handling. */
  public static final List<Stage> HANDLING =
      Arrays.stream(values()).filter(stage -> stage != GUEST).toList();

  private final Field field;
  private final long captured;

  Stage(Field field, long captured) {
    this.field = field;
    this.captured = captured;
  }

  /** The bit of {@link Exit#what} that says that it was captured. */
  long captured() {
    return captured;
  }

  /** Time of an exit in this stage, ns; 0 where it was not captured, or cannot be one. */
  public long nanos(EventReader event) {
    long nanos = event.get(field, 0);
    return Latency.isPlausible(nanos) ? nanos : 0;
  }

  /** Time of an exit in all stages after it, ns. */
  public static long handling(EventReader event) {
    long sum = 0;
    for (int i = 0; i < HANDLING.size(); i++) {
      sum += HANDLING.get(i).nanos(event);
    }
    return sum;
  }

  /** Whether it was captured, and can be a time. */
  public boolean isTold(EventReader event) {
    return event.has(field) && Latency.isPlausible(event.get(field));
  }

  /** Name in tables. */
  public String title() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The column of events and of tables that has its time. */
  public String column() {
    return field.column();
  }

  /**
   * What its time spans.
   *
   * @param notes of the trace's header, which may say more of it
   */
  public String window(Map<String, String> notes) {
    return notes.getOrDefault(title() + "_time", field.meaning());
  }
}
