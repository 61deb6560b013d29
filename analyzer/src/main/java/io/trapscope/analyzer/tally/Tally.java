package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventBlock;
import io.trapscope.recorder.event.EventType;
import java.util.Set;

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

  private final Sites sites;
  private final RawSites rawSites;
  private final Latencies latencies;
  private final OtherEvents others;

  Tally(Set<Part> parts) {
    sites = parts.contains(Part.SITES) ? new Sites() : null;
    rawSites = sites == null ? null : new RawSites(sites);
    latencies = parts.contains(Part.LATENCIES) ? new Latencies() : null;
    others = parts.contains(Part.OTHERS) ? new OtherEvents() : null;
  }

  void add(Exits exits, EventBlock block) {
    if (sites != null) {
      rawSites.add(exits);
    }
    if (others != null) {
      others.add(exits, block);
    }
    if (latencies != null) {
      latencies.add(exits);
    }
  }

  /** Ends counting: from here on the tally is only merged and asked. */
  void pack() {
    if (sites != null) {
      rawSites.flush();
    }
    if (latencies != null) {
      latencies.pack();
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
    if (others != null) {
      others.merge(later.others);
    }
  }

  /** Exits by site; only where {@link Part#SITES} was asked for. */
  public Sites sites() {
    return sites;
  }

  /** Times by reason and stage; only where {@link Part#LATENCIES} was asked for. */
  public Latencies latencies() {
    return latencies;
  }

  /** Events that are no exits; only where {@link Part#OTHERS} was asked for. */
  public OtherEvents others() {
    return others;
  }
}
