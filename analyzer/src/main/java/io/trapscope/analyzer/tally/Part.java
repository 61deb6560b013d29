package io.trapscope.analyzer.tally;

/** What a {@link Tally} can count; a report says which of these it is made from. */
public enum Part {
  /** Exits by site. */
  SITES,
  /** Distributions of time by reason and stage. */
  LATENCIES,
  /** Events that are no exits, by type. */
  OTHERS,
  /** Values of accesses, and runs of them. */
  ACCESSES,
  /** Exits, times and EPT faults over time. */
  TIMELINE,
  /** Console text and marks. */
  MESSAGES
}
