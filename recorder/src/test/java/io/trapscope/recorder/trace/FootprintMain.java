package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.RunEnd;
import java.nio.file.Path;

/** Records and reads a small trace, or only reads one. */
final class FootprintMain {
  private FootprintMain() {}

  /** Arguments: {@code record} or {@code read}, a trace directory. */
  public static void main(String[] args) throws Exception {
    Path dir = Path.of(args[1]);
    if (args[0].equals("record")) {
      try (TraceWriter writer = TraceWriter.create(dir, false, TestTraces.header(1))) {
        for (int i = 0; i < 1000; i++) {
          TestTraces.write(writer.vcpu(0), i);
        }
        System.out.print("recorded " + writer.events());
        writer.finish(RunEnd.HALTED, 0, "");
      }
    }
    long[] read = {0};
    TraceReader.open(dir).merged().forEach(event -> read[0]++);
    System.out.println(", read " + read[0]);
  }
}
