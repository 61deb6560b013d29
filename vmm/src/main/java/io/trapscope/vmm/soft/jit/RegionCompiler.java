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
  private static final int IDLE_SECONDS = 2;

  private final Queue<Finished> finished = new ConcurrentLinkedQueue<>();
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
          },
          new ThreadPoolExecutor.DiscardPolicy());

  public RegionCompiler() {
    worker.allowCoreThreadTimeOut(true);
  }

  @Override
  public void request(Block block) {
    Region region = new Region(block);
    worker.execute(
        () -> {
          Code code = Generator.generate(region);
          finished.add(new Finished(block, code, region.blocks));
        });
  }

  @Override
  public Finished poll() {
    return finished.poll();
  }
}
