package io.trapscope.recorder.trace;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.RunEnd;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.wire.DocumentContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What we write is a Chronicle Queue: its own tailer finds every batch. */
class ChronicleTailerTest {
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
              bytes,
              0,
              batch.getLong(TraceFormat.BASE_TIME),
              batch.getLong(TraceFormat.BASE_INSTRUCTIONS));
          for (int at = TraceFormat.BATCH_HEADER_BYTES; at < bytes.length; ) {
            int head = EventReader.head(bytes, at);
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
}
