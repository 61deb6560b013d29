package io.trapscope.recorder.event;

/** What a field's number is, which decides how it is shown and what a column of it is called. */
public enum Kind {
  /** How many of something; never negative. */
  COUNT("1", true),
  /** Number of retired guest instructions. */
  INSTRUCTIONS("instructions", true),
  /** Host monotonic time of the trace's clock. */
  TIMESTAMP("ns", true),
  /** Nanoseconds between two such times. */
  DURATION("ns", true),
  /** A size in bytes. */
  SIZE("bytes", true),
  /** An address; which space it lies in is the field's meaning. */
  ADDRESS("address", false),
  /** Register contents, error codes and the like, shown in hexadecimal. */
  BITS("bits", false),
  /** A small number that identifies something. */
  INDEX("index", false),
  /** 0 or 1. */
  FLAG("boolean", false),
  /** A number with a name: see {@link Field#label}. */
  CODE("code", false),
  /** Not a number: bytes. */
  DATA("bytes", false);

  private final String unit;
  private final boolean measured;

  Kind(String unit, boolean measured) {
    this.unit = unit;
    this.measured = measured;
  }

  /** Unit of the number, as it goes into column metadata. */
  public String unit() {
    return unit;
  }

  /**
   * Whether the number is a measurement: one that does not fit its field is stored as the field's
   * largest value (or 0 if negative) and counted, where any other number is stored by its low bits.
   */
  public boolean isMeasured() {
    return measured;
  }
}
