package io.trapscope.analyzer.compare;

/** What is compared, and the column of the reports' tables that has it. */
enum Measure {
  COUNT("count", "number of exits"),
  GUEST("guest_ns", "guest time before the exits"),
  HANDLING("handling_ns", "time of handling: all stages but the guest's");

  final String column;
  final String meaning;

  Measure(String column, String meaning) {
    this.column = column;
    this.meaning = meaning;
  }

  /** Beginning of this measure's columns in a comparison. */
  String prefix() {
    return column.replace("_ns", "");
  }
}
