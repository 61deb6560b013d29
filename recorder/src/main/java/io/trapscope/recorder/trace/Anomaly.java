package io.trapscope.recorder.trace;

/** What can be wrong with a trace that can be read all the same. Each is counted. */
public enum Anomaly {
  UNCLEAN_END(Severity.WARNING, "the recording was cut off: end.json is missing"),
  BAD_END(Severity.ERROR, "end.json cannot be read, or counts less than there is"),
  MISSING_STREAM(Severity.ERROR, "streams of the header that are not there"),
  SALVAGED_EVENTS(Severity.INFO, "events taken from a batch that was still open"),
  LOST_EVENTS(Severity.ERROR, "events the recorder counted as lost"),
  MISSING_EVENTS(Severity.ERROR, "events missing between two others by their numbers"),
  MISSING_AT_END(Severity.ERROR, "events that end.json counts and the streams do not hold"),
  SEQUENCE_BACKWARDS(Severity.ERROR, "batches whose numbers run backwards"),
  TIME_BACKWARDS(Severity.WARNING, "batches that begin before the one before them"),
  CLAMPED_VALUES(Severity.WARNING, "measured values too large (or negative) for their field"),
  UNKNOWN_EVENTS(Severity.WARNING, "events of types this version does not know"),
  BAD_FILE(Severity.ERROR, "queue files that are no Chronicle Queue"),
  BAD_DOCUMENT(Severity.ERROR, "places in a queue file that hold no document"),
  BAD_BATCH(Severity.ERROR, "documents that hold no batch of events"),
  BAD_CHECKSUM(Severity.ERROR, "batches that were changed after they were written"),
  BAD_RECORD(Severity.ERROR, "batches that hold something other than records"),
  TRUNCATED(Severity.ERROR, "queue files that end inside a document");

  /** How much an anomaly takes from what a trace says. */
  public enum Severity {
    /** Nothing is missing. */
    INFO,
    /** The trace holds what was recorded, but that may not be all, or not exact. */
    WARNING,
    /** Events are missing or wrong. */
    ERROR
  }

  private final Severity severity;
  private final String meaning;

  Anomaly(Severity severity, String meaning) {
    this.severity = severity;
    this.meaning = meaning;
  }

  public Severity severity() {
    return severity;
  }

  /** Whether a trace with this one may lack events. */
  boolean isIncompleteness() {
    return severity == Severity.ERROR || this == UNCLEAN_END || this == UNKNOWN_EVENTS;
  }

  /** What is counted, in words. */
  public String meaning() {
    return meaning;
  }
}
