package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.EventReference;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.LossCause;
import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import net.openhft.chronicle.core.io.BackgroundResourceReleaser;
import net.openhft.chronicle.core.io.IOTools;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.queue.rollcycles.LargeRollCycles;
import net.openhft.chronicle.wire.DocumentContext;

/**
 * Writes one stream: batches of records in a Chronicle Queue of its own. See {@link TraceFormat}
 * for why a batch stays open while its records are written.
 *
 * <p>Chronicle lays out the file, its documents and its index; the records go in place through a
 * mapping of our own, so that every access is bounds-checked. A page of a mapped file that finds no
 * room when it is first touched ends the process (SIGBUS), so room is always written with zeros,
 * where a full disk is an ordinary error, before anything behind it is touched.
 *
 * <p>Belongs to one thread at a time, except {@link #events} and {@link #lost}. When writing fails,
 * the stream counts what follows as lost and goes on without it.
 */
final class StreamWriter implements ExitSink, Closeable {
  /**
   * Room of a batch; small beside Chronicle's overlap of a quarter block, in which it has to fit.
   */
  static final int BATCH_BYTES = 192 << 10;

  /** Room kept beyond a batch for the next document's header, an index page and an end mark. */
  private static final int SLACK_BYTES = 64 << 10;

  private static final int BLOCK_BYTES = 1 << 20;

  /** Bytes of file that are mapped at a time; bounds address space and resident memory. */
  private static final int WINDOW_BYTES = 16 << 20;

  private static final VarHandle EVENTS;
  private static final VarHandle LOST;

  static {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      EVENTS = lookup.findVarHandle(StreamWriter.class, "events", long.class);
      LOST = lookup.findVarHandle(StreamWriter.class, "lost", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** Makes bytes of a file real before they are touched. Seam for tests of full disks. */
  interface Allocator {
    void allocate(RandomAccessFile file, long from, long to) throws IOException;
  }

  private final Path directory;
  private final int vcpu;
  private final Allocator allocator;
  private final SingleChronicleQueue queue;
  private final ExcerptAppender appender;
  private final EventWriter writer = new EventWriter();
  private final CRC32C crc = new CRC32C();

  /** One record's room: while it moves from batch to batch, and once nothing can be written. */
  private final ByteBuffer scratch =
      ByteBuffer.allocate(EventWriter.MAX_RECORD).order(ByteOrder.LITTLE_ENDIAN);

  // Where the open batch lies. Offsets are relative to the window, which starts at windowStart.
  private DocumentContext document;
  private long documentStart;
  private Path file;
  private RandomAccessFile space;
  private MappedByteBuffer window;
  private ByteBuffer view;
  private long windowStart;
  private long allocated;
  private int batch;
  private int end;
  private int lastStart;

  // The open batch. A batch without records has no header yet.
  private boolean empty = true;
  private long baseTime;
  private long baseInstructions;
  private long sequence;

  private long events;
  private long lost;
  private LossCause cause;
  private boolean failed;
  private String failure = "";

  StreamWriter(Path directory, int vcpu, long epochMillis, Allocator allocator) throws IOException {
    this.directory = directory;
    this.vcpu = vcpu;
    this.allocator = allocator;
    SingleChronicleQueue opened = null;
    try {
      // A clock that stands still: the queue never rolls over to a second file.
      opened =
          SingleChronicleQueueBuilder.binary(directory)
              .blockSize(BLOCK_BYTES)
              .rollCycle(LargeRollCycles.LARGE_DAILY)
              .indexCount(64)
              .indexSpacing(256)
              .timeProvider(() -> epochMillis)
              .build();
      queue = opened;
      appender = queue.createAppender();
      // The trace is made by one thread and each stream is written by another, one at a time.
      appender.singleThreadedCheckDisabled(true);
      openBatch();
      writer.wrap(window, end);
    } catch (IOException | RuntimeException | InternalError | AssertionError | LinkageError e) {
      // The last two are what Chronicle throws in a JVM that does not open what it needs.
      if (opened != null) {
        abandon(opened);
      }
      throw e instanceof IOException io ? io : new IOException("Chronicle Queue: " + e, e);
    }
  }

  private void abandon(SingleChronicleQueue opened) {
    try {
      if (document != null) {
        document.rollbackOnClose();
        document.close();
      }
      if (space != null) {
        space.close();
      }
      opened.close();
    } catch (RuntimeException | IOException | InternalError e) {
      failure = String.valueOf(e.getMessage());
    }
  }

  /** Writes zeros; on every file system that does not copy on write, that room is ours then. */
  static void writeZeros(RandomAccessFile file, long from, long to) throws IOException {
    // Not through a channel: an interrupt of the vCPU's thread would close it.
    file.seek(from);
    for (long at = from; at < to; ) {
      int step = (int) Math.min(ZEROS.length, to - at);
      file.write(ZEROS, 0, step);
      at += step;
    }
  }

  private static final byte[] ZEROS = new byte[64 << 10];

  // ---- the hot path

  @Override
  public EventWriter claim(EventType type) {
    if (end > lastStart) {
      writer.discard();
      roll();
      writer.wrap(failed ? scratch : window, end);
    }
    return writer.begin(type);
  }

  @Override
  public void commit() {
    if (empty || !writer.fits(baseTime, baseInstructions)) {
      startBatch();
    }
    if (failed) {
      writer.discard();
      LOST.setOpaque(this, lost + 1);
      return;
    }
    end = writer.finish(sequence, baseTime, baseInstructions);
    sequence++;
    EVENTS.setOpaque(this, events + 1);
  }

  // ---- batches

  /** Gives the claimed record a batch that fits it: the open one if it has no record yet. */
  private void startBatch() {
    if (failed) {
      return;
    }
    if (!empty) {
      writer.moveTo(scratch, 0);
      roll();
      if (failed) {
        return;
      }
      writer.moveTo(window, end);
    }
    baseTime = writer.time();
    baseInstructions = writer.hasInstructions() ? writer.instructions() : 0;
    window.putShort(batch + TraceFormat.STREAM, (short) vcpu);
    window.put(batch + TraceFormat.BATCH_VERSION, (byte) EventReference.VERSION);
    window.putLong(batch + TraceFormat.SEQUENCE, sequence);
    window.putLong(batch + TraceFormat.BASE_TIME, baseTime);
    window.putLong(batch + TraceFormat.BASE_INSTRUCTIONS, baseInstructions);
    VarHandle.releaseFence();
    window.putInt(batch, TraceFormat.MAGIC);
    empty = false;
  }

  /** Closes the open batch and opens the next; on failure the stream loses what follows. */
  private void roll() {
    // An interrupt is meant for the vCPU's loop; here it would only close files.
    boolean interrupted = Thread.interrupted();
    try {
      closeBatch();
      openBatch();
    } catch (IOException | RuntimeException | InternalError e) {
      fail(e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void openBatch() throws IOException {
    if (space != null) {
      reserve(documentStart + TraceFormat.DOCUMENT_HEADER_BYTES + BATCH_BYTES);
    }
    document = appender.writingDocument();
    documentStart = document.wire().bytes().writePosition();
    if (space == null) {
      file = queueFile();
      space = new RandomAccessFile(file.toFile(), "rw");
      allocated = documentStart;
      reserve(documentStart + BATCH_BYTES);
    }
    if (window == null || documentStart + BATCH_BYTES > windowStart + WINDOW_BYTES) {
      unmap();
      windowStart = documentStart & -4096;
      try (FileChannel channel =
          FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
        window = channel.map(FileChannel.MapMode.READ_WRITE, windowStart, WINDOW_BYTES);
      }
      window.order(ByteOrder.LITTLE_ENDIAN);
      view = window.duplicate();
    }
    batch = (int) (documentStart - windowStart);
    end = batch + TraceFormat.BATCH_HEADER_BYTES;
    lastStart = batch + BATCH_BYTES - EventWriter.MAX_RECORD;
    empty = true;
  }

  private void reserve(long to) throws IOException {
    long wanted = to + SLACK_BYTES;
    if (wanted > allocated) {
      allocator.allocate(space, allocated, wanted);
      allocated = wanted;
    }
  }

  private Path queueFile() throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      List<Path> files =
          entries
              .filter(path -> path.toString().endsWith(TraceFormat.QUEUE_SUFFIX))
              .collect(Collectors.toList());
      if (files.size() != 1) {
        throw new IOException("found " + files.size() + " queue files in " + directory);
      }
      return files.get(0);
    }
  }

  private void closeBatch() {
    int recordBytes = end - batch - TraceFormat.BATCH_HEADER_BYTES;
    DocumentContext closing = document;
    document = null;
    if (empty) {
      closing.rollbackOnClose();
      closing.close();
      documentStart -= TraceFormat.DOCUMENT_HEADER_BYTES;
      return;
    }
    window.putInt(batch + TraceFormat.RECORD_BYTES, recordBytes);
    int sum = TraceFormat.checksum(crc, view, batch, recordBytes);
    window.putInt(batch + TraceFormat.CHECKSUM, sum);
    long next = windowStart + end;
    closing.wire().bytes().writePosition(next);
    closing.close();
    documentStart = next;
  }

  private void fail(Throwable e) {
    failure = String.valueOf(e.getMessage());
    cause = isDiskFull(e) ? LossCause.DISK_FULL : LossCause.IO_ERROR;
    stop();
  }

  /** From here on events are encoded into scratch memory: the hot path has no second case. */
  private void stop() {
    failed = true;
    end = 0;
    lastStart = 0;
    empty = true;
  }

  private static boolean isDiskFull(Throwable e) {
    String message = String.valueOf(e.getMessage());
    return message.contains("No space left") || message.contains("quota");
  }

  // ---- what others ask

  /** Counts events as lost that never reached this stream; the next one's number leaves a hole. */
  void addLost(long count, LossCause why) {
    LOST.setOpaque(this, lost + count);
    cause = why;
    if (!failed && !empty) {
      writer.discard();
      roll();
      writer.wrap(failed ? scratch : window, end);
    }
    sequence += count;
  }

  /** Events written so far; callable from any thread. */
  long events() {
    return (long) EVENTS.getOpaque(this);
  }

  /** Events lost so far; callable from any thread. */
  long lost() {
    return (long) LOST.getOpaque(this);
  }

  /** Why writing failed, one line; empty where it did not. */
  String failure() {
    return failure;
  }

  TraceEnd.StreamEnd end() throws IOException {
    return new TraceEnd.StreamEnd(
        TraceFormat.streamName(vcpu), events, lost, cause, writer.clamped(), Files.size(file));
  }

  /** Chronicle makes the file of its locks 128 KiB long, of which it uses a few hundred bytes. */
  private void trimMetadata() throws IOException {
    Path metadata = directory.resolve("metadata.cq4t");
    try (RandomAccessFile table = new RandomAccessFile(metadata.toFile(), "rw")) {
      byte[] bytes = new byte[(int) Math.min(table.length(), 1 << 20)];
      table.readFully(bytes);
      int used = bytes.length;
      while (used > 0 && bytes[used - 1] == 0) {
        used--;
      }
      if (bytes.length == table.length()) {
        table.setLength(used + 7 & -8);
      }
    }
  }

  private void unmap() {
    if (window != null) {
      IOTools.clean(window);
      window = null;
      view = null;
    }
  }

  /** Ends the stream and gives back the room that no event needed. Further events are lost. */
  @Override
  public void close() throws IOException {
    if (queue.isClosed()) {
      return;
    }
    boolean interrupted = Thread.interrupted();
    try {
      if (document != null && failed) {
        document.rollbackOnClose();
        document.close();
        documentStart -= TraceFormat.DOCUMENT_HEADER_BYTES;
      } else if (document != null) {
        writer.discard();
        closeBatch();
      }
      writer.wrap(scratch, 0);
      stop();
      queue.close();
      BackgroundResourceReleaser.releasePendingResources();
      unmap();
      space.setLength(documentStart);
      space.close();
      trimMetadata();
    } catch (RuntimeException | InternalError e) {
      throw new IOException(e.getMessage(), e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
