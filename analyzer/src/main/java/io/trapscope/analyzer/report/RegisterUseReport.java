package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.tally.Part;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What accesses to device registers and MSRs were good for, from their values: {@code poll_loops},
 * {@code unchanged_accesses} and {@code combinable_accesses}.
 */
public final class RegisterUseReport implements Report {
  /** Rows for people. */
  private static final int TOP = 10;

  @Override
  public String name() {
    return "register_use";
  }

  @Override
  public String meaning() {
    return "poll loops, accesses that change nothing, sequences that could be one access";
  }

  @Override
  public Set<Part> needs() {
    return EnumSet.of(Part.SITES, Part.ACCESSES);
  }

  @Override
  public List<Table> tables(Findings found) {
    return List.of(
        PollLoops.table(found, Integer.MAX_VALUE),
        UnchangedAccesses.table(found, Integer.MAX_VALUE),
        CombinableAccesses.table(found, Integer.MAX_VALUE));
  }

  @Override
  public List<Table> summary(Findings found) {
    return List.of(
        PollLoops.table(found, TOP),
        UnchangedAccesses.table(found, TOP),
        CombinableAccesses.table(found, TOP));
  }
}
