package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventBlock;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What one pass, or a part of one, has counted. Bounded by the number of distinct things (reasons,
 * vCPUs, sites), never by the number of events. One thread at a time.
 *
 * <p>Tallies merge: if the events of a trace are cut into parts, each part a run of one stream, and
 * the tallies of the parts are merged in the order of the streams and of the parts in each, then
 * the result is what one tally would have counted.
 */
public final class Tally {
  /** The types of events that are exits where their reason was captured. */
  public static final Set<EventType> EXITS = ExitShape.TYPES;

  /** The field that names what an exit was about, by type; nothing does for the other types. */
  public static final Map<EventType, Field> NAMED_BY =
      Collections.unmodifiableMap(ExitShape.NAMED_BY);

  /** Not every part has to be asked for; what was not is null. */
  private final Sites sites;

  private final RawSites rawSites;
  private final Latencies latencies;
  private final OtherEvents others;
  private final Accesses accesses;
  private final Timeline timeline;
  private final Messages messages;

  /** Where exits are taken apart that nobody keeps. */
  private final Exit alone = new Exit();

  Tally(Set<Part> parts, TimeAxis axis, long ramEnd) {
    sites = parts.contains(Part.SITES) || parts.contains(Part.ACCESSES) ? new Sites() : null;
    rawSites = sites == null ? null : new RawSites(sites);
    latencies = parts.contains(Part.LATENCIES) ? new Latencies() : null;
    others = parts.contains(Part.OTHERS) ? new OtherEvents() : null;
    accesses = parts.contains(Part.ACCESSES) ? new Accesses() : null;
    timeline = parts.contains(Part.TIMELINE) ? new Timeline(axis, ramEnd) : null;
    messages = parts.contains(Part.MESSAGES) ? new Messages() : null;
  }

  /**
   * Counts the events of a block.
   *
   * @param where which exits count; null for all
   * @return how many of them are exits
   */
  int add(EventBlock block, Predicate<EventReader> where) {
    int size = block.size();
    expect(block.vcpu(), size);
    int exits = 0;
    for (int from = 0; from < size; from += Accesses.MOST) {
      exits += add(block, from, Math.min(size, from + Accesses.MOST), where);
      if (accesses != null) {
        accesses.follow(block.vcpu(), rawSites);
      }
    }
    return exits;
  }

  private int add(EventBlock block, int from, int to, Predicate<EventReader> where) {
    int exits = 0;
    for (int i = from; i < to; i++) {
      Exit exit = accesses == null ? alone : accesses.room();
      if (!exit.read(block, i)) {
        addOther(block, i);
      } else if (where == null || where.test(block.event(i))) {
        exits++;
        add(exit);
      }
    }
    return exits;
  }

  private void expect(int vcpu, int count) {
    if (sites != null) {
      rawSites.expect(vcpu, count);
    }
    if (latencies != null) {
      latencies.expect(vcpu, count);
    }
  }

  private void add(Exit exit) {
    int implausible = exit.leaveOutImplausible();
    if (implausible > 0 && latencies != null) {
      latencies.addImplausible(implausible);
    }
    if (sites != null) {
      int site = rawSites.add(exit);
      if (accesses != null) {
        accesses.add(rawSites, site);
      }
    }
    if (latencies != null) {
      latencies.add(exit);
    }
    if (timeline != null) {
      timeline.add(exit);
    }
  }

  private void addOther(EventBlock block, int event) {
    if (others != null) {
      others.add(block.typeId(event));
    }
    if (messages != null) {
      messages.add(block.event(event));
    }
  }

  /** Ends counting: from here on the tally is only merged and asked. */
  void pack() {
    if (sites != null) {
      rawSites.flush();
    }
    if (latencies != null) {
      latencies.flush();
    }
    if (timeline != null) {
      timeline.flush();
    }
  }

  /** Adds what {@code later} has counted, which is not used again. */
  void merge(Tally later) {
    if (sites != null) {
      sites.merge(later.sites);
    }
    if (latencies != null) {
      latencies.merge(later.latencies);
    }
    if (accesses != null) {
      accesses.merge(later.accesses);
    }
    if (timeline != null) {
      timeline.merge(later.timeline);
    }
    if (others != null) {
      others.merge(later.others);
    }
    if (messages != null) {
      messages.merge(later.messages);
    }
  }

  /** Ends merging: from here on the tally is only asked. */
  void finish() {
    if (accesses != null) {
      accesses.finish();
    }
  }

  /** Exits by site. */
  public Sites sites() {
    return sites;
  }

  /** Times by reason and stage. */
  public Latencies latencies() {
    return latencies;
  }

  /** Events that are no exits. */
  public OtherEvents others() {
    return others;
  }

  /** What accesses to registers were good for. */
  public Accesses accesses() {
    return accesses;
  }

  /** What happened when. */
  public Timeline timeline() {
    return timeline;
  }

  /** Console text and marks. */
  public Messages messages() {
    return messages;
  }
}
