package io.trapscope.analyzer.report;

import io.trapscope.recorder.event.EventBlock;

/** Events of one block and one type, each with the row that it is to fill. Reused. */
public final class ChosenEvents {
  EventBlock block;
  int size;

  /** Which fields every one of them captured. */
  int common;

  /** Which fields any of them captured. */
  int any;

  /** Which events of the block. */
  final int[] number = new int[EventBlock.CAPACITY];

  /** Where each one's record begins, and which fields it captured. */
  final int[] at = new int[EventBlock.CAPACITY];

  final int[] captured = new int[EventBlock.CAPACITY];

  /** The row of each. */
  final int[] row = new int[EventBlock.CAPACITY];

  /** Takes all events out and begins with a block. */
  public void begin(EventBlock source) {
    block = source;
    size = 0;
    common = -1;
    any = 0;
  }

  /** Number of events. */
  public int size() {
    return size;
  }

  /** Adds an event of the block. */
  public void add(int eventNumber, int rowNumber) {
    number[size] = eventNumber;
    at[size] = block.offset(eventNumber);
    captured[size] = block.captured(eventNumber);
    common &= captured[size];
    any |= captured[size];
    row[size++] = rowNumber;
  }
}
