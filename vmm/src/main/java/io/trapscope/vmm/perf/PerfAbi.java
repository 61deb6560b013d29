package io.trapscope.vmm.perf;

/**
 * Numbers and layouts of perf_event_open. Source: {@code include/uapi/linux/perf_event.h}; offsets
 * in bytes from the start of the structure, all fields little-endian.
 */
final class PerfAbi {
  static final long SYS_PERF_EVENT_OPEN = 298;
  static final long PERF_FLAG_FD_CLOEXEC = 8;

  // struct perf_event_attr, as of Linux 4.1, the first with a clock of one's choice.
  static final int ATTR_BYTES = 112;
  static final int ATTR_TYPE = 0;
  static final int ATTR_SIZE = 4;
  static final int ATTR_CONFIG = 8;
  static final int ATTR_SAMPLE_PERIOD = 16;
  static final int ATTR_SAMPLE_TYPE = 24;
  static final int ATTR_FLAGS = 40;
  static final int ATTR_WAKEUP_WATERMARK = 48;
  static final int ATTR_CLOCKID = 92;

  static final int PERF_TYPE_TRACEPOINT = 2;

  static final long PERF_SAMPLE_TID = 1 << 1;
  static final long PERF_SAMPLE_TIME = 1 << 2;
  static final long PERF_SAMPLE_RAW = 1 << 10;

  static final long FLAG_DISABLED = 1;
  static final long FLAG_WATERMARK = 1 << 14;
  static final long FLAG_USE_CLOCKID = 1 << 25;

  /** The clock of System.nanoTime. */
  static final int CLOCK_MONOTONIC = 1;

  static final long PERF_EVENT_IOC_ENABLE = 0x2400;
  static final long PERF_EVENT_IOC_DISABLE = 0x2401;
  static final long PERF_EVENT_IOC_SET_OUTPUT = 0x2405;

  // struct perf_event_mmap_page: the first page of a ring.
  static final int RING_HEAD = 1024;
  static final int RING_TAIL = 1032;

  // struct perf_event_header: type u32, misc u16, size u16; then what sample_type asks for:
  // pid u32, tid u32, time u64, raw size u32, raw bytes.
  static final int RECORD_TYPE = 0;
  static final int RECORD_SIZE = 6;
  static final int RECORD_HEADER = 8;
  static final int PERF_RECORD_LOST = 2;
  static final int PERF_RECORD_SAMPLE = 9;

  /** Of PERF_RECORD_LOST: after an id of 8 bytes. */
  static final int LOST_COUNT = 16;

  private PerfAbi() {}
}
