package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.RunEnd;
import java.nio.file.Path;

/** Records and reads a small trace. */
final class FootprintMain {
  private FootprintMain() {}

  /** Argument: the trace's directory. */
  public static void main(String[] args) throws Exception {
    Path dir = Path.of(args[0]);
    try (TraceWriter writer = TraceWriter.create(dir, false, TestTraces.header(1))) {
      for (int i = 0; i < 1000; i++) {
        TestTraces.write(writer.vcpu(0), i);
      }
      System.out.print("recorded " + writer.events());
      writer.finish(RunEnd.HALTED, 0, "");
    }
    long[] read = {0};
    TraceReader.open(dir).merged().forEach(event -> read[0]++);
    System.out.println(", read " + read[0]);
  }
}
