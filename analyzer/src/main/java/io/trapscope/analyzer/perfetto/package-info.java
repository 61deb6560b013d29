/**
 * A trace as a Perfetto trace, for ui.perfetto.dev and trace_processor. Lives here: which events
 * become slices, instants and counters on which tracks, and the four rules of the protobuf wire
 * format that a writer needs. Does not live here: what events mean.
 */
package io.trapscope.analyzer.perfetto;
