/**
 * What one pass over a trace adds up: bounded, whatever the trace's length, and mergeable, whatever
 * its parts. An event is taken apart once ({@code Exit}); {@code Tally} hands it to what counts it.
 *
 * <p>Lives here: sums, histograms, and the state of patterns that go on from one event to the next.
 * Does not live here: tables, names and text; those are made from a tally by reports.
 */
package io.trapscope.analyzer.tally;
