package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.EventReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * Goes over one queue file: document by document, batch by batch, record by record. Trusts nothing
 * that the file says: every length is checked against what is there, and every step goes forward,
 * so that reading ends whatever the bytes are.
 */
final class StreamCursor implements EventCursor {
  /** Bytes of file that are mapped at a time; more than any batch. */
  private static final int WINDOW_BYTES = 1 << 28;

  private final Path file;
  private final int vcpu;
  private final TraceEnd.StreamEnd recorded;
  private final boolean unclean;
  private final EventReader event = new EventReader();
  private final Anomalies anomalies = new Anomalies();
  private final CRC32C crc = new CRC32C();

  private ByteBuffer window;
  private ByteBuffer view;
  private long windowStart;
  private long fileBytes;

  /** Place in the file of the next document's header. */
  private long position;

  // The current batch, as offsets in the window; offset == limit where it has no more records.
  private int offset;
  private int limit;

  /** Whether the batch's document has no length: it goes on as long as records follow. */
  private boolean open;

  private long recordsBefore;
  private long recordsEnd;
  private boolean blankTail;

  private boolean first = true;
  private long sequence;
  private long lastBase = Long.MIN_VALUE;
  private long records;
  private boolean ended;

  StreamCursor(Path file, int vcpu, TraceEnd.StreamEnd recorded, boolean unclean) {
    this.file = file;
    this.vcpu = vcpu;
    this.recorded = recorded;
    this.unclean = unclean;
  }

  @Override
  public EventReader event() {
    return event;
  }

  @Override
  public Anomalies anomalies() {
    return anomalies;
  }

  @Override
  public boolean next() {
    try {
      while (true) {
        if (offset < limit) {
          int head = EventReader.head(window, offset);
          int length = EventReader.length(head);
          if (EventReader.isMarked(head, sequence)
              && length >= EventReader.MIN_RECORD
              && length <= limit - offset) {
            boolean known = event.record(offset, head, sequence);
            offset += length;
            sequence++;
            records++;
            if (known) {
              return true;
            }
            anomalies.add(Anomaly.UNKNOWN_EVENTS, 1);
            continue;
          }
          endBatchEarly(head);
        }
        if (!nextBatch()) {
          return false;
        }
      }
    } catch (IOException | InternalError e) {
      // The file cannot be read, or became shorter under the mapping.
      anomalies.add(Anomaly.TRUNCATED, 1);
      return finish();
    }
  }

  /** The records stop before the batch does: where the writer was in an open one, else damage. */
  private void endBatchEarly(int head) {
    if (!open) {
      anomalies.add(Anomaly.BAD_RECORD, 1);
    }
    blankTail = head == 0;
    recordsEnd = windowStart + offset;
    offset = limit;
  }

  // ---- documents

  private boolean nextBatch() throws IOException {
    if (ended) {
      return false;
    }
    if (first) {
      first = false;
      if (!start()) {
        return finish();
      }
    }
    if (open && !leaveOpenBatch()) {
      return finish();
    }
    while (position <= fileBytes - TraceFormat.DOCUMENT_HEADER_BYTES) {
      map(position);
      int at = (int) (position - windowStart);
      int header = window.getInt(at);
      if (header == TraceFormat.DOCUMENT_END) {
        break;
      }
      int batch = at + TraceFormat.DOCUMENT_HEADER_BYTES;
      int length = header & TraceFormat.DOCUMENT_LENGTH;
      long next = position + TraceFormat.DOCUMENT_HEADER_BYTES + (length + 3L & -4L);
      boolean meta = (header & TraceFormat.DOCUMENT_META) != 0;
      if (header == 0 || (header & TraceFormat.DOCUMENT_OPEN) != 0) {
        if (openBatch(batch)) {
          return true;
        }
        // Where the writer had not yet begun its batch there is no magic, and nothing behind it.
        boolean blank = unclean && header == 0 && isBlank(batch);
        if (!resync(blank)) {
          break;
        }
      } else if (length > TraceFormat.MAX_BATCH || next > fileBytes) {
        // A damaged header or a cut-off file: what is in the batch tells, as for an open one.
        boolean damaged = length > TraceFormat.MAX_BATCH;
        anomalies.add(damaged ? Anomaly.BAD_DOCUMENT : Anomaly.TRUNCATED, 1);
        if (!meta && openBatch(batch)) {
          return true;
        }
        if (!resync(true)) {
          break;
        }
      } else if (meta) {
        position = next;
      } else if (closedBatch(batch, length)) {
        position = next;
        return true;
      } else {
        anomalies.add(Anomaly.BAD_BATCH, 1);
        if (!resync(true)) {
          break;
        }
      }
    }
    return finish();
  }

  /**
   * After an open batch: the writer was here, so nothing follows; or the batch only looked open
   * because its document's header is damaged, and the next document follows its records.
   *
   * @return false where nothing follows
   */
  private boolean leaveOpenBatch() throws IOException {
    open = false;
    anomalies.add(Anomaly.SALVAGED_EVENTS, records - recordsBefore);
    position = recordsEnd;
    return !blankTail || resync(unclean);
  }

  private boolean start() throws IOException {
    if (file == null) {
      anomalies.add(Anomaly.MISSING_STREAM, 1);
      return false;
    }
    map(0);
    // The queue's own description comes first; without it this may be any file.
    int header = fileBytes < 8 ? 0 : window.getInt(0);
    int length = header & TraceFormat.DOCUMENT_LENGTH;
    if ((header & TraceFormat.DOCUMENT_END) != TraceFormat.DOCUMENT_META || length > 4096) {
      // A recorder killed in its first moments leaves a file that is empty or half described.
      boolean blank = header == 0 || (header & TraceFormat.DOCUMENT_OPEN) != 0;
      if (!blank || !unclean) {
        anomalies.add(Anomaly.BAD_FILE, 1);
      }
      return resync(true);
    }
    return true;
  }

  /**
   * Maps a window that holds any batch at this place. Windows that are left are unmapped by the
   * garbage collector.
   */
  private void map(long place) throws IOException {
    long wanted = Math.min(place + TraceFormat.MAX_BATCH + 64, fileBytes);
    if (window != null && place >= windowStart && wanted <= windowStart + window.capacity()) {
      return;
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      fileBytes = channel.size();
      windowStart = place & -4096;
      long bytes = Math.max(0, Math.min(WINDOW_BYTES, fileBytes - windowStart));
      window =
          channel
              .map(FileChannel.MapMode.READ_ONLY, windowStart, bytes)
              .order(ByteOrder.LITTLE_ENDIAN);
      view = window.duplicate();
    }
  }

  private boolean isBlank(int batch) {
    return batch > window.capacity() - 4 || window.getInt(batch) == 0;
  }

  /**
   * Goes on behind damage: finds the next place that looks like the beginning of a batch of this
   * stream.
   *
   * @param quiet whether finding none is in order, or has been counted
   */
  private boolean resync(boolean quiet) throws IOException {
    for (long at = (position & -4L) + 8;
        at <= fileBytes - TraceFormat.BATCH_HEADER_BYTES;
        at += 4) {
      if (window.capacity() - (at - windowStart) < TraceFormat.BATCH_HEADER_BYTES) {
        map(at);
      }
      if (isBatch((int) (at - windowStart))) {
        anomalies.add(Anomaly.BAD_DOCUMENT, 1);
        position = at - TraceFormat.DOCUMENT_HEADER_BYTES;
        return true;
      }
    }
    position = fileBytes;
    if (!quiet) {
      anomalies.add(Anomaly.BAD_DOCUMENT, 1);
    }
    return false;
  }

  // ---- batches

  private boolean isBatch(int batch) {
    return batch <= window.capacity() - TraceFormat.BATCH_HEADER_BYTES
        && window.getInt(batch) == TraceFormat.MAGIC
        && (window.getShort(batch + TraceFormat.STREAM) & 0xffff) == vcpu;
  }

  private boolean closedBatch(int batch, int length) {
    int recordBytes = length - TraceFormat.BATCH_HEADER_BYTES;
    if (recordBytes < 0 || !isBatch(batch)) {
      return false;
    }
    if (window.getInt(batch + TraceFormat.RECORD_BYTES) != recordBytes
        || TraceFormat.checksum(crc, view, batch, recordBytes)
            != window.getInt(batch + TraceFormat.CHECKSUM)) {
      anomalies.add(Anomaly.BAD_CHECKSUM, 1);
    }
    open = false;
    beginBatch(batch, recordBytes);
    return true;
  }

  /** A batch without a trustworthy length: its records say where it ends. */
  private boolean openBatch(int batch) {
    if (!isBatch(batch)) {
      return false;
    }
    int room = Math.min(window.capacity() - batch, TraceFormat.MAX_BATCH);
    open = true;
    beginBatch(batch, room - TraceFormat.BATCH_HEADER_BYTES);
    return true;
  }

  private void beginBatch(int batch, int recordBytes) {
    long base = window.getLong(batch + TraceFormat.SEQUENCE);
    long baseTime = window.getLong(batch + TraceFormat.BASE_TIME);
    if (base > sequence) {
      anomalies.add(Anomaly.MISSING_EVENTS, base - sequence);
    } else if (base < sequence) {
      anomalies.add(Anomaly.SEQUENCE_BACKWARDS, 1);
    }
    if (baseTime < lastBase) {
      anomalies.add(Anomaly.TIME_BACKWARDS, 1);
    }
    sequence = base;
    lastBase = baseTime;
    offset = batch + TraceFormat.BATCH_HEADER_BYTES;
    limit = offset + (recordBytes & ~3);
    recordsBefore = records;
    recordsEnd = windowStart + limit;
    blankTail = false;
    event.batch(window, vcpu, baseTime, window.getLong(batch + TraceFormat.BASE_INSTRUCTIONS));
  }

  private boolean finish() {
    if (!ended) {
      ended = true;
      offset = limit;
      if (recorded != null) {
        anomalies.add(Anomaly.LOST_EVENTS, recorded.lost());
        anomalies.add(Anomaly.CLAMPED_VALUES, recorded.clamped());
        anomalies.add(Anomaly.MISSING_AT_END, Math.max(0, recorded.events() - records));
        anomalies.add(Anomaly.BAD_END, records > recorded.events() ? 1 : 0);
      }
    }
    return false;
  }
}
