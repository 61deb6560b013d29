package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.EventReader;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * A trace on disk.
 *
 * <pre>
 *  trace.json          what was recorded, where and how: TraceHeader
 *  vcpu-0/ vcpu-1/ ..  a Chronicle Queue each: metadata.cq4t and one .cq4 file
 *  other/              the same for what belongs to no vCPU
 *  end.json            totals, written at a clean end: TraceEnd. No such file: the run was cut off
 * </pre>
 *
 * <p>A .cq4 file is a sequence of documents, each a 4-byte little-endian header and its bytes; see
 * {@link #DOCUMENT_LENGTH}. Each data document is one batch of events:
 *
 * <pre>
 *  0        1        2        3        4
 *  +--------+--------+--------+--------+  0
 *  | magic "TSB1"                      |
 *  +--------+--------+--------+--------+  4
 *  | stream          | version| 0      |     vCPU number, 0xffff for "other"
 *  +--------+--------+--------+--------+  8
 *  | sequence number of the first event|
 *  |                                   |
 *  +--------+--------+--------+--------+ 16
 *  | base time, ns                     |
 *  |                                   |
 *  +--------+--------+--------+--------+ 24
 *  | base instruction count            |
 *  |                                   |
 *  +--------+--------+--------+--------+ 32
 *  | bytes of records, 0 while open    |
 *  +--------+--------+--------+--------+ 36
 *  | CRC-32C of bytes 0-31 and records |
 *  +--------+--------+--------+--------+ 40
 *  | records: EventLayout ...          |
 *  +-----------------------------------+
 * </pre>
 *
 * <p>Design note. An excerpt an event would be safe, but costs the queue's header, index and
 * position for each. Here a batch stays open while its records are written in place, each with a
 * mark that is stored last. A record with its mark is in the page cache, so it outlives the
 * process; a reader that finds a batch open (the writer is alive, or was killed) takes records from
 * it up to the first without its mark. File space is zero until written, and numbers in a batch run
 * without holes: a batch ends where a number is skipped or a time does not fit 32 bits.
 */
public final class TraceFormat {
  /** Version of directory, batch and footer; the events have {@code EventReference.VERSION}. */
  public static final int VERSION = 1;

  public static final String HEADER_FILE = "trace.json";
  public static final String END_FILE = "end.json";
  public static final String OTHER_STREAM = "other";
  private static final String VCPU_STREAM = "vcpu-";
  public static final String QUEUE_SUFFIX = ".cq4";

  /** Most vCPUs a trace can have; number 0xffff is the other stream. */
  public static final int MAX_VCPUS = 4096;

  /** Document header of a Chronicle Queue file: length in bytes in the low 30 bits. */
  static final int DOCUMENT_LENGTH = 0x3fff_ffff;

  /** Document header: bookkeeping of the queue's, no data. */
  static final int DOCUMENT_META = 1 << 30;

  /** Document header: still being written. */
  static final int DOCUMENT_OPEN = 1 << 31;

  /** Document header: nothing follows in this file. */
  static final int DOCUMENT_END = DOCUMENT_OPEN | DOCUMENT_META;

  static final int DOCUMENT_HEADER_BYTES = 4;

  static final int MAGIC = 'T' | 'S' << 8 | 'B' << 16 | '1' << 24;
  static final int STREAM = 4;
  static final int BATCH_VERSION = 6;
  static final int SEQUENCE = 8;
  static final int BASE_TIME = 16;
  static final int BASE_INSTRUCTIONS = 24;
  static final int RECORD_BYTES = 32;
  static final int CHECKSUM = 36;
  static final int BATCH_HEADER_BYTES = 40;

  /** A batch never has more bytes than this; a larger one is damage. */
  static final int MAX_BATCH = 1 << 20;

  private TraceFormat() {}

  /** Directory of a vCPU's stream, or of the other stream for {@link EventReader#NO_VCPU}. */
  public static String streamName(int vcpu) {
    return vcpu == EventReader.NO_VCPU ? OTHER_STREAM : VCPU_STREAM + vcpu;
  }

  /** Whether this is the name of a file or a directory that a trace consists of. */
  public static boolean isPart(String name) {
    return name.equals(HEADER_FILE)
        || name.equals(END_FILE)
        || name.equals(OTHER_STREAM)
        || name.matches(VCPU_STREAM + "\\d+");
  }

  /**
   * Checksum of a batch with this many bytes of records.
   *
   * @param view a duplicate of the buffer with the batch, whose position and limit are changed
   */
  static int checksum(CRC32C crc, ByteBuffer view, int batch, int recordBytes) {
    crc.reset();
    view.limit(batch + RECORD_BYTES).position(batch);
    crc.update(view);
    view.limit(batch + BATCH_HEADER_BYTES + recordBytes).position(batch + BATCH_HEADER_BYTES);
    crc.update(view);
    return (int) crc.getValue();
  }

  /** Checksum of a batch at the beginning of an array. */
  static int checksum(CRC32C crc, byte[] batch, int recordBytes) {
    crc.reset();
    crc.update(batch, 0, RECORD_BYTES);
    crc.update(batch, BATCH_HEADER_BYTES, recordBytes);
    return (int) crc.getValue();
  }
}
