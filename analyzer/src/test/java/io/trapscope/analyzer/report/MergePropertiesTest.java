package io.trapscope.analyzer.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableText;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.trace.EventCursor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Whatever way events are divided among accumulators, merging them gives what one would give. */
class MergePropertiesTest {
  private static final ExitReason[] REASONS = ExitReason.values();

  @Property(tries = 50)
  void partsMergeToTheWhole(
      @ForAll long seed,
      @ForAll @IntRange(max = 200) int events,
      @ForAll @IntRange(min = 1, max = 6) int parts) {
    Random random = new Random(seed);
    MemoryTrace trace = new MemoryTrace(3);
    for (int i = 0; i < events; i++) {
      addEvent(trace, i, random);
    }
    for (Report report : Reports.known()) {
      TraceFacts facts = TraceFacts.of(trace);
      if (report.accumulator(facts).isPresent()) {
        String whole = tables(accumulate(report, trace, 1, random));
        String merged = tables(accumulate(report, trace, parts, random));
        assertThat(merged).isEqualTo(whole);
      }
    }
  }

  private static Accumulator accumulate(
      Report report, MemoryTrace trace, int parts, Random random) {
    List<Accumulator> accumulators = new ArrayList<>();
    for (int i = 0; i < parts; i++) {
      accumulators.add(report.accumulator(TraceFacts.of(trace)).orElseThrow());
    }
    for (int vcpu : trace.streams()) {
      EventCursor cursor = trace.stream(vcpu);
      while (cursor.next()) {
        if (report.needs().contains(cursor.event().type())) {
          accumulators.get(random.nextInt(parts)).accept(cursor.event());
        }
      }
    }
    while (accumulators.size() > 1) {
      Accumulator taken = accumulators.remove(random.nextInt(accumulators.size()));
      accumulators.get(random.nextInt(accumulators.size())).merge(taken);
    }
    return accumulators.get(0);
  }

  private static void addEvent(MemoryTrace trace, int time, Random random) {
    boolean fault = random.nextInt(3) == 0;
    trace.add(
        random.nextInt(3),
        fault ? EventType.EPT_FAULT : EventType.EXIT,
        event -> {
          event.put(Field.TIME, time);
          event.put(Field.REASON, REASONS[random.nextInt(REASONS.length)].code());
          maybe(event, Field.GUEST_TIME, random.nextLong() >>> 20, random);
          maybe(event, Field.LOOP_TIME, random.nextInt(5000), random);
          maybe(event, Field.DEVICE_TIME, random.nextInt(5000), random);
          if (fault) {
            maybe(event, Field.REGION, random.nextInt(4), random);
            maybe(event, Field.QUALIFICATION, random.nextInt(8), random);
            maybe(event, Field.EPT_PAGE, random.nextBoolean() ? 12 : 21, random);
            maybe(event, Field.FIRST_TOUCH, random.nextInt(2), random);
          }
        });
  }

  private static void maybe(EventWriter event, Field field, long value, Random random) {
    if (random.nextInt(4) != 0) {
      event.put(field, value);
    }
  }

  private static String tables(Accumulator accumulator) {
    StringBuilder text = new StringBuilder();
    for (Table table : accumulator.tables()) {
      text.append(new TableText(0, 0).render(table));
    }
    for (Table table : accumulator.summary()) {
      text.append(new TableText(0, 0).render(table));
    }
    return text.toString();
  }
}
