package io.trapscope.analyzer.report;

import io.trapscope.analyzer.tally.Tally;

/**
 * What a report's tables are made from.
 *
 * @param tally what was counted, of the exits that the report asked for
 * @param facts what else is known of the trace
 */
public record Findings(Tally tally, TraceFacts facts) {}
