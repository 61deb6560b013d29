package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.EventReference;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.LossCause;
import java.io.Closeable;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.MappedByteBuffer;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * Writes one stream: batches of records in a Chronicle Queue of its own. See {@link TraceFormat}
 * for why a batch stays open while its records are written.
 *
 * <p>Belongs to one thread at a time, except {@link #events} and {@link #lost}. When writing fails,
 * the stream counts what follows as lost and goes on without it.
 */
final class StreamWriter implements ExitSink, Closeable {
  /** Room of a batch. */
  static final int BATCH_BYTES = 192 << 10;

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

  private final int vcpu;
  private final QueueFile queue;
  private final EventWriter writer = new EventWriter();
  private final CRC32C crc = new CRC32C();

  // Where the open batch lies in the window.
  private MappedByteBuffer window;
  private ByteBuffer view;
  private IntBuffer words;
  private int batch;
  private int end;
  private int limit;

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

  StreamWriter(Path directory, int vcpu, long epochMillis, QueueFile.Allocator allocator)
      throws IOException {
    this.vcpu = vcpu;
    queue = new QueueFile(directory, epochMillis, allocator);
    try {
      openBatch();
    } catch (IOException | RuntimeException | InternalError e) {
      queue.close();
      throw e;
    }
  }

  // ---- the hot path

  @Override
  public EventWriter claim(EventType type) {
    return writer.begin(type);
  }

  @Override
  public void commit() {
    if (empty || end + writer.length() > limit || !writer.fits(baseTime, baseInstructions)) {
      startBatch();
    }
    if (failed) {
      LOST.setOpaque(this, lost + 1);
      return;
    }
    end = writer.writeTo(words, end, sequence, baseTime, baseInstructions);
    sequence++;
    EVENTS.setOpaque(this, events + 1);
  }

  // ---- batches

  /** Makes a batch that takes the record in hand: the open one if it has no record yet. */
  private void startBatch() {
    if (!failed && !empty) {
      roll();
    }
    if (failed) {
      return;
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
    batch = queue.open(BATCH_BYTES);
    if (window != queue.window()) {
      window = queue.window();
      view = window.duplicate();
      words = window.asIntBuffer();
    }
    end = batch + TraceFormat.BATCH_HEADER_BYTES;
    limit = batch + BATCH_BYTES;
    empty = true;
  }

  private void closeBatch() throws IOException {
    if (empty) {
      return;
    }
    int recordBytes = end - batch - TraceFormat.BATCH_HEADER_BYTES;
    window.putInt(batch + TraceFormat.RECORD_BYTES, recordBytes);
    int sum = TraceFormat.checksum(crc, view, batch, recordBytes);
    window.putInt(batch + TraceFormat.CHECKSUM, sum);
    queue.finish(end - batch);
  }

  private void fail(Throwable e) {
    failure = String.valueOf(e.getMessage());
    cause = isDiskFull(e) ? LossCause.DISK_FULL : LossCause.IO_ERROR;
    failed = true;
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
      roll();
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

  TraceEnd.StreamEnd end() {
    return new TraceEnd.StreamEnd(
        TraceFormat.streamName(vcpu), events, lost, cause, writer.clamped(), queue.bytes());
  }

  /** Ends the stream and gives back the room that no event needed. Further events are lost. */
  @Override
  public void close() throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      if (!failed) {
        failed = true;
        closeBatch();
      }
      queue.close();
    } catch (RuntimeException | InternalError e) {
      throw new IOException(e.getMessage(), e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
