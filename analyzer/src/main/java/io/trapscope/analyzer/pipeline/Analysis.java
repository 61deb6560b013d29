package io.trapscope.analyzer.pipeline;

import io.trapscope.analyzer.report.EventFilter;
import io.trapscope.analyzer.report.KernelPlaces;
import io.trapscope.analyzer.report.Report;
import io.trapscope.analyzer.report.TraceFacts;
import io.trapscope.analyzer.symbols.SymbolTable;
import io.trapscope.analyzer.tally.Part;
import io.trapscope.analyzer.tally.Pass;
import io.trapscope.analyzer.tally.Tally;
import io.trapscope.analyzer.tally.TimeAxis;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.trace.TraceReader;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Runs reports over a trace: one pass for all of them.
 *
 * <pre>{@code
 * Results results = Analysis.of(trace).reports(Reports.all()).threads(2).run();
 * }</pre>
 */
public final class Analysis {
  private final TraceReader trace;
  private List<Report> reports = List.of();
  private Supplier<SymbolTable> symbols = () -> SymbolTable.EMPTY;
  private int threads = 1;
  private long bucket;
  private Progress progress = (done, all) -> {};

  private Analysis(TraceReader trace) {
    this.trace = trace;
  }

  /** An analysis of this trace, without reports, on one thread. */
  public static Analysis of(TraceReader trace) {
    return new Analysis(trace);
  }

  /** Runs these reports, on {@code threads} threads at most. */
  public static Results run(TraceReader trace, List<Report> reports, int threads) {
    return of(trace).reports(reports).threads(threads).run();
  }

  /** What is asked. */
  public Analysis reports(List<Report> asked) {
    reports = List.copyOf(asked);
    return this;
  }

  /** Names of guest addresses as they are linked; where they run is found from the exits. */
  public Analysis symbols(SymbolTable names) {
    return symbols(() -> names);
  }

  /** The same, read while the trace is, where a report needs names; not at all where none does. */
  public Analysis symbols(Supplier<SymbolTable> names) {
    symbols = names;
    return this;
  }

  /** Most threads to use, 1 or more; the results are the same for any number. */
  public Analysis threads(int most) {
    threads = Math.max(1, most);
    return this;
  }

  /** Length of a timeline's buckets in ns; by itself as short as makes sense. */
  public Analysis bucket(long nanos) {
    bucket = nanos;
    return this;
  }

  /** Who is told how far the pass is, and later how far the tables with a row an event are. */
  public Analysis progress(Progress listener) {
    progress = listener;
    return this;
  }

  /**
   * Reads every stream once, in parts spread over threads, and makes the tables.
   *
   * <p>Tables with a row an event are not made here: {@link Results#write} streams them into files,
   * so that the first answer does not wait for a disk.
   */
  public Results run() {
    Map<EventFilter, Set<Part>> needs = new LinkedHashMap<>();
    needs.put(EventFilter.ALL, EnumSet.noneOf(Part.class));
    if (reports.stream().anyMatch(report -> report.needs().contains(Part.SITES))) {
      needs.get(EventFilter.ALL).add(Part.SITES); // a kernel's offset is found from all exits
    }
    for (Report report : reports) {
      needs
          .computeIfAbsent(report.where(), absent -> EnumSet.noneOf(Part.class))
          .addAll(report.needs());
      for (EventFilter first : report.firstOf()) {
        needs.computeIfAbsent(first, absent -> EnumSet.noneOf(Part.class)).add(Part.SITES);
      }
    }
    CompletableFuture<SymbolTable> reading =
        needs.get(EventFilter.ALL).contains(Part.SITES)
            ? CompletableFuture.supplyAsync(symbols)
            : CompletableFuture.completedFuture(SymbolTable.EMPTY);
    TraceFacts facts = TraceFacts.of(trace);
    TimeAxis axis = bucket == 0 ? TimeAxis.from(facts.start()) : TimeAxis.of(facts.start(), bucket);
    List<Pass.Order> orders = new ArrayList<>();
    needs.forEach(
        (where, parts) ->
            orders.add(new Pass.Order(parts, predicate(where, facts), axis, facts.ramEnd())));
    Streams streams = new Streams(trace, () -> new Pass(orders), progress);
    Pass pass = streams.read(threads);
    Map<EventFilter, Tally> tallies = new LinkedHashMap<>();
    List<Tally> counted = pass.tallies();
    for (EventFilter where : needs.keySet()) {
      tallies.put(where, counted.get(tallies.size()));
    }
    SymbolTable names = names(reading, tallies.get(EventFilter.ALL));
    TraceInfo info = TraceInfo.of(trace, streams.anomalies(), pass.events(), pass.exits());
    return new Results(trace, reports, info, facts.withSymbols(names), tallies, progress);
  }

  private static SymbolTable names(CompletableFuture<SymbolTable> reading, Tally all) {
    try {
      SymbolTable linked = reading.join();
      return all.sites() == null ? linked : linked.relocated(KernelPlaces.of(all.sites()));
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private static Predicate<EventReader> predicate(EventFilter where, TraceFacts facts) {
    return where == EventFilter.ALL ? null : event -> where.passes(event, facts);
  }
}
