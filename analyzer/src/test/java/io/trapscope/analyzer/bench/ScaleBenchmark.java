package io.trapscope.analyzer.bench;

import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceReader;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Makes reports of a trace of any size, a line a round: events a second, events a second of
 * processor time, and the most heap that was in use.
 *
 * <p>Usage: ScaleBenchmark TRACE THREADS ROUNDS [REPORT...]
 */
public final class ScaleBenchmark {
  private ScaleBenchmark() {}

  public static void main(String[] arguments) throws TraceException {
    TraceReader trace = TraceReader.open(Path.of(arguments[0]));
    int threads = Integer.parseInt(arguments[1]);
    int rounds = Integer.parseInt(arguments[2]);
    List<Report> reports =
        arguments.length == 3
            ? Reports.all()
            : Arrays.stream(arguments).skip(3).map(Reports::named).toList();
    for (int round = 1; round <= rounds; round++) {
      long cpu = cpuNanos();
      long start = System.nanoTime();
      Results results = Analysis.run(trace, reports, threads);
      results.tables();
      results.summary();
      long events = results.info().events();
      double seconds = (System.nanoTime() - start) / 1e9;
      double cpuSeconds = (cpuNanos() - cpu) / 1e9;
      System.out.printf(
          Locale.ROOT,
          "round %d: %,d events, %d threads, %.2f s, %.1f M events/s, %.1f M events/CPU s,"
              + " heap %d MiB%n",
          round,
          events,
          threads,
          seconds,
          events / seconds / 1e6,
          events / cpuSeconds / 1e6,
          heapPeak() >> 20);
    }
  }

  private static long cpuNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static long heapPeak() {
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .filter(pool -> pool.getType() == MemoryType.HEAP)
        .map(MemoryPoolMXBean::getPeakUsage)
        .mapToLong(usage -> usage.getUsed())
        .sum();
  }
}
