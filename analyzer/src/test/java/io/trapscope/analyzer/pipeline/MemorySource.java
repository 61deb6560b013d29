package io.trapscope.analyzer.pipeline;

import io.trapscope.analyzer.report.TraceFacts;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Events in memory, a stream a vCPU, written by the test itself: an analysis without a trace. */
public final class MemorySource implements EventSource {
  /** Wall clock of trace time 0: 2026-01-02T03:04:05Z. */
  public static final long EPOCH = 1_767_323_045_000_000_000L;

  private static final Map<Integer, String> REGIONS = Map.of(0, "ram-low", 1, "ram-high");

  private final List<Stream> streams = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  /** A source with this many streams, vCPU 0 and up. */
  public MemorySource(int vcpus) {
    for (int i = 0; i < vcpus; i++) {
      streams.add(new Stream(i));
    }
  }

  /** Appends an event; {@code fill} has to put TIME. */
  public MemorySource add(int vcpu, EventType type, Consumer<EventWriter> fill) {
    streams.get(vcpu).add(type, fill);
    return this;
  }

  /** Adds a warning to what the source says of itself. */
  public MemorySource warn(String warning) {
    warnings.add(warning);
    return this;
  }

  @Override
  public TraceFacts facts() {
    return new TraceFacts(EPOCH, REGIONS);
  }

  @Override
  public TraceInfo info() {
    return new TraceInfo(Map.of("back_end", "test"), List.of("everything"), 0, warnings);
  }

  @Override
  public int streams() {
    return streams.size();
  }

  @Override
  public EventCursor open(int stream) {
    return streams.get(stream).cursor();
  }

  private static final class Stream {
    private final int vcpu;
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
      writer.wrap(buffer, end);
      fill.accept(writer.begin(type));
      end = writer.finish(count++, 0, 0);
    }

    EventCursor cursor() {
      EventReader reader = new EventReader();
      reader.batch(buffer, vcpu, 0, 0);
      return new EventCursor() {
        private int offset;
        private int read;

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
        public EventReader event() {
          return reader;
        }

        @Override
        public void close() {}
      };
    }
  }
}
