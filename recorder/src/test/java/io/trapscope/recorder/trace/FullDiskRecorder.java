package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.RunEnd;
import java.nio.file.Path;

/** Fills a file system with a trace of three streams, then reads the trace. */
final class FullDiskRecorder {
  private FullDiskRecorder() {}

  /** Argument: a directory on a small file system. */
  public static void main(String[] args) throws Exception {
    Path dir = Path.of(args[0], "t");
    TraceEnd end;
    try (TraceWriter writer = TraceWriter.create(dir, false, TestTraces.header(2))) {
      long n = 0;
      while (writer.lost() < 100_000) {
        TestTraces.write(writer.vcpu(0), n);
        TestTraces.write(writer.vcpu(1), n);
        TestTraces.write(writer.other(), n);
        n++;
      }
      end = writer.finish(RunEnd.HALTED, 0, "");
    }
    System.out.println(end.streams());
    long[] seen = {0};
    EventCursor cursor = TraceReader.open(dir).merged();
    cursor.forEach(event -> seen[0]++);
    System.out.println(seen[0] + " read, " + cursor.anomalies());
    if (seen[0] != end.events() || end.lost() < 100_000 || end.events() < 10_000) {
      System.exit(1);
    }
    System.out.println("all kept events read back");
  }
}
