package io.trapscope.analyzer.pipeline;

import io.trapscope.recorder.event.EventBlock;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.trace.Anomalies;
import io.trapscope.recorder.trace.BlockCursor;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.StreamParts;
import io.trapscope.recorder.trace.TraceEnd;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;

/**
 * A trace in memory, a stream a vCPU, whose events the test writes: an analysis without files.
 * Times must lie below 2^32.
 */
public final class MemoryTrace implements TraceReader {
  /** Wall clock of trace time 0: 2026-01-02T03:04:05Z. */
  public static final long EPOCH = 1_767_323_045_000_000_000L;

  /** Those of vCPUs, and behind them the one of everything else, where there is any. */
  private final List<Stream> streams = new ArrayList<>();

  private final int vcpus;
  private Stream other;
  private boolean ramKnown = true;
  private int mostParts = 1;
  private Random borders = new Random(0);

  /** A trace with this many streams, vCPU 0 and up. */
  public MemoryTrace(int vcpus) {
    this.vcpus = vcpus;
    for (int i = 0; i < vcpus; i++) {
      streams.add(new Stream(i));
    }
  }

  /**
   * Appends an event; {@code fill} has to put TIME.
   *
   * @param vcpu {@link EventReader#NO_VCPU} for an event that belongs to none
   */
  public MemoryTrace add(int vcpu, EventType type, Consumer<EventWriter> fill) {
    if (vcpu == EventReader.NO_VCPU && other == null) {
      other = new Stream(vcpu);
      streams.add(other);
    }
    of(vcpu).add(type, fill);
    return this;
  }

  private Stream of(int vcpu) {
    return vcpu == EventReader.NO_VCPU ? other : streams.get(vcpu);
  }

  /** Of a guest that was attached to: the header says nothing of its memory. */
  public MemoryTrace withoutRam() {
    ramKnown = false;
    return this;
  }

  /** Cuts each stream anew into up to {@code most} parts anywhere, each time it is asked. */
  public MemoryTrace cutInto(int most, long seed) {
    mostParts = most;
    borders = new Random(seed);
    return this;
  }

  @Override
  public BlockCursor stream(int vcpu, long time) {
    return of(vcpu).cursor();
  }

  @Override
  public StreamParts parts(int vcpu, long bytes) {
    return of(vcpu).cut(1 + borders.nextInt(mostParts), borders);
  }

  @Override
  public Path directory() {
    return Path.of("memory");
  }

  @Override
  public TraceHeader header() {
    TraceHeader.Builder header = TraceHeader.builder();
    if (ramKnown) {
      header
          .region(0, "ram-low", 0, 0xa0000, "ram")
          .region(1, "ram-high", 0x100000, 0x100000, "ram");
    }
    return header
        .product("trapscope test")
        .backEnd("soft", "the test says so")
        .cpus(vcpus)
        .clocks(EPOCH + 500, 500, 0)
        .unseen(Map.of(ExitReason.HLT, "handled in the kernel", ExitReason.CPUID, "not enabled"))
        .build();
  }

  @Override
  public Optional<TraceEnd> end() {
    return Optional.empty();
  }

  @Override
  public List<Integer> streams() {
    return streams.stream().map(stream -> stream.vcpu).toList();
  }

  @Override
  public BlockCursor stream(int vcpu) {
    return of(vcpu).cursor();
  }

  /** By time, then by stream; slowly: the order is worked out before the first event. */
  @Override
  public EventCursor merged() {
    record Place(int stream, int event, long time) {}
    List<Place> places = new ArrayList<>();
    for (int i = 0; i < streams.size(); i++) {
      Cursor cursor = streams.get(i).cursor();
      while (cursor.next()) {
        places.add(new Place(i, cursor.read - 1, cursor.event().time()));
      }
    }
    places.sort(Comparator.comparingLong(Place::time).thenComparingInt(Place::stream));
    List<Cursor> cursors = streams.stream().map(Stream::cursor).toList();
    return new EventCursor() {
      private int next;
      private Cursor current;

      @Override
      public boolean next() {
        if (next == places.size()) {
          return false;
        }
        current = cursors.get(places.get(next++).stream());
        return current.next();
      }

      @Override
      public EventReader event() {
        return current.event();
      }

      @Override
      public Anomalies anomalies() {
        return new Anomalies();
      }
    };
  }

  @Override
  public Anomalies anomaliesAtEnds() {
    return anomalies();
  }

  @Override
  public Anomalies anomalies() {
    return new Anomalies();
  }

  @Override
  public long bytes() {
    return streams.stream().mapToLong(stream -> stream.end).sum();
  }

  private static final class Stream {
    final int vcpu;
    private final EventWriter writer = new EventWriter();
    private ByteBuffer buffer = little(1 << 16);
    private int end;
    private int count;

    Stream(int vcpu) {
      this.vcpu = vcpu;
    }

    private static ByteBuffer little(int bytes) {
      return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    void add(EventType type, Consumer<EventWriter> fill) {
      if (buffer.capacity() - end < EventWriter.MAX_RECORD) {
        buffer = little(buffer.capacity() * 2).put(0, buffer, 0, end);
      }
      fill.accept(writer.begin(type));
      end = writer.writeTo(buffer.asIntBuffer(), end, count++, 0, 0);
    }

    Cursor cursor() {
      return new Cursor(buffer, vcpu, count);
    }

    StreamParts cut(int parts, Random random) {
      List<Integer> borders = new ArrayList<>(List.of(0, count));
      for (int i = 1; i < parts; i++) {
        borders.add(random.nextInt(count + 1));
      }
      borders.sort(null);
      return new StreamParts() {
        @Override
        public int size() {
          return parts;
        }

        @Override
        public long bytes(int part) {
          return 1;
        }

        @Override
        public BlockCursor cursor(int part) {
          Cursor cursor = new Cursor(buffer, vcpu, borders.get(part + 1));
          while (cursor.read < borders.get(part)) {
            cursor.next();
          }
          return cursor;
        }

        @Override
        public Optional<Anomalies> anomalies() {
          return Optional.of(new Anomalies());
        }
      };
    }
  }

  private static final class Cursor implements BlockCursor {
    private final EventReader reader = new EventReader();
    private final ByteBuffer buffer;
    private final int vcpu;
    private final int count;
    private int offset;
    private int read;

    Cursor(ByteBuffer buffer, int vcpu, int count) {
      this.buffer = buffer;
      this.vcpu = vcpu;
      this.count = count;
      reader.batch(buffer, vcpu, 0, 0);
    }

    @Override
    public boolean next() {
      if (read == count) {
        return false;
      }
      int head = EventReader.head(buffer, offset);
      reader.record(offset, head, read++);
      offset += EventReader.length(head);
      return true;
    }

    @Override
    public boolean next(EventBlock block) {
      block.batch(buffer, vcpu, 0, 0);
      while (read < count && block.size() < EventBlock.CAPACITY) {
        int head = EventReader.head(buffer, offset);
        block.add(offset, head, read++);
        offset += EventReader.length(head);
      }
      return block.size() > 0;
    }

    @Override
    public EventReader event() {
      return reader;
    }

    @Override
    public Anomalies anomalies() {
      return new Anomalies();
    }
  }
}
