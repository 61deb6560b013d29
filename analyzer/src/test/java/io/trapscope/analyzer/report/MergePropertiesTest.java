package io.trapscope.analyzer.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.pipeline.RandomTrace;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableText;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/**
 * Wherever streams are cut and however many threads read the parts, every table of every report is
 * the one that a single pass over whole streams gives.
 */
class MergePropertiesTest {

  @Property(tries = 150)
  void partsMergeToTheWhole(
      @ForAll long seed,
      @ForAll boolean attached,
      @ForAll @IntRange(max = 400) int events,
      @ForAll @IntRange(min = 1, max = 3) int vcpus,
      @ForAll @IntRange(min = 1, max = 12) int parts,
      @ForAll @IntRange(min = 1, max = 4) int threads) {
    MemoryTrace trace = RandomTrace.of(seed, vcpus, events);
    if (attached) {
      trace.withoutRam();
    }
    String whole = tables(trace, 1);
    assertThat(tables(trace.cutInto(parts, seed), threads)).isEqualTo(whole);
  }

  private static String tables(MemoryTrace trace, int threads) {
    StringBuilder text = new StringBuilder();
    Results results = Analysis.run(trace, Reports.all(), threads);
    for (List<Table> tables : List.of(results.tables(), results.summary())) {
      tables.forEach(table -> text.append(new TableText(0, 0).render(table)));
    }
    return text.toString();
  }
}
