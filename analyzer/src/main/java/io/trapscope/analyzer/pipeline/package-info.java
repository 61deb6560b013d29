/**
 * Reads a trace once for many reports: spreads parts of streams over threads, merges what was
 * counted, and hands out the tables.
 *
 * <p>Lives here: {@code Analysis}, what it reads from and what it returns. Does not live here: what
 * is counted ({@code tally}), what a report says of it, and file formats.
 */
package io.trapscope.analyzer.pipeline;
