package io.trapscope.analyzer.pipeline;

import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.report.TraceFacts;
import io.trapscope.recorder.trace.TraceReader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/** Runs reports over a trace: one pass for all of them. */
public final class Analysis {
  private Analysis() {}

  /**
   * Reads every stream once and gives every report's accumulator the events it needs. Streams are
   * spread over threads; the result is the same for any number of them.
   *
   * <p>Tables with a row an event are not made here: {@link Results#write} streams them into files,
   * so that the first answer does not wait for a disk.
   *
   * @param threads most threads to use, 1 or more
   */
  public static Results run(TraceReader trace, List<Report> reports, int threads) {
    int workers = Math.max(1, Math.min(threads, trace.streams().size()));
    TraceFacts facts = TraceFacts.of(trace);
    Dispatcher whole = new Dispatcher(reports, facts);
    AtomicInteger nextStream = new AtomicInteger();
    if (workers == 1) {
      drain(trace, nextStream, whole);
      return new Results(trace, reports, whole);
    }
    ExecutorService pool = Executors.newFixedThreadPool(workers - 1);
    try {
      List<Future<Dispatcher>> others = new ArrayList<>();
      for (int i = 1; i < workers; i++) {
        Dispatcher part = new Dispatcher(reports, facts);
        others.add(
            pool.submit(
                () -> {
                  drain(trace, nextStream, part);
                  return part;
                }));
      }
      drain(trace, nextStream, whole);
      for (Future<Dispatcher> other : others) {
        whole.merge(result(other));
      }
    } finally {
      pool.shutdownNow();
    }
    return new Results(trace, reports, whole);
  }

  private static void drain(TraceReader trace, AtomicInteger nextStream, Dispatcher into) {
    int stream = nextStream.getAndIncrement();
    while (stream < trace.streams().size()) {
      into.drain(trace.stream(trace.streams().get(stream)));
      stream = nextStream.getAndIncrement();
    }
  }

  private static Dispatcher result(Future<Dispatcher> part) {
    try {
      return part.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while reading the trace", e);
    }
  }
}
