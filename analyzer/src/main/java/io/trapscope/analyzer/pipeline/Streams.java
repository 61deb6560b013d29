package io.trapscope.analyzer.pipeline;

import io.trapscope.analyzer.tally.Pass;
import io.trapscope.recorder.trace.Anomalies;
import io.trapscope.recorder.trace.BlockCursor;
import io.trapscope.recorder.trace.StreamParts;
import io.trapscope.recorder.trace.TraceReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/**
 * Reads all streams of a trace with several threads. Streams are cut into parts; each part is
 * counted by a pass of its own, and passes are merged in the order of streams and parts. A thread
 * that has counted a part merges it if its turn has come, and else leaves it to the thread that
 * counts the part before it. At most a few parts wait, so that memory stays bounded.
 */
final class Streams {
  /** Parts are no smaller: each costs a merge, about a millisecond. */
  private static final long LEAST_BYTES = 8 << 20;

  /** Nor larger, so that threads end at the same time. */
  private static final long MOST_BYTES = 256 << 20;

  /** Into how many parts a trace is cut between these limits. */
  private static final int PARTS = 16;

  private record Unit(int stream, int part) {}

  private final TraceReader trace;
  private final Supplier<Pass> newPass;
  private final Progress progress;
  private final List<Integer> streams;
  private final List<StreamParts> parts = new ArrayList<>();
  private final List<Unit> units = new ArrayList<>();
  private final Anomalies anomalies = new Anomalies();

  // Guarded by this.
  private int next;
  private int merged;
  private final Map<Integer, Pass> waiting = new HashMap<>();
  private Pass stream;
  private Pass whole;
  private long bytesDone;
  private long bytes;
  private boolean failed;

  Streams(TraceReader trace, Supplier<Pass> newPass, Progress progress) {
    this.trace = trace;
    this.newPass = newPass;
    this.progress = progress;
    this.streams = trace.streams();
  }

  /** Reads everything. */
  Pass read(int threads) {
    long size = Math.max(LEAST_BYTES, Math.min(MOST_BYTES, trace.bytes() / PARTS));
    whole = newPass.get();
    for (int i = 0; i < streams.size(); i++) {
      StreamParts cut = trace.parts(streams.get(i), size);
      parts.add(cut);
      for (int part = 0; part < cut.size(); part++) {
        units.add(new Unit(i, part));
        bytes += cut.bytes(part);
      }
    }
    int workers = Math.max(1, Math.min(threads, units.size()));
    if (workers == 1) {
      work(1);
    } else {
      work(workers, Executors.newFixedThreadPool(workers - 1));
    }
    anomalies.addAll(trace.anomalies());
    whole.finish();
    return whole;
  }

  /** What was wrong with the streams and with the trace as a whole. */
  Anomalies anomalies() {
    return anomalies;
  }

  private void work(int workers, ExecutorService pool) {
    try {
      List<Future<?>> others = new ArrayList<>();
      for (int i = 1; i < workers; i++) {
        others.add(pool.submit(() -> work(workers)));
      }
      work(workers);
      for (Future<?> other : others) {
        other.get();
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while reading the trace", e);
    } finally {
      pool.shutdownNow();
    }
  }

  /** Takes one part after the other until there are none. */
  private void work(int workers) {
    try {
      int unit = take(workers);
      while (unit >= 0) {
        Unit which = units.get(unit);
        Pass pass = newPass.get();
        pass.drain(parts.get(which.stream).cursor(which.part));
        give(unit, pass);
        unit = take(workers);
      }
    } catch (RuntimeException | Error e) {
      synchronized (this) {
        failed = true;
        notifyAll();
      }
      throw e;
    }
  }

  /** The next part to count; -1 where there is none. Waits while too many are ahead. */
  private synchronized int take(int workers) {
    while (!failed && next < units.size() && next - merged >= 2 * workers) {
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while reading the trace", e);
      }
    }
    return failed || next == units.size() ? -1 : next++;
  }

  private synchronized void give(int unit, Pass pass) {
    waiting.put(unit, pass);
    for (Pass due = waiting.remove(merged); due != null; due = waiting.remove(merged)) {
      merge(units.get(merged), due);
      merged++;
    }
    notifyAll();
  }

  /** Merges the part whose turn it is into its stream, and the stream into the whole at its end. */
  private void merge(Unit unit, Pass pass) {
    StreamParts cut = parts.get(unit.stream);
    if (unit.part == 0) {
      stream = pass;
    } else {
      stream.merge(pass);
    }
    bytesDone += cut.bytes(unit.part);
    progress.at(bytesDone, bytes);
    if (unit.part == cut.size() - 1) {
      Optional<Anomalies> found = cut.anomalies();
      if (found.isEmpty()) {
        // Damage lies across a border: only one reader of the whole stream sees what is there.
        BlockCursor again = trace.stream(streams.get(unit.stream));
        stream = newPass.get();
        stream.drain(again);
        found = Optional.of(again.anomalies());
      }
      anomalies.addAll(found.orElseThrow());
      whole.merge(stream);
      stream = null;
      parts.set(unit.stream, null);
    }
  }
}
