package io.trapscope.analyzer.table;

/** What a column's number counts. It decides how the number is shown, never what it is. */
public enum Unit {
  /** A word, a flag or a code: nothing is counted. */
  NONE(""),
  NANOSECONDS("ns"),
  BYTES("bytes"),
  COUNT("1"),
  /** A guest or host address, or a frame of bits: shown in hexadecimal. */
  ADDRESS("address"),
  /** A register's content or an identifier that manuals print in hexadecimal. */
  BITS("bits"),
  INSTRUCTIONS("instructions"),
  /** A part of a whole, 0 to 1. */
  RATIO("ratio");

  private final String label;

  Unit(String label) {
    this.label = label;
  }

  /** The unit's name in JSON, in Arrow field metadata and in the table reference. */
  public String label() {
    return label;
  }
}
