package io.trapscope.recorder.trace;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.lang.invoke.VarHandle;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.TimeUnit;

/**
 * Appends documents to a new Chronicle Queue, as Chronicle's own appender would: a test holds the
 * two together, byte for byte. Starting that library takes longer than many a recording.
 *
 * <p>A queue is a directory of two files. {@code metadata.cq4t} tells its days; {@code
 * yyyyMMddL.cq4} begins with the store's header, the index of indexes and the first index. Both are
 * here as resources, as Chronicle Queue 2026.4 leaves them when it writes a first document. Then
 * come the documents, each behind its 4-byte header and padded to 4 bytes, every {@value
 * #INDEX_SPACING}th of them with a place in an index, and a further index wherever one is full.
 *
 * <p>The bytes of a document are written in place through a mapping, so that every access is
 * bounds-checked. A page of a mapped file that finds no room when it is first touched ends the
 * process (SIGBUS), so room is always written with zeros, where a full disk is an ordinary error,
 * before anything behind it is touched.
 *
 * <p>Belongs to one thread at a time.
 */
final class QueueFile implements Closeable {
  /** Makes bytes of a file real before they are touched. Seam for tests of full disks. */
  interface Allocator {
    void allocate(RandomAccessFile file, long from, long to) throws IOException;
  }

  private static final int INDEX_SPACING = 256;

  /** Places of an index, and indexes of a file. */
  private static final int INDEX_PLACES = 64;

  // Where the first bytes of a file tell the last document, once by its place and once by place
  // and number, how many documents the indexes cover, and the indexes.
  private static final int LAST_PLACE = 0x40;
  private static final int LAST_NUMBER = 0x48;
  private static final int INDEXED = 0xb0;
  private static final int INDEXES = 0xe0;
  private static final int FIRST_INDEX = 0x300;

  /** Bits of a document's number beside its place: what the roll cycle LARGE_DAILY has. */
  private static final int NUMBER_BITS = 37;

  // An array in the file: its places, those used, and their values, 8 bytes each.
  private static final int ARRAY_USED = 8;
  private static final int ARRAY_VALUES = 16;

  /** A name in Chronicle's binary wire, here of an index; one byte of padding; a long array. */
  private static final byte[] INDEX_NAME = {(byte) 0xb9, 5, 'i', 'n', 'd', 'e', 'x'};

  private static final byte PADDING = (byte) 0x8f;
  private static final byte LONG_ARRAY = (byte) 0x8d;

  private static final String METADATA = "metadata.cq4t";

  /** Where the metadata has the first and the last day, counted from 1970. */
  private static final int[] METADATA_DAYS = {0xb8, 0xe0};

  private static final DateTimeFormatter NAME =
      DateTimeFormatter.ofPattern("yyyyMMdd'L" + TraceFormat.QUEUE_SUFFIX + "'");

  private static final int PAGE_BYTES = 4096;

  /** Bytes of file that are mapped at a time; bounds address space and resident memory. */
  private static final int WINDOW_BYTES = 16 << 20;

  /** Room kept beyond a document: for an index and the next header. */
  private static final int SLACK_BYTES = 2 * PAGE_BYTES;

  private final Path path;
  private final Allocator allocator;
  private final RandomAccessFile file;
  private final MappedByteBuffer head;

  private long allocated;
  private MappedByteBuffer window;
  private long windowStart;

  /** Where the header goes of the open document, or of the next. */
  private long position;

  private long documents;

  /** The index that is filled, mapped, and where in the mapping its array lies. */
  private MappedByteBuffer index;

  private int indexArray;

  private boolean closed;

  /**
   * Makes a queue that begins today.
   *
   * @param directory created; holds no queue
   * @param epochMillis the time now
   */
  QueueFile(Path directory, long epochMillis, Allocator allocator) throws IOException {
    this.allocator = allocator;
    Files.createDirectories(directory);
    long day = TimeUnit.MILLISECONDS.toDays(epochMillis);
    ByteBuffer metadata = resource(METADATA);
    for (int at : METADATA_DAYS) {
      metadata.putLong(at, day);
    }
    Files.write(directory.resolve(METADATA), metadata.array());
    path = directory.resolve(NAME.format(LocalDate.ofEpochDay(day)));
    ByteBuffer first = resource("first.cq4");
    file = new RandomAccessFile(path.toFile(), "rw");
    try {
      file.write(first.array());
      position = first.capacity();
      allocated = position;
      reserve(position);
      head = map(0, PAGE_BYTES);
      index = head;
      indexArray = FIRST_INDEX;
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static ByteBuffer resource(String name) throws IOException {
    try (InputStream in = QueueFile.class.getResourceAsStream(name)) {
      return ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
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

  private void reserve(long to) throws IOException {
    long wanted = to + SLACK_BYTES;
    if (wanted > allocated) {
      allocator.allocate(file, allocated, wanted);
      allocated = wanted;
    }
  }

  private MappedByteBuffer map(long from, int bytes) throws IOException {
    try (FileChannel channel =
        FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_WRITE, from, bytes);
      mapped.order(ByteOrder.LITTLE_ENDIAN);
      return mapped;
    }
  }

  /**
   * Opens a document behind the last one. It has no header until it is closed; without that it is
   * not there.
   *
   * @param bytes room it gets
   * @return where it begins in {@link #window}, which may be another than before
   */
  int open(int bytes) throws IOException {
    long end = position + TraceFormat.DOCUMENT_HEADER_BYTES + bytes;
    reserve(end);
    if (window == null || end + SLACK_BYTES > windowStart + WINDOW_BYTES) {
      MappedByteBuffer left = window;
      windowStart = position & -PAGE_BYTES;
      window = map(windowStart, WINDOW_BYTES);
      if (left != null) {
        unmap(left);
      }
    }
    return at(position) + TraceFormat.DOCUMENT_HEADER_BYTES;
  }

  /** The mapped part of the file in which the open document lies; little-endian. */
  MappedByteBuffer window() {
    return window;
  }

  private int at(long place) {
    return (int) (place - windowStart);
  }

  /**
   * Closes the open document.
   *
   * @param bytes its length, at least 1
   */
  void finish(int bytes) throws IOException {
    VarHandle.releaseFence();
    window.putInt(at(position), bytes);
    head.putLong(LAST_PLACE, position);
    head.putLong(LAST_NUMBER, (position << NUMBER_BITS) + documents);
    long place = position;
    position += TraceFormat.DOCUMENT_HEADER_BYTES + (bytes + 3 & -4);
    if (documents % INDEX_SPACING == 0) {
      addToIndex(place, documents / INDEX_SPACING);
    }
    documents++;
  }

  /** Documents beyond the last index are found without one, as Chronicle's tailer can. */
  private void addToIndex(long place, long number) throws IOException {
    long indexes = number / INDEX_PLACES;
    int slot = (int) (number % INDEX_PLACES);
    if (indexes >= INDEX_PLACES) {
      return;
    }
    if (slot == 0 && indexes > 0) {
      startIndex();
      append(head, INDEXES, (int) indexes, position);
      position += TraceFormat.DOCUMENT_HEADER_BYTES + indexBytes();
    }
    append(index, indexArray, slot, place);
    head.putLong(INDEXED, (number + 1) * INDEX_SPACING);
  }

  private static void append(ByteBuffer in, int array, int slot, long value) {
    in.putLong(array + ARRAY_VALUES + Long.BYTES * slot, value);
    in.putLong(array + ARRAY_USED, slot + 1L);
  }

  /** Padding that puts the array of an index here at a multiple of 8. */
  private int indexPadding() {
    int unpadded = TraceFormat.DOCUMENT_HEADER_BYTES + INDEX_NAME.length + 1;
    return (int) -(position + unpadded) & 7;
  }

  private int indexBytes() {
    return INDEX_NAME.length + indexPadding() + 1 + ARRAY_VALUES + Long.BYTES * INDEX_PLACES;
  }

  /** Writes an empty index where the next document would begin. */
  private void startIndex() throws IOException {
    reserve(position + TraceFormat.DOCUMENT_HEADER_BYTES + indexBytes());
    MappedByteBuffer left = index;
    long start = position & -PAGE_BYTES;
    index = map(start, 2 * PAGE_BYTES);
    if (left != head) {
      unmap(left);
    }
    int header = (int) (position - start);
    int at = header + TraceFormat.DOCUMENT_HEADER_BYTES;
    index.put(at, INDEX_NAME);
    at += INDEX_NAME.length;
    for (int i = indexPadding(); i > 0; i--) {
      index.put(at++, PADDING);
    }
    index.put(at++, LONG_ARRAY);
    index.putLong(at, INDEX_PLACES);
    indexArray = at;
    VarHandle.releaseFence();
    index.putInt(header, TraceFormat.DOCUMENT_META | indexBytes());
  }

  /** Bytes of the file up to the end of the last document that was closed. */
  long bytes() {
    return position;
  }

  /** Ends the file behind the last document. Further calls do nothing. */
  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    for (MappedByteBuffer mapped :
        new MappedByteBuffer[] {head, index == head ? null : index, window}) {
      if (mapped != null) {
        unmap(mapped);
      }
    }
    try (file) {
      file.setLength(position);
    }
  }

  /**
   * Gives a mapping back at once; without that it stays until the garbage collector comes by, and a
   * recorder makes little garbage. The buffer must not be used any more. A JDK that refuses it (by
   * {@code --sun-misc-unsafe-memory-access}) leaves it to the collector.
   */
  private static void unmap(MappedByteBuffer mapped) {
    try {
      UnmapMethod.METHOD.invoke(UnmapMethod.UNSAFE, mapped);
    } catch (ReflectiveOperationException e) {
      if (!(e.getCause() instanceof UnsupportedOperationException)) {
        throw new IllegalStateException(e);
      }
    }
  }

  /**
   * The one way to unmap that Java has before release 22. What release 22 has, a mapping that
   * belongs to an {@code Arena}, asks at each access whether that is open: a third more an event.
   */
  private static final class UnmapMethod {
    static final Object UNSAFE;
    static final Method METHOD;

    static {
      try {
        Class<?> type = Class.forName("sun.misc.Unsafe");
        Field instance = type.getDeclaredField("theUnsafe");
        instance.setAccessible(true);
        UNSAFE = instance.get(null);
        METHOD = type.getMethod("invokeCleaner", ByteBuffer.class);
      } catch (ReflectiveOperationException e) {
        throw new ExceptionInInitializerError(e);
      }
    }
  }
}
