/**
 * Several recordings set against several others, and one recording against a budget.
 *
 * <p>Lives here: sums by key out of reports' tables, the statistics of their change, the tables of
 * a comparison, and the file format of budgets. Does not live here: what is counted in one trace.
 */
package io.trapscope.analyzer.compare;
