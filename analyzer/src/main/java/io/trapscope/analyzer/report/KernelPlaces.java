package io.trapscope.analyzer.report;

import io.trapscope.analyzer.symbols.ExitInstruction;
import io.trapscope.analyzer.symbols.ExitPlace;
import io.trapscope.analyzer.tally.Site;
import io.trapscope.analyzer.tally.Sites;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The places of a guest's kernel that exit, as far as it is known by which instruction. */
public final class KernelPlaces {
  /** More make an answer slower, not surer. */
  private static final int MOST = 4096;

  private KernelPlaces() {}

  /** The places among these sites, each once, those with most exits first. */
  public static List<ExitPlace> of(Sites sites) {
    if (!sites.coarseness().isEmpty()) {
      return List.of(); // a page is no place of an instruction
    }
    Set<ExitPlace> places = new LinkedHashSet<>();
    sites.sites().stream()
        .filter(site -> site.hasRip() && !site.isUser())
        .sorted(
            Comparator.comparingLong((Site site) -> -site.sums().count())
                .thenComparingLong(Site::rip)
                .thenComparingLong(Site::meta))
        .forEach(
            site -> instruction(site).ifPresent(it -> places.add(new ExitPlace(site.rip(), it))));
    return places.stream().limit(MOST).toList();
  }

  private static Optional<ExitInstruction> instruction(Site site) {
    EventType type = site.type();
    if (type == EventType.PIO) {
      return directed(site, ExitInstruction.IN, ExitInstruction.OUT);
    }
    if (type == EventType.MSR) {
      return directed(site, ExitInstruction.RDMSR, ExitInstruction.WRMSR);
    }
    if (type == EventType.CPUID) {
      return Optional.of(ExitInstruction.CPUID);
    }
    if (type == EventType.HLT) {
      return Optional.of(ExitInstruction.HLT);
    }
    if (type == EventType.HYPERCALL && site.reason() == ExitReason.VMCALL.code()) {
      return Optional.of(ExitInstruction.HYPERCALL);
    }
    return type == EventType.CR_ACCESS ? Optional.of(ExitInstruction.MOV_CR) : Optional.empty();
  }

  private static Optional<ExitInstruction> directed(
      Site site, ExitInstruction read, ExitInstruction write) {
    return site.direction() == 0
        ? Optional.empty()
        : Optional.of(site.direction() == 1 ? read : write);
  }
}
