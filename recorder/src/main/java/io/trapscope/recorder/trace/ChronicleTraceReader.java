package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.EventReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Reads traces whose streams are Chronicle Queues, without Chronicle: the files are mapped and
 * walked directly, which starts at once and cannot be stopped by a queue that was never closed.
 */
final class ChronicleTraceReader implements TraceReader {
  private final Path directory;
  private final TraceHeader header;
  private final TraceEnd end;
  private final boolean badEnd;

  private ChronicleTraceReader(Path directory, TraceHeader header, TraceEnd end, boolean badEnd) {
    this.directory = directory;
    this.header = header;
    this.end = end;
    this.badEnd = badEnd;
  }

  static TraceReader open(Path directory) throws TraceException {
    Path headerFile = directory.resolve(TraceFormat.HEADER_FILE);
    TraceHeader header;
    try {
      header = TraceHeader.parse(read(headerFile));
    } catch (IOException e) {
      throw new TraceException(whyNot(directory, e), e);
    }
    TraceEnd end = null;
    boolean badEnd = false;
    try {
      end = TraceEnd.parse(read(directory.resolve(TraceFormat.END_FILE)));
    } catch (NoSuchFileException e) {
      // The recording was cut off, or goes on.
    } catch (IOException e) {
      badEnd = true;
    }
    return new ChronicleTraceReader(directory, header, end, badEnd);
  }

  private static String whyNot(Path directory, IOException e) {
    if (!Files.exists(directory)) {
      return directory + " does not exist";
    }
    if (!Files.isDirectory(directory)) {
      return directory + " is no trace: not a directory";
    }
    if (e instanceof NoSuchFileException) {
      return directory + " is no trace: it holds no " + TraceFormat.HEADER_FILE;
    }
    Path file = directory.resolve(TraceFormat.HEADER_FILE);
    return "cannot read " + file + ": " + TraceWriter.reason(e);
  }

  private static byte[] read(Path file) throws IOException {
    if (Files.size(file) > TraceHeader.MAX_BYTES) {
      throw new IOException("larger than any header");
    }
    return Files.readAllBytes(file);
  }

  @Override
  public Path directory() {
    return directory;
  }

  @Override
  public TraceHeader header() {
    return header;
  }

  @Override
  public Optional<TraceEnd> end() {
    return Optional.ofNullable(end);
  }

  @Override
  public List<Integer> streams() {
    List<Integer> streams = new ArrayList<>();
    for (int i = 0; i < header.cpus(); i++) {
      streams.add(i);
    }
    streams.add(EventReader.NO_VCPU);
    return streams;
  }

  @Override
  public BlockCursor stream(int vcpu) {
    return cursor(vcpu);
  }

  private StreamCursor cursor(int vcpu) {
    String name = TraceFormat.streamName(vcpu);
    return new StreamCursor(queueFile(name), vcpu, recorded(name), end == null);
  }

  @Override
  public BlockCursor stream(int vcpu, long time) {
    Path file = queueFile(TraceFormat.streamName(vcpu));
    long from = QueueParts.borderBefore(file, vcpu, time);
    return new StreamCursor(file, vcpu, null, end == null, from, Long.MAX_VALUE);
  }

  @Override
  public StreamParts parts(int vcpu, long bytes) {
    String name = TraceFormat.streamName(vcpu);
    return new QueueParts(queueFile(name), vcpu, recorded(name), end == null, bytes);
  }

  /** What the footer says of a stream; null where there is no footer or it has no such stream. */
  private TraceEnd.StreamEnd recorded(String stream) {
    return end == null ? null : end.stream(stream);
  }

  /** The stream's queue file; null where there is not exactly one. */
  private Path queueFile(String stream) {
    try (Stream<Path> entries = Files.list(directory.resolve(stream))) {
      List<Path> files =
          entries
              .filter(path -> path.toString().endsWith(TraceFormat.QUEUE_SUFFIX))
              .collect(Collectors.toList());
      return files.size() == 1 ? files.get(0) : null;
    } catch (IOException e) {
      return null;
    }
  }

  @Override
  public EventCursor merged() {
    List<StreamCursor> cursors = new ArrayList<>();
    for (int stream : streams()) {
      cursors.add(cursor(stream));
    }
    return new MergedCursor(cursors, anomalies());
  }

  @Override
  public Anomalies anomalies() {
    Anomalies anomalies = new Anomalies();
    if (end == null) {
      anomalies.add(badEnd ? Anomaly.BAD_END : Anomaly.UNCLEAN_END, 1);
    }
    return anomalies;
  }

  @Override
  public Anomalies anomaliesAtEnds() {
    Anomalies all = anomalies();
    for (int stream : streams()) {
      String name = TraceFormat.streamName(stream);
      all.addAll(QueueParts.atEnd(queueFile(name), stream, recorded(name), end == null));
    }
    return all;
  }

  @Override
  public long bytes() {
    long bytes = 0;
    for (int stream : streams()) {
      Path file = queueFile(TraceFormat.streamName(stream));
      try {
        bytes += file == null ? 0 : Files.size(file);
      } catch (IOException e) {
        // Counted as a missing stream by its cursor.
      }
    }
    return bytes;
  }
}
