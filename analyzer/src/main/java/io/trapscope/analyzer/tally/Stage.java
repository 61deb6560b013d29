package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.Field;
import java.util.Locale;

/** The stages of an exit in the order in which they pass. Each one's window is its field's. */
public enum Stage {
  GUEST(Field.GUEST_TIME, Exit.GUEST),
  LOOP(Field.LOOP_TIME, Exit.LOOP),
  DISPATCH(Field.DISPATCH_TIME, Exit.DISPATCH),
  DEVICE(Field.DEVICE_TIME, Exit.DEVICE);

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

  /** Name in tables. */
  public String title() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What its time spans. */
  public String window() {
    return field.meaning();
  }
}
