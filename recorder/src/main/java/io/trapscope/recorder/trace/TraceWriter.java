package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.LossCause;
import io.trapscope.recorder.event.RunEnd;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Writes a trace: one sink a vCPU and one for everything else.
 *
 * <p>Each sink belongs to one thread at a time. {@link #finish} and {@link #close} come after the
 * last event. A trace that is closed without {@link #finish} reads as cut off, which is right for a
 * recorder that failed.
 */
public final class TraceWriter implements AutoCloseable {
  /** Room a stream needs to begin with; a file system with less is refused at the start. */
  private static final int STREAM_START_BYTES = 512 << 10;

  private static final int FOOTER_BYTES = 4096;

  /** Footer of one stream, and of one counter: generous. */
  private static final int STREAM_END_BYTES = 256;

  private static final int COUNTER_BYTES = 1024;

  private final Path directory;
  private final List<StreamWriter> vcpus = new CopyOnWriteArrayList<>();
  private StreamWriter other;
  private QueueFile.Allocator allocator;
  private long footerBytes;
  private RandomAccessFile footer;
  private final Path footerPart;
  private boolean closed;

  private TraceWriter(Path directory) {
    this.directory = directory;
    this.footerPart = directory.resolve(TraceFormat.END_FILE + ".part");
  }

  /**
   * Makes a trace that is ready to record.
   *
   * @param directory created; may exist if it is empty
   * @param force whether a trace that is there already is replaced; anything else never is
   * @param header whose {@code cpus} says how many vCPU streams there are
   * @throws TraceException where that is not possible; what was there before is there then, and
   *     nothing else
   */
  public static TraceWriter create(Path directory, boolean force, TraceHeader header)
      throws TraceException {
    return create(directory, force, header, QueueFile::writeZeros);
  }

  static TraceWriter create(
      Path directory, boolean force, TraceHeader header, QueueFile.Allocator allocator)
      throws TraceException {
    Path path = directory.toAbsolutePath().normalize();
    Path replaced = null;
    boolean made = false;
    try {
      if (Files.exists(path, LinkOption.NOFOLLOW_LINKS) && !isEmptyDirectory(path)) {
        replaced = moveAside(path, directory, force);
      }
      made = !Files.exists(path);
      Files.createDirectories(path);
      TraceWriter writer = new TraceWriter(path);
      try {
        writer.start(header, allocator);
      } catch (IOException | RuntimeException e) {
        writer.close();
        throw e;
      }
      if (replaced != null) {
        delete(replaced);
      }
      return writer;
    } catch (IOException | RuntimeException e) {
      restore(path, replaced, made);
      throw new TraceException("cannot write trace " + directory + ": " + reason(e), e);
    }
  }

  private static Path moveAside(Path path, Path asGiven, boolean force)
      throws TraceException, IOException {
    if (!force) {
      throw new TraceException(asGiven + " exists; --force replaces it if it is a trace");
    }
    if (!isTrace(path)) {
      throw new TraceException(asGiven + " is not a trace, and only a trace is replaced");
    }
    Path aside = path.resolveSibling("." + path.getFileName() + ".replaced");
    delete(aside);
    Files.move(path, aside, StandardCopyOption.ATOMIC_MOVE);
    return aside;
  }

  private static void restore(Path path, Path replaced, boolean made) {
    try {
      if (made) {
        delete(path);
      } else if (isEmptyOrOurs(path)) {
        try (Stream<Path> entries = Files.list(path)) {
          for (Path entry : entries.collect(Collectors.toList())) {
            delete(entry);
          }
        }
      }
      if (replaced != null) {
        Files.move(replaced, path, StandardCopyOption.ATOMIC_MOVE);
      }
    } catch (IOException e) {
      // The first error is the one to tell; what could not be removed is in the user's sight.
    }
  }

  /** A directory that was empty before and holds only what a start writes. */
  private static boolean isEmptyOrOurs(Path path) throws IOException {
    return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)
        && (isTrace(path) || Files.exists(path.resolve(TraceFormat.END_FILE + ".part")));
  }

  private static boolean isEmptyDirectory(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return false;
    }
    try (Stream<Path> entries = Files.list(path)) {
      return entries.findAny().isEmpty();
    }
  }

  /** Whether a directory holds a trace, whole or damaged. */
  public static boolean isTrace(Path directory) {
    return Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
        && Files.isRegularFile(directory.resolve(TraceFormat.HEADER_FILE));
  }

  private static void deleteQuietly(Path path) {
    try {
      delete(path);
    } catch (IOException e) {
      // Whoever calls has an error of its own to tell; no reader looks at what stays.
    }
  }

  private static void delete(Path path) throws IOException {
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> tree = Files.walk(path)) {
      for (Path entry : tree.sorted(Comparator.reverseOrder()).collect(Collectors.toList())) {
        Files.delete(entry);
      }
    }
  }

  /** An I/O error in a few words, without the path, which the caller's message has. */
  static String reason(Exception e) {
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof NoSuchFileException) {
      return "no such file or directory";
    }
    if (e instanceof FileAlreadyExistsException || e instanceof NotDirectoryException) {
      return "a part of the path is not a directory";
    }
    if (e instanceof FileSystemException fs && fs.getReason() != null) {
      return fs.getReason();
    }
    String message = String.valueOf(e.getMessage());
    return message.lines().findFirst().orElse(e.getClass().getSimpleName());
  }

  private void start(TraceHeader header, QueueFile.Allocator room) throws IOException {
    allocator = room;
    // The footer's room is taken now, so that a full disk can still be reported in the trace.
    footer = new RandomAccessFile(footerPart.toFile(), "rw");
    reserveFooter(
        FOOTER_BYTES
            + (header.cpus() + 1L) * STREAM_END_BYTES
            + (long) header.counters().size() * COUNTER_BYTES);
    Path probe = directory.resolve("space.part");
    try (RandomAccessFile space = new RandomAccessFile(probe.toFile(), "rw")) {
      allocator.allocate(space, 0, (long) STREAM_START_BYTES * (header.cpus() + 1));
    } finally {
      Files.deleteIfExists(probe);
    }
    writeHeader(header);
    long epochMillis = System.currentTimeMillis();
    for (int i = 0; i < header.cpus(); i++) {
      vcpus.add(stream(i, epochMillis));
    }
    other = stream(EventReader.NO_VCPU, epochMillis);
  }

  private void reserveFooter(long bytes) throws IOException {
    allocator.allocate(footer, footerBytes, bytes);
    footerBytes = bytes;
  }

  private void writeHeader(TraceHeader header) throws IOException {
    Path part = directory.resolve(TraceFormat.HEADER_FILE + ".part");
    try {
      Files.write(part, header.toBytes());
      Files.move(part, directory.resolve(TraceFormat.HEADER_FILE), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      Files.deleteIfExists(part);
      throw e;
    }
  }

  private StreamWriter stream(int vcpu, long epochMillis) throws IOException {
    Path path = directory.resolve(TraceFormat.streamName(vcpu));
    return new StreamWriter(path, vcpu, epochMillis, allocator);
  }

  private List<StreamWriter> streams() {
    List<StreamWriter> all = new ArrayList<>(vcpus);
    if (other != null) {
      all.add(other);
    }
    return all;
  }

  /**
   * Makes room for one more vCPU, whose number is the next. What was recorded so far stays readable
   * at every moment.
   *
   * @return where its events go
   * @throws TraceException where the file system has no room for it; the trace goes on without
   */
  public ExitSink addVcpu() throws TraceException {
    int index = vcpus.size();
    if (index >= TraceFormat.MAX_VCPUS) {
      throw new TraceException("a trace holds " + TraceFormat.MAX_VCPUS + " vCPUs at most");
    }
    try {
      reserveFooter(footerBytes + STREAM_END_BYTES);
      StreamWriter made = stream(index, System.currentTimeMillis());
      vcpus.add(made);
      return made;
    } catch (IOException e) {
      deleteQuietly(directory.resolve(TraceFormat.streamName(index)));
      throw new TraceException("cannot add a vCPU to trace " + directory + ": " + reason(e), e);
    }
  }

  /**
   * Replaces the header, as more becomes known.
   *
   * @param header whose {@code cpus} is the number of vCPU streams there are now
   * @throws TraceException where it cannot be written; the former one is there then
   */
  public void describe(TraceHeader header) throws TraceException {
    if (header.cpus() != vcpus.size()) {
      throw new IllegalArgumentException(header.cpus() + " vCPUs, not " + vcpus.size());
    }
    try {
      writeHeader(header);
    } catch (IOException e) {
      throw new TraceException("cannot write trace " + directory + ": " + reason(e), e);
    }
  }

  /** Where this vCPU's events go. */
  public ExitSink vcpu(int index) {
    return vcpus.get(index);
  }

  /** Where events go that belong to no vCPU. */
  public ExitSink other() {
    return other;
  }

  /**
   * Counts events as lost that could not be taken, so that the trace says so; called in place of
   * their claims, by the thread that has the sink.
   *
   * @param sink one of this writer's
   */
  public void addLost(ExitSink sink, long count, LossCause cause) {
    ((StreamWriter) sink).addLost(count, cause);
  }

  /** Events written so far in all streams; callable from any thread. */
  public long events() {
    return streams().stream().mapToLong(StreamWriter::events).sum();
  }

  /** Events lost so far in all streams; callable from any thread. */
  public long lost() {
    return streams().stream().mapToLong(StreamWriter::lost).sum();
  }

  /** Why a stream cannot be written any more, one line; empty where all can. */
  public String failure() {
    return streams().stream()
        .map(StreamWriter::failure)
        .filter(text -> !text.isEmpty())
        .findFirst()
        .orElse("");
  }

  /** Ends the trace cleanly, without counters. */
  public TraceEnd finish(RunEnd how, long detail, String text) throws TraceException {
    return finish(how, detail, text, List.of());
  }

  /**
   * Ends the trace cleanly.
   *
   * @param detail the debug-exit value, or 0
   * @param text one line for the user, or empty
   * @param counters the host's counters at the end
   * @throws TraceException where the footer cannot be written; the trace reads as cut off then
   */
  public TraceEnd finish(RunEnd how, long detail, String text, List<Counter> counters)
      throws TraceException {
    try {
      List<TraceEnd.StreamEnd> ends = new ArrayList<>();
      for (StreamWriter stream : streams()) {
        stream.close();
        ends.add(stream.end());
      }
      long now = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
      TraceEnd end = new TraceEnd(how, detail, text, now, ends, counters);
      byte[] bytes = end.toBytes();
      footer.seek(0);
      footer.write(bytes);
      footer.setLength(bytes.length);
      footer.close();
      Files.move(
          footerPart, directory.resolve(TraceFormat.END_FILE), StandardCopyOption.ATOMIC_MOVE);
      closed = true;
      return end;
    } catch (IOException e) {
      throw new TraceException("cannot finish trace " + directory + ": " + reason(e), e);
    } finally {
      close();
    }
  }

  /** Closes the files. Does nothing after {@link #finish}. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      for (StreamWriter stream : streams()) {
        stream.close();
      }
      if (footer != null) {
        footer.close();
      }
      Files.deleteIfExists(footerPart);
    } catch (IOException e) {
      // The trace has no footer, which says all there is to say.
    }
  }
}
