package io.trapscope.recorder.trace;

import java.io.DataOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/**
 * Records until it is killed. Prints how many events each of its two streams holds, as two longs,
 * after they were committed: what it has printed has to be in the trace, whatever happens next.
 */
final class KilledRecorder {
  private KilledRecorder() {}

  /** Arguments: trace directory, seed. */
  public static void main(String[] args) throws Exception {
    Random random = new Random(Long.parseLong(args[1]));
    // Some recorders tell each event, some write whole batches in between.
    int burst = 1 << random.nextInt(14);
    long pause = random.nextInt(3) * 50_000L;
    try (TraceWriter writer = TraceWriter.create(Path.of(args[0]), false, TestTraces.header(2));
        DataOutputStream out = new DataOutputStream(new FileOutputStream(FileDescriptor.out))) {
      long first = 0;
      long second = 0;
      while (true) {
        out.writeLong(first);
        out.writeLong(second);
        int count = 1 + random.nextInt(burst);
        for (int i = 0; i < count; i++) {
          TestTraces.write(writer.vcpu(0), first++);
          if ((i & 3) == 0) {
            TestTraces.write(writer.vcpu(1), second++);
          }
        }
        if (pause != 0) {
          LockSupport.parkNanos(pause);
        }
      }
    }
  }
}
