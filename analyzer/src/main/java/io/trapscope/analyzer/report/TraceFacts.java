package io.trapscope.analyzer.report;

import io.trapscope.analyzer.platform.Platform;
import io.trapscope.analyzer.symbols.SymbolTable;
import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceReader;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What reports need to know about a trace besides its events.
 *
 * @param wallClockOffset ns to add to a time of the trace's clock to get ns since 1970-01-01 UTC
 * @param start when the run began, on the trace's clock: with the guest time before the first exit
 * @param vcpus number of vCPUs
 * @param ramEnd first guest-physical address behind all RAM
 * @param regions names of the machine's memory regions, by the id that events carry
 * @param counters what the host's counters have gained while it was recorded
 * @param platform names of devices and registers
 * @param notes what else the header says
 * @param symbols names of guest addresses
 */
public record TraceFacts(
    long wallClockOffset,
    long start,
    int vcpus,
    long ramEnd,
    Map<Integer, String> regions,
    List<Counter> counters,
    Platform platform,
    Map<String, String> notes,
    SymbolTable symbols) {
  public TraceFacts {
    regions = Map.copyOf(regions);
    counters = List.copyOf(counters);
    notes = Map.copyOf(notes);
  }

  /** The facts that a trace's header and footer state, without names of guest addresses. */
  public static TraceFacts of(TraceReader trace) {
    return of(trace, SymbolTable.EMPTY);
  }

  /** The facts that a trace's header, footer and first events state. */
  public static TraceFacts of(TraceReader trace, SymbolTable symbols) {
    TraceHeader header = trace.header();
    Map<Integer, String> regions = new HashMap<>();
    header.regions().forEach(region -> regions.put(region.id(), region.name()));
    long ramEnd =
        header.regions().stream()
            .filter(region -> region.kind().equals("ram"))
            .mapToLong(region -> region.gpa() + region.bytes())
            .max()
            .orElse(header.memoryBytes());
    List<Counter> counters =
        trace.end().map(end -> Counter.change(header.counters(), end.counters())).orElse(List.of());
    return new TraceFacts(
        header.clocks().epochNanos(0),
        start(trace),
        Math.max(1, header.cpus()),
        ramEnd,
        regions,
        counters,
        Platform.of(header),
        header.notes(),
        symbols);
  }

  /** Making the machine takes a while and is no part of the run: its first event tells. */
  private static long start(TraceReader trace) {
    long start = Long.MAX_VALUE;
    for (int vcpu : trace.streams()) {
      EventCursor cursor = trace.stream(vcpu);
      if (cursor.next()) {
        EventReader event = cursor.event();
        long guest = event.isExit() ? event.get(Field.GUEST_TIME, 0) : 0;
        long before = guest >= 0 && guest < event.time() ? guest : 0;
        start = Math.min(start, event.time() - before);
      }
    }
    return start == Long.MAX_VALUE ? trace.header().clocks().monotonicNanos() : start;
  }

  /** The same with other counters. */
  public TraceFacts withCounters(List<Counter> gained) {
    return new TraceFacts(
        wallClockOffset, start, vcpus, ramEnd, regions, gained, platform, notes, symbols);
  }

  /** The same with other names of guest addresses. */
  public TraceFacts withSymbols(SymbolTable names) {
    return new TraceFacts(
        wallClockOffset, start, vcpus, ramEnd, regions, counters, platform, notes, names);
  }

  /** How the guest was started; empty where the trace does not tell. */
  public String protocol() {
    return notes.getOrDefault("protocol", "");
  }

  /** Name of the memory region with this id, or "region N" where the trace names none. */
  public String region(int id) {
    String name = regions.get(id);
    return name == null ? "region " + id : name;
  }
}
