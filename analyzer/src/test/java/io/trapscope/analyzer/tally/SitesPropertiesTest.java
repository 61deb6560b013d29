package io.trapscope.analyzer.tally;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.EventBlock;
import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** A table of sites that is too small becomes coarser the same way however exits are divided. */
class SitesPropertiesTest {
  private static final EventType[] TYPES = {
    EventType.PIO, EventType.MMIO, EventType.EPT_FAULT, EventType.HLT
  };

  /** Some exits of some types, reasons, places and registers. */
  private static List<Exit> exits(Random random, int count, int spread) {
    return Stream.generate(() -> exit(random, spread)).limit(count).toList();
  }

  private static Exit exit(Random random, int spread) {
    EventType type = TYPES[random.nextInt(TYPES.length)];
    EventLayout layout = EventLayout.of(type);
    long captured = 0;
    for (Field field : layout.fields()) {
      boolean has = layout.presenceBit(field) >= 0 && random.nextInt(10) != 0;
      captured |= has ? 1L << layout.presenceBit(field) : 0;
    }
    Exit exit = new Exit();
    exit.rip = (long) random.nextInt(spread) << random.nextInt(24);
    exit.number = (long) random.nextInt(spread) << random.nextInt(14);
    exit.what = captured << 32 | random.nextInt(3) << 24 | type.id() << 8 | 30;
    exit.time = random.nextInt(1000);
    exit.guest = random.nextInt(100);
    exit.loop = random.nextInt(100);
    return exit;
  }

  private static void add(RawSites raw, int vcpu, List<Exit> exits) {
    raw.expect(vcpu, exits.size());
    exits.forEach(raw::add);
  }

  private static Sites sites(int vcpu, List<Exit> exits, int limit) {
    Sites sites = new Sites(limit);
    RawSites raw = new RawSites(sites);
    add(raw, vcpu, exits);
    raw.flush();
    return sites;
  }

  @Property(tries = 400)
  void partsMergeToTheWholeAtEveryStep(
      @ForAll long seed,
      @ForAll @IntRange(max = 8) int parts,
      @ForAll @IntRange(min = 1, max = 40) int spread,
      @ForAll @IntRange(min = 1, max = 60) int limit) {
    Random random = new Random(seed);
    Sites whole = new Sites(limit);
    RawSites raw = new RawSites(whole);
    Sites merged = new Sites(limit);
    long count = 0;
    for (int part = 0; part < parts; part++) {
      int vcpu = random.nextInt(2);
      List<Exit> exits = exits(random, random.nextInt(EventBlock.CAPACITY), spread);
      count += exits.size();
      add(raw, vcpu, exits);
      if (random.nextBoolean()) {
        raw.flush();
      }
      merged.merge(sites(vcpu, exits, limit));
    }
    raw.flush();
    Set<Site> rows = new HashSet<>(whole.sites());
    assertThat(rows).hasSize(whole.size());
    assertThat(new HashSet<>(merged.sites())).isEqualTo(rows);
    assertThat(merged.coarseness()).isEqualTo(whole.coarseness());
    Sums sum = whole.sites().stream().map(Site::sums).reduce(Sums.ZERO, Sums::plus);
    assertThat(sum.count()).isEqualTo(count);
    if (!whole.coarseness().startsWith("only event")) {
      assertThat(whole.size()).isLessThanOrEqualTo(limit);
    }
  }
}
