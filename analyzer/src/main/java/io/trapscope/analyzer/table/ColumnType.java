package io.trapscope.analyzer.table;

/** Type of a column's cells. Every type has a null: "not captured" or "does not apply". */
public enum ColumnType {
  /** 0 or 1. */
  BOOL("bool"),
  UINT8("uint8"),
  UINT16("uint16"),
  UINT32("uint32"),
  /** All 64 bits; a Java long holds them, read as unsigned. */
  UINT64("uint64"),
  INT64("int64"),
  FLOAT64("float64"),
  /** Few distinct words, many rows: stored as a dictionary where the format has one. */
  TEXT("text"),
  BYTES("bytes"),
  /** Nanoseconds since 1970-01-01T00:00:00Z, wall clock. */
  TIMESTAMP("timestamp"),
  /** Nanoseconds. */
  DURATION("duration");

  private final String label;

  ColumnType(String label) {
    this.label = label;
  }

  /** The type's name in JSON and in the table reference. */
  public String label() {
    return label;
  }

  /** Whether a cell of this type is held in a Java long. */
  public boolean isNumber() {
    return switch (this) {
      case BOOL, UINT8, UINT16, UINT32, UINT64, INT64, TIMESTAMP, DURATION -> true;
      case FLOAT64, TEXT, BYTES -> false;
    };
  }
}
