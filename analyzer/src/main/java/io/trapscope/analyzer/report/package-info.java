/**
 * What can be asked of a trace: each {@code Report} declares what has to be counted for it and
 * makes tables of that.
 *
 * <p>Lives here: the reports and the columns they share. Does not live here: how events are read
 * and spread over threads ({@code pipeline}), and how tables are written ({@code table}, {@code
 * arrow}).
 */
package io.trapscope.analyzer.report;
