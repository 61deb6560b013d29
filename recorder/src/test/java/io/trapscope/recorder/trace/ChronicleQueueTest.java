package io.trapscope.recorder.trace;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.RunEnd;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.queue.rollcycles.LargeRollCycles;
import net.openhft.chronicle.wire.DocumentContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What we write is a Chronicle Queue: the bytes are its own, and its tailer finds every batch. */
class ChronicleQueueTest {
  @TempDir Path temp;

  @Test
  void chroniclesTailerReadsEveryBatch() throws Exception {
    int n = 100_000;
    Path dir = temp.resolve("t");
    try (TraceWriter writer = TraceWriter.create(dir, false, TestTraces.header(1))) {
      for (int i = 0; i < n; i++) {
        TestTraces.write(writer.vcpu(0), i);
      }
      writer.finish(RunEnd.HALTED, 0, "");
    }
    long seen = 0;
    EventReader event = new EventReader();
    try (SingleChronicleQueue queue =
            SingleChronicleQueueBuilder.binary(dir.resolve("vcpu-0")).build();
        ExcerptTailer tailer = queue.createTailer()) {
      while (true) {
        try (DocumentContext document = tailer.readingDocument()) {
          if (!document.isPresent()) {
            break;
          }
          byte[] bytes = new byte[(int) document.wire().bytes().readRemaining()];
          document.wire().bytes().read(bytes);
          ByteBuffer batch = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
          assertThat(batch.getInt(0)).isEqualTo(TraceFormat.MAGIC);
          assertThat(batch.getLong(TraceFormat.SEQUENCE)).isEqualTo(seen);
          event.batch(
              batch,
              0,
              batch.getLong(TraceFormat.BASE_TIME),
              batch.getLong(TraceFormat.BASE_INSTRUCTIONS));
          for (int at = TraceFormat.BATCH_HEADER_BYTES; at < bytes.length; ) {
            int head = EventReader.head(batch, at);
            assertThat(event.record(at, head, seen)).isTrue();
            assertThat(TestTraces.check(event, seen)).isTrue();
            at += EventReader.length(head);
            seen++;
          }
        }
      }
    }
    assertThat(seen).isEqualTo(n);
  }

  /** Enough documents for a second index, whose place is odd, and a few more. */
  private static final int DOCUMENTS = 17_000;

  private static final long TODAY = 1_700_000_000_000L;

  @ParameterizedTest
  @ValueSource(ints = {1, 256, 257, 16_385, DOCUMENTS})
  void filesAreByteForByteWhatChronicleWrites(int documents) throws Exception {
    Path theirs = temp.resolve("theirs");
    Path ours = temp.resolve("ours");
    try (SingleChronicleQueue queue = chronicle(theirs);
        ExcerptAppender appender = queue.createAppender();
        QueueFile file = new QueueFile(ours, TODAY, QueueFile::writeZeros)) {
      Random random = new Random(documents);
      for (int i = 0; i < documents; i++) {
        byte[] bytes = new byte[1 + random.nextInt(40)];
        random.nextBytes(bytes);
        try (DocumentContext document = appender.writingDocument()) {
          document.wire().bytes().write(bytes);
        }
        int at = file.open(100);
        file.window().put(at, bytes);
        file.finish(bytes.length);
      }
    }
    for (String name : List.of("20231114L.cq4", "metadata.cq4t")) {
      byte[] expected = Files.readAllBytes(theirs.resolve(name));
      byte[] written = Files.readAllBytes(ours.resolve(name));
      // Chronicle takes room ahead and leaves it there.
      byte[] padded = Arrays.copyOf(written, expected.length);
      assertThat(Arrays.mismatch(padded, expected)).as("first difference in " + name).isEqualTo(-1);
    }
  }

  @Test
  void chronicleFindsDocumentsByNumber() throws Exception {
    Path dir = temp.resolve("queue");
    try (QueueFile file = new QueueFile(dir, TODAY, QueueFile::writeZeros)) {
      for (int i = 0; i < DOCUMENTS; i++) {
        int at = file.open(1 << 10);
        file.window().putInt(at, i);
        file.finish(1 << 10);
      }
      file.open(100);
    }
    try (SingleChronicleQueue queue = chronicle(dir);
        ExcerptTailer tailer = queue.createTailer()) {
      long first = queue.firstIndex();
      assertThat(queue.lastIndex() - first).isEqualTo(DOCUMENTS - 1);
      for (int i = 0; i < DOCUMENTS; i += 123) {
        assertThat(tailer.moveToIndex(first + i)).isTrue();
        try (DocumentContext document = tailer.readingDocument()) {
          assertThat(document.wire().bytes().readInt()).isEqualTo(i);
        }
      }
    }
  }

  private static SingleChronicleQueue chronicle(Path directory) {
    return SingleChronicleQueueBuilder.binary(directory)
        .rollCycle(LargeRollCycles.LARGE_DAILY)
        .indexCount(64)
        .indexSpacing(256)
        .timeProvider(() -> TODAY)
        .build();
  }
}
