package io.trapscope.vmm.soft.jit;

import io.trapscope.vmm.soft.cpu.Block;
import io.trapscope.vmm.soft.cpu.Code;
import io.trapscope.vmm.soft.cpu.Compiler;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Generates code for regions on a daemon thread that ends when there is nothing to do for a while.
 */
public final class RegionCompiler implements Compiler {
  private static final int QUEUE = 256;

  /** Runs after which a block is compiled, and after which it is compiled with another. */
  private static final int HOT = 1000;

  private static final int WARM = 50;
  private static final int IDLE_SECONDS = 2;

  /**
   * Calls that make the JVM compile generated code before the guest runs it. The launcher has it
   * compile after the first few, and wait for it.
   */
  private static final int WARM_UP = 250;

  private final Queue<Code> finished = new ConcurrentLinkedQueue<>();
  private final ThreadPoolExecutor worker =
      new ThreadPoolExecutor(
          1,
          1,
          IDLE_SECONDS,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(QUEUE),
          task -> {
            Thread thread = new Thread(task, "soft-compiler");
            thread.setDaemon(true);
            return thread;
          });

  public RegionCompiler() {
    worker.allowCoreThreadTimeOut(true);
  }

  @Override
  public int hotAfter() {
    return HOT;
  }

  @Override
  public void request(Block block) {
    if (worker.getQueue().remainingCapacity() == 0) {
      return;
    }
    Region region = new Region(block, WARM);
    worker.execute(
        () -> {
          Code code = RegionWriter.generate(region);
          for (int i = 0; i < WARM_UP; i++) {
            code.run(null);
          }
          finished.add(code);
        });
  }

  /** Generates code now, for a block and those after it that have run {@code warm} times. */
  public static Code compile(Block block, int warm) {
    return RegionWriter.generate(new Region(block, warm));
  }

  @Override
  public Code poll() {
    return finished.poll();
  }
}
