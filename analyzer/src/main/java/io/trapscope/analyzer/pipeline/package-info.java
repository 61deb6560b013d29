/**
 * Reads a trace once for many reports: spreads streams over threads, gives each report the events
 * it needs, merges, and hands out the tables.
 *
 * <p>Lives here: {@code Analysis}, what it reads from and what it returns. Does not live here: what
 * a report counts, and file formats.
 */
package io.trapscope.analyzer.pipeline;
