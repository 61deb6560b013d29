package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.EventBlock;
import io.trapscope.recorder.event.EventReader;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * Goes over one queue file, or over a part of one: document by document, batch by batch, record by
 * record. Trusts nothing that the file says: every length is checked against what is there, and
 * every step goes forward, so that reading ends whatever the bytes are.
 */
final class StreamCursor implements BlockCursor {
  /** How far the beginning of a batch is looked for: the room of two. */
  static final long SEARCH_BYTES = 2L * TraceFormat.MAX_BATCH;

  private final Path file;
  private final int vcpu;
  private final TraceEnd.StreamEnd recorded;
  private final boolean unclean;
  private final EventReader event = new EventReader();
  private final Anomalies anomalies = new Anomalies();
  private final CRC32C crc = new CRC32C();

  private final FileWindow window;

  /** Place in the file of the next document's header. */
  private long position;

  /** The current batch. Offsets are in it; offset == limit where it has no more records. */
  private final BatchBuffer batch;

  private int offset;
  private int limit;

  /** Where the batch begins in the file. */
  private long batchStart;

  private long baseTime;
  private long baseInstructions;

  /** Whether the batch's document has no length: it goes on as long as records follow. */
  private boolean open;

  private long openDocument = -1; // which is still open or not begun; -1 for none
  private int openHeader; // that it had when it was read

  private long recordsBefore;
  private long recordsEnd;
  private boolean blankTail;

  private boolean first = true;
  private long sequence;
  private long lastBase = Long.MIN_VALUE;
  private long records;
  private boolean ended;

  /** Where reading begins: 0, or the document of a batch. */
  private final long from;

  /** Where reading stops: the document of a batch that another cursor begins with. */
  private final long border;

  private boolean stopped;
  private boolean begun;
  private long firstSequence;
  private long firstBase;

  /** A cursor over the whole file, which may be null: the stream is then missing. */
  StreamCursor(Path file, int vcpu, TraceEnd.StreamEnd recorded, boolean unclean) {
    this(file, vcpu, recorded, unclean, 0, Long.MAX_VALUE);
  }

  /**
   * A cursor over a part of the file.
   *
   * @param recorded what the footer says of the stream; null where that is not compared
   * @param from where the part begins: 0 or {@link #borderAfter}
   * @param border where the next part begins; MAX_VALUE for the last one
   */
  StreamCursor(
      Path file, int vcpu, TraceEnd.StreamEnd recorded, boolean unclean, long from, long border) {
    this.file = file;
    this.window = new FileWindow(file);
    this.batch = new BatchBuffer(file);
    this.vcpu = vcpu;
    this.recorded = recorded;
    this.unclean = unclean;
    this.from = from;
    this.border = border;
    this.position = from;
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
          int head = EventReader.head(batch.bytes(), offset);
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
      return unreadable();
    }
  }

  @Override
  public boolean next(EventBlock block) {
    try {
      while (true) {
        if (offset < limit) {
          fill(block);
          if (block.size() > 0) {
            return true;
          }
        } else if (!nextBatch()) {
          return false;
        }
      }
    } catch (IOException | InternalError e) {
      return unreadable();
    }
  }

  private void fill(EventBlock block) {
    block.batch(batch.bytes(), vcpu, baseTime, baseInstructions);
    int at = offset;
    int end = limit;
    long number = sequence;
    int unknown = 0;
    while (at < end && block.size() < EventBlock.CAPACITY) {
      int head = EventReader.head(batch.bytes(), at);
      int length = EventReader.length(head);
      if (!EventReader.isMarked(head, number)
          || length < EventReader.MIN_RECORD
          || length > end - at) {
        offset = at;
        endBatchEarly(head);
        at = limit;
        break;
      }
      unknown += block.add(at, head, number) ? 0 : 1;
      at += length;
      number++;
    }
    offset = at;
    records += number - sequence;
    sequence = number;
    if (unknown > 0) {
      anomalies.add(Anomaly.UNKNOWN_EVENTS, unknown);
    }
  }

  /** The file cannot be read, or became shorter under the mapping. */
  private boolean unreadable() {
    anomalies.add(Anomaly.TRUNCATED, 1);
    return finish();
  }

  /** The records stop before the batch does: where the writer was in an open one, else damage. */
  private void endBatchEarly(int head) {
    if (!open) {
      anomalies.add(Anomaly.BAD_RECORD, 1);
    }
    blankTail = head == 0;
    recordsEnd = batchStart + offset;
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
    while (position <= window.fileBytes() - TraceFormat.DOCUMENT_HEADER_BYTES) {
      if (position >= border) {
        stopped = true;
        return finish();
      }
      window.map(position);
      int header = window.i32(position);
      if (header == TraceFormat.DOCUMENT_END) {
        break;
      }
      boolean unfinished = header == 0 || (header & TraceFormat.DOCUMENT_OPEN) != 0;
      openDocument = unfinished ? position : -1;
      openHeader = header;
      long place = position + TraceFormat.DOCUMENT_HEADER_BYTES;
      int length = header & TraceFormat.DOCUMENT_LENGTH;
      long next = place + (length + 3L & -4L);
      boolean meta = (header & TraceFormat.DOCUMENT_META) != 0;
      boolean cut = unfinished ? isBatch(place) && isCut(place) : next > window.fileBytes();
      if (unclean && cut && window.hasGrown(position)) {
        continue; // its writer has made room for it since
      }
      if (unfinished) {
        if (openBatch(place)) {
          return true;
        }
        if (unclean && isBatch(place)) {
          continue; // its writer has begun it since
        }
        // Where the writer had not yet begun its batch there is no magic, and nothing behind it.
        boolean blank = unclean && header == 0 && isBlank(place);
        if (!resync(blank)) {
          break;
        }
      } else if (length > TraceFormat.MAX_BATCH || next > window.fileBytes()) {
        // A damaged header or a cut-off file: what is in the batch tells, as for an open one.
        boolean damaged = length > TraceFormat.MAX_BATCH;
        anomalies.add(damaged ? Anomaly.BAD_DOCUMENT : Anomaly.TRUNCATED, 1);
        if (!meta && openBatch(place)) {
          return true;
        }
        if (!resync(true)) {
          break;
        }
      } else if (meta) {
        position = next;
      } else if (closedBatch(place, length)) {
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
    window.map(from);
    if (from != 0) {
      return true;
    }
    // The queue's own description comes first; without it this may be any file.
    int header = window.fileBytes() < 8 ? 0 : window.i32(0);
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

  /** Whether a batch that begins there may reach beyond what is mapped. */
  private boolean isCut(long place) {
    return window.end() - place < TraceFormat.MAX_BATCH;
  }

  /** Whether a writer has closed the document that was open: what follows it was written since. */
  private boolean isBeingWritten() throws IOException {
    if (!unclean || openDocument < 0) {
      return false;
    }
    window.map(openDocument);
    return window.i32(openDocument) != openHeader;
  }

  private boolean isBlank(long place) {
    return place > window.end() - 4 || window.i32(place) == 0;
  }

  /**
   * Goes on behind damage: finds the next place that looks like the beginning of a batch of this
   * stream.
   *
   * @param quiet whether finding none is in order, or has been counted
   */
  private boolean resync(boolean quiet) throws IOException {
    for (long at = (position & -4L) + 8;
        at <= window.fileBytes() - TraceFormat.BATCH_HEADER_BYTES;
        at += 4) {
      if (window.end() - at < TraceFormat.BATCH_HEADER_BYTES) {
        window.map(at);
      }
      if (isBatch(at)) {
        if (isBeingWritten()) {
          position = window.fileBytes();
          return false;
        }
        anomalies.add(Anomaly.BAD_DOCUMENT, 1);
        position = at - TraceFormat.DOCUMENT_HEADER_BYTES;
        return true;
      }
    }
    position = window.fileBytes();
    if (!quiet) {
      anomalies.add(Anomaly.BAD_DOCUMENT, 1);
    }
    return false;
  }

  // ---- batches

  private boolean isBatch(long place) {
    return place <= window.end() - TraceFormat.BATCH_HEADER_BYTES
        && window.i32(place) == TraceFormat.MAGIC
        && (window.i16(place + TraceFormat.STREAM) & 0xffff) == vcpu;
  }

  private boolean closedBatch(long place, int length) throws IOException {
    int recordBytes = length - TraceFormat.BATCH_HEADER_BYTES;
    if (recordBytes < 0 || !isBatch(place)) {
      return false;
    }
    batch.read(place, length);
    if (window.i32(place + TraceFormat.RECORD_BYTES) != recordBytes
        || TraceFormat.checksum(crc, batch.bytes().array(), recordBytes)
            != window.i32(place + TraceFormat.CHECKSUM)) {
      anomalies.add(Anomaly.BAD_CHECKSUM, 1);
    }
    open = false;
    beginBatch(place, recordBytes);
    return true;
  }

  /** A batch without a trustworthy length: its records say where it ends. */
  private boolean openBatch(long place) throws IOException {
    if (!isBatch(place)) {
      return false;
    }
    int room = (int) Math.min(window.end() - place, TraceFormat.MAX_BATCH);
    batch.read(place, room);
    // A live writer marks a record when its fields are there; the copy may have taken them before.
    long first = window.i64(place + TraceFormat.SEQUENCE);
    int marked = TraceFormat.BATCH_HEADER_BYTES;
    for (long number = first; marked <= room - EventReader.MIN_RECORD; number++) {
      int head = EventReader.head(batch.bytes(), marked);
      if (!EventReader.isMarked(head, number) || EventReader.length(head) == 0) {
        break;
      }
      marked += EventReader.length(head);
    }
    VarHandle.acquireFence();
    batch.read(place, Math.min(marked, room));
    open = true;
    beginBatch(place, room - TraceFormat.BATCH_HEADER_BYTES);
    return true;
  }

  private void beginBatch(long place, int recordBytes) {
    long base = window.i64(place + TraceFormat.SEQUENCE);
    baseTime = window.i64(place + TraceFormat.BASE_TIME);
    baseInstructions = window.i64(place + TraceFormat.BASE_INSTRUCTIONS);
    if (begun || from == 0) {
      compare(base, baseTime, sequence, lastBase);
    }
    if (!begun) {
      begun = true;
      firstSequence = base;
      firstBase = baseTime;
    }
    sequence = base;
    lastBase = baseTime;
    batchStart = place;
    offset = TraceFormat.BATCH_HEADER_BYTES;
    limit = offset + (recordBytes & ~3);
    recordsBefore = records;
    recordsEnd = batchStart + limit;
    blankTail = false;
    event.batch(batch.bytes(), vcpu, baseTime, baseInstructions);
  }

  /** Compares a batch with the end of the one before it. */
  private void compare(long base, long baseTime, long expected, long baseBefore) {
    if (base > expected) {
      anomalies.add(Anomaly.MISSING_EVENTS, base - expected);
    } else if (base < expected) {
      anomalies.add(Anomaly.SEQUENCE_BACKWARDS, 1);
    }
    if (baseTime < baseBefore) {
      anomalies.add(Anomaly.TIME_BACKWARDS, 1);
    }
  }

  private boolean finish() {
    if (!ended) {
      ended = true;
      offset = limit;
      batch.release();
      event.batch(batch.bytes(), vcpu, 0, 0);
      window.release();
      if (recorded != null) {
        recorded.compare(records, anomalies);
      }
    }
    return false;
  }

  // ---- parts

  /** Number of the event after the last one that was read. */
  long sequence() {
    return sequence;
  }

  /** Records read so far, of known types or not. */
  long records() {
    return records;
  }

  /**
   * After both were read to their ends: whether this part began exactly where {@code before}
   * stopped, as it must for the two to be what one cursor would have read. Damage can carry a
   * cursor past a border. Counts what the border shows.
   */
  boolean follows(StreamCursor before) {
    if (!before.stopped || before.position != from || !begun) {
      return false;
    }
    compare(firstSequence, firstBase, before.sequence, before.lastBase);
    return true;
  }

  /**
   * The first place after {@code place} where a part can begin: the document of a batch that is
   * closed and whose checksum is right; -1 where there is none within {@link #SEARCH_BYTES}.
   */
  long borderAfter(long place) throws IOException {
    window.map(place);
    long first = (place + 3 & -4L) + TraceFormat.DOCUMENT_HEADER_BYTES;
    long last = Math.min(first + SEARCH_BYTES, window.fileBytes());
    for (long at = first; at <= last - TraceFormat.BATCH_HEADER_BYTES; at += 4) {
      if (window.end() - at < TraceFormat.BATCH_HEADER_BYTES) {
        window.map(at);
      }
      if (isBatch(at) && isSound(at)) {
        return at - TraceFormat.DOCUMENT_HEADER_BYTES;
      }
    }
    return -1;
  }

  /** Time of the first event of the batch in the document there, which is a border. */
  long baseTimeAt(long document) throws IOException {
    window.map(document);
    return window.i64(document + TraceFormat.DOCUMENT_HEADER_BYTES + TraceFormat.BASE_TIME);
  }

  private boolean isSound(long place) throws IOException {
    window.map(place - TraceFormat.DOCUMENT_HEADER_BYTES);
    int header = window.i32(place - TraceFormat.DOCUMENT_HEADER_BYTES);
    int recordBytes = header - TraceFormat.BATCH_HEADER_BYTES;
    return recordBytes >= 0
        && header <= TraceFormat.MAX_BATCH
        && place + header <= window.fileBytes()
        && window.i32(place + TraceFormat.RECORD_BYTES) == recordBytes
        && window.checksum(crc, place, recordBytes) == window.i32(place + TraceFormat.CHECKSUM);
  }
}
