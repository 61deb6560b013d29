package io.trapscope.analyzer.perfetto;

/**
 * Field numbers and values of Perfetto's messages, from protos/perfetto/trace/perfetto_trace.proto
 * of Perfetto v59. PerfettoTraceTest reads what is written with that file's own classes.
 */
final class Proto {
  /** Trace. */
  static final int TRACE_PACKET = 1;

  /** TracePacket. */
  static final int PACKET_CLOCK_SNAPSHOT = 6;

  static final int PACKET_TIMESTAMP = 8;
  static final int PACKET_SEQUENCE_ID = 10;
  static final int PACKET_TRACK_EVENT = 11;
  static final int PACKET_INTERNED_DATA = 12;
  static final int PACKET_SEQUENCE_FLAGS = 13;
  static final int PACKET_DEFAULTS = 59;
  static final int PACKET_TRACK_DESCRIPTOR = 60;

  /** TracePacketDefaults. */
  static final int DEFAULTS_TIMESTAMP_CLOCK = 58;

  /** TracePacket.SequenceFlags. */
  static final int STATE_CLEARED = 1;

  static final int NEEDS_STATE = 2;

  /** TrackDescriptor. */
  static final int TRACK_UUID = 1;

  static final int TRACK_NAME = 2;
  static final int TRACK_PROCESS = 3;
  static final int TRACK_THREAD = 4;
  static final int TRACK_PARENT = 5;
  static final int TRACK_COUNTER = 8;

  /** ProcessDescriptor, ThreadDescriptor, CounterDescriptor. */
  static final int PROCESS_PID = 1;

  static final int PROCESS_NAME = 6;
  static final int THREAD_PID = 1;
  static final int THREAD_TID = 2;
  static final int THREAD_NAME = 5;
  static final int COUNTER_UNIT = 3;
  static final int COUNTER_UNIT_COUNT = 2;
  static final int COUNTER_UNIT_BYTES = 3;

  /** TrackEvent. */
  static final int EVENT_CATEGORY_IIDS = 3;

  static final int EVENT_DEBUG_ANNOTATIONS = 4;
  static final int EVENT_TYPE = 9;
  static final int EVENT_NAME_IID = 10;
  static final int EVENT_TRACK_UUID = 11;
  static final int EVENT_NAME = 23;
  static final int EVENT_COUNTER_VALUE = 30;

  /** TrackEvent.Type. */
  static final int SLICE_BEGIN = 1;

  static final int SLICE_END = 2;
  static final int INSTANT = 3;
  static final int COUNTER = 4;

  /** InternedData, whose entries all have an id and a name. */
  static final int INTERNED_CATEGORIES = 1;

  static final int INTERNED_EVENT_NAMES = 2;
  static final int INTERNED_ANNOTATION_NAMES = 3;
  static final int ENTRY_IID = 1;
  static final int ENTRY_NAME = 2;

  /** DebugAnnotation. */
  static final int ANNOTATION_NAME_IID = 1;

  static final int ANNOTATION_UINT = 3;
  static final int ANNOTATION_POINTER = 7;

  /** ClockSnapshot, ClockSnapshot.Clock, BuiltinClock. */
  static final int SNAPSHOT_CLOCKS = 1;

  static final int SNAPSHOT_PRIMARY = 2;
  static final int CLOCK_ID = 1;
  static final int CLOCK_TIMESTAMP = 2;
  static final int CLOCK_REALTIME = 1;
  static final int CLOCK_MONOTONIC = 3;

  private Proto() {}
}
